//! From the lines of the file to the lines of the language: what a backslash continues is one line, comments are none, and
//! heredocs belong to the line that announces them.

use super::{Fault, heredoc};
use std::ops::RangeInclusive;

/// More than any Dockerfile of a person has. Each costs memory, and work in all that follows.
const MAX_INSTRUCTIONS: usize = 10_000;

/// An instruction, on one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Logical {
    pub(crate) text: String,
    /// Where it stands in the file, with its heredocs.
    pub(crate) lines: RangeInclusive<usize>,
    pub(crate) heredocs: Vec<heredoc::Body>,
    /// The comments before it, without their `#`.
    pub(crate) comments: Vec<String>,
    /// An empty line was in the midst of it: allowed for now. Its last line.
    pub(crate) empty_continuation: Option<usize>,
}

/// The lines of a file that were not read yet.
pub(crate) struct Physical<'a> {
    rest: std::str::SplitInclusive<'a, char>,
    /// Of the line that was read last.
    pub(crate) number: usize,
}

impl<'a> Iterator for Physical<'a> {
    /// With its end.
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let line = self.rest.next()?;
        self.number += 1;
        Some(line)
    }
}

/// All instructions of a file. The first `head` lines are parser directives.
pub(crate) fn logical(text: &str, head: usize, escape: char) -> Result<Vec<Logical>, Fault> {
    let mut physical = Physical { rest: text.split_inclusive('\n'), number: 0 };
    let mut all = Vec::new();
    let mut comments = Vec::new();
    while let Some(line) = physical.next() {
        let line = line.trim_start();
        match line.strip_prefix('#').map(str::trim) {
            _ if line.is_empty() || physical.number <= head => {}
            // An empty comment separates what describes the next instruction from what does not.
            Some("") => comments.clear(),
            Some(comment) => comments.push(comment.to_owned()),
            None if all.len() == MAX_INSTRUCTIONS => {
                let message = format!("the Dockerfile has more than {MAX_INSTRUCTIONS} instructions");
                return Err(Fault::new(message, physical.number..=physical.number));
            }
            None => {
                let first = physical.number;
                let (text, empty) = match continued(line, escape) {
                    (first, true) => join(first, &mut physical, escape),
                    (line, false) => (line.to_owned(), false),
                };
                let empty_continuation = empty.then_some(physical.number);
                let last = physical.number;
                let heredocs = heredoc::bodies(&text, escape, &mut physical)
                    .map_err(|message| Fault::new(message, first..=last))?;
                let lines = first..=physical.number;
                all.push(Logical {
                    text,
                    lines,
                    heredocs,
                    comments: std::mem::take(&mut comments),
                    empty_continuation,
                });
            }
        }
    }
    if all.is_empty() {
        let end = physical.number;
        return Err(Fault::new("file with no instructions", end..=end));
    }
    Ok(all)
}

/// Makes one line of what is continued over several: `first`, which is a line that goes on, without its escape; and as many
/// of the next lines (`physical` gives one after the other) as it takes. With it, whether an empty line was among them, which
/// Docker allows and warns of.
///
/// * What a line says, and whether it goes on in the next one, [`continued`] tells.
/// * Comments (`#`, perhaps after blanks) and empty lines are left out, and do not end it.
/// * All others are taken as they are, with the blanks they begin with: in `a=1\`, `  b=2` these alone part the words.
/// * It ends with the first line that does not go on, or with the file.
fn join(first: &str, physical: &mut Physical, escape: char) -> (String, bool) {
    // exercise: 3.2 join: make one line of what backslashes continue over several
    let mut text = first.to_owned();
    let mut empty = false;
    for line in physical {
        match line.trim_start() {
            "" => empty = true,
            comment if comment.starts_with('#') => {}
            _ => {
                let (part, goes_on) = continued(line, escape);
                text.push_str(part);
                if !goes_on {
                    break;
                }
            }
        }
    }
    (text, empty)
    // end exercise
}

/// The line without its end, and whether it goes on: it ends in an escape that is not itself escaped, which then goes, too,
/// with the blanks after it.
fn continued(line: &str, escape: char) -> (&str, bool) {
    let line = line.trim_end_matches(['\r', '\n']);
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before, true),
        _ => (line, false),
    }
}
