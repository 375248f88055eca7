//! Heredocs: `RUN <<EOF`, and the lines up to `EOF` belong to it.
//!
//! Dockerfile reference, "Here-documents"; POSIX, Shell Command Language, 2.7.4.

use super::form;
use super::keyword::Keyword;
use super::lines::Physical;
use super::words;
use crate::expand::{Lexer, Quotes};

/// A heredoc with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// The word after `<<`, without its quotes: what ends it.
    pub(crate) name: String,
    /// `<<-`: the tabs before its lines do not count.
    pub(crate) unindented: bool,
    /// No part of the word was quoted.
    pub(crate) expand: bool,
    /// As it is written, with the tabs.
    pub(crate) lines: String,
}

impl Body {
    /// What the file or the command gets to see.
    pub(crate) fn content(&self) -> String {
        if !self.unindented {
            return self.lines.clone();
        }
        self.lines.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
    }
}

/// Takes the heredocs that a line announces from the lines after it.
pub(crate) fn bodies(line: &str, escape: char, physical: &mut Physical) -> Result<Vec<Body>, String> {
    let mut bodies = Vec::new();
    if line.contains("<<") && may_announce(line, escape) {
        for mut body in announced(line)? {
            read(&mut body, physical)?;
            bodies.push(body);
        }
    }
    Ok(bodies)
}

fn read(body: &mut Body, physical: &mut Physical) -> Result<(), String> {
    for line in physical {
        let end = line.trim_end_matches(['\r', '\n']);
        if body.name == if body.unindented { end.trim_start_matches('\t') } else { end } {
            return Ok(());
        }
        body.lines.push_str(line);
    }
    Err("unterminated heredoc".to_owned())
}

/// Three instructions have heredocs, or what waits in an ONBUILD; not in their exec form.
fn may_announce(line: &str, escape: char) -> bool {
    let (keyword, rest) = words::keyword(line);
    match Keyword::named(keyword) {
        Some(Keyword::Run | Keyword::Copy | Keyword::Add) => {
            let (_, arguments) = words::flags(rest, escape);
            matches!(form::exec(&arguments), Ok(None))
        }
        Some(Keyword::Onbuild) => {
            let within = words::keyword(rest).0;
            Keyword::named(within) != Some(Keyword::Onbuild) && may_announce(rest, escape)
        }
        _ => false,
    }
}

/// The heredocs of a line, in order. `<<` within quotes announces none.
fn announced(line: &str) -> Result<Vec<Body>, String> {
    let lexer = Lexer { quotes: Quotes::Keep, keep_escapes: true, keep_unset: true, ..Lexer::new('\\') };
    // Where a quote is not closed, the shell has to make sense of it.
    let Ok((words, _)) = lexer.words(line, &|_| None) else { return Ok(Vec::new()) };
    words.iter().filter_map(|word| announcement(word).transpose()).collect()
}

/// `<<EOF`, `<<-EOF`, `<<"EOF"`, `3<<EOF`, if it is one.
pub(crate) fn announcement(word: &str) -> Result<Option<Body>, String> {
    let Some(rest) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else { return Ok(None) };
    let (unindented, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    let rest = rest.trim_ascii_start();
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let lexer = Lexer { keep_unset: true, ..Lexer::new('\\') };
    let read = |lexer: Lexer| lexer.words(rest, &|_| None).map_err(|error| error.to_string());
    let (words, _) = read(lexer)?;
    let [name] = words.as_slice() else { return Ok(None) };
    // With quotes kept, there are more of them where some had a meaning.
    let (_, quoted) = read(Lexer { quotes: Quotes::Keep, ..lexer })?;
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    let expand = quotes(name) == quotes(&quoted.text);
    Ok(Some(Body { name: name.clone(), unindented, expand, lines: String::new() }))
}
