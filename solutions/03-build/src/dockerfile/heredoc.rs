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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;
    use crate::instruction::{Command, Copy, Instruction};

    /// The name, and with `-` before it the tabs do not count, with `'` variables are not expanded.
    fn names(line: &str) -> Vec<String> {
        let sign = |is: bool, sign| if is { sign } else { "" };
        let name = |body: &Body| format!("{}{}{}", sign(body.unindented, "-"), sign(!body.expand, "'"), body.name);
        if may_announce(line, '\\') { announced(line).unwrap().iter().map(name).collect() } else { Vec::new() }
    }

    #[test]
    fn what_announces_a_heredoc_and_what_does_not() {
        for (line, are) in [
            ("RUN <<EOF", &["EOF"][..]),
            ("RUN <<-EOF", &["-EOF"]),
            ("run cat <<A > x <<-'B'", &["A", "-'B"]),
            ("RUN <<\"E F\"", &["'E F"]),
            ("RUN <<E'O'F", &["'EOF"]),
            ("RUN <<E\\'F", &["E'F"]),
            ("RUN <<$EOF", &["$EOF"]),
            ("RUN << EOF", &["EOF"]),
            ("RUN <<\t EOF > x", &["EOF"]),
            ("RUN << -EOF", &["-EOF"]),
            ("RUN 3<<EOF 0<<X", &["EOF", "X"]),
            ("RUN --mount=type=cache,target=/x <<EOF", &["EOF"]),
            ("COPY <<a.txt <<b.txt /x/", &["a.txt", "b.txt"]),
            ("ADD --chown=1 <<a /x", &["a"]),
            ("ONBUILD RUN <<EOF", &["EOF"]),
            ("onbuild copy <<a /b", &["a"]),
            ("RUN [\"<<EOF\"]", &[]),
            ("RUN \"<<EOF\" '<<X'", &[]),
            ("RUN \\<<EOF", &[]),
            ("RUN <EOF", &[]),
            ("RUN <<<EOF", &[]),
            ("RUN <<", &[]),
            ("RUN x <<-", &[]),
            ("RUN it's <<EOF", &[]),
            ("RUN $((1<<2))", &[]),
            ("ENV A=<<EOF", &[]),
            ("CMD cat <<EOF", &[]),
            ("ONBUILD ONBUILD RUN <<EOF", &[]),
            ("ONBUILD USER <<EOF", &[]),
        ] {
            assert_eq!(names(line), are, "{line}");
        }
    }

    fn steps(text: &str) -> Vec<Instruction> {
        let parsed = parse("Dockerfile", format!("FROM scratch\n{text}").as_bytes()).unwrap();
        parsed.dockerfile.stages[0].steps.iter().map(|step| step.instruction.clone()).collect()
    }

    fn shell(text: &str) -> String {
        match steps(text).as_slice() {
            [Instruction::Run(run), ..] => match &run.command {
                Command::Shell(command) => command.clone(),
                Command::Exec(words) => panic!("{words:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_lines_are_taken_as_they_are() {
        for (text, is) in [
            ("RUN <<EOF\na \\\n# no comment\n\n  $B\nEOF\n", "a \\\n# no comment\n\n  $B\n"),
            ("RUN <<EOF\nEOF", ""),
            ("RUN <<EOF\r\na\r\nEOF\r\n", "a\r\n"),
            ("RUN <<EOF\n EOF\nEOF \nEOF\n", " EOF\nEOF \n"),
            ("RUN <<-EOF\n\ta\n\t\tb\n\t c\n\tEOF\n", "a\nb\n c\n"),
            ("RUN <<EOF\n\ta\nEOF\n", "\ta\n"),
            ("RUN \\\n <<EOF\na\nEOF\n", "a\n"),
            // What is not only a heredoc is the shell's to read: with its ends, and its tabs.
            ("RUN sh <<A 4<<-'B'\na\nA\n\tb\n\tB\n", "sh <<A 4<<-'B'\na\nA\n\tb\nB"),
            ("RUN <<EOF sh\na\nEOF\n", "<<EOF sh\na\nEOF"),
            ("RUN <<EOF && x\na\nEOF\nRUN b", "<<EOF && x\na\nEOF"),
        ] {
            assert_eq!(shell(text), is, "{text:?}");
        }
    }

    #[test]
    fn files_of_a_copy() {
        let [Instruction::Copy(Copy { heredocs, sources, .. })] =
            &steps("COPY <<-a x <<'b' /d/\n\t1\na\n\t$2\nb\n")[..]
        else {
            panic!()
        };
        let files: Vec<_> =
            heredocs.iter().map(|file| (file.name.as_str(), file.content.as_str(), file.expand)).collect();
        assert_eq!(files, [("a", "1\n", true), ("b", "\t$2\n", false)]);
        assert_eq!(sources, &["x"]);
    }

    #[test]
    fn what_follows_the_end_is_the_next_instruction() {
        assert_eq!(steps("RUN <<A <<B\n1\nA\n2\nB\nUSER x\nRUN <<C\nRUN y\nC\nCMD z\n").len(), 4);
        let error = parse("Dockerfile", b"FROM a\nRUN <<A <<B\nA\nRUN x\n").unwrap_err().to_string();
        assert!(error.contains("   2 | >>> RUN <<A <<B\n") && error.ends_with("unterminated heredoc"), "{error}");
    }
}
