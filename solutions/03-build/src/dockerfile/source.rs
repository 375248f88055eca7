//! The text of a Dockerfile, and how its lines are shown to who has to mend them.

use super::Fault;
use crate::error::{Error, Result};
use std::fmt::Write;
use std::ops::RangeInclusive;

/// Of a Dockerfile, in bytes. None of a person has so many, and what is held in memory is bounded by it: whoever reads the
/// file need not read more than one byte more.
pub const MAX_SIZE: usize = 4 << 20;
/// BuildKit's.
const MAX_LINE: usize = 65535;
const RULER: &str = "--------------------\n";

/// The text of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What errors call it: `Dockerfile`.
    pub name: String,
    pub text: String,
}

impl Source {
    /// Takes what was read from a file.
    pub(super) fn new(name: &str, bytes: &[u8]) -> Result<Self> {
        let mut source = Self { name: name.to_owned(), text: String::new() };
        if bytes.is_empty() {
            return Err(source.error(Fault::of_the_file(format!("the Dockerfile ({name}) cannot be empty"))));
        }
        if bytes.len() > MAX_SIZE {
            let message = format!("the Dockerfile ({name}) has more than {MAX_SIZE} bytes");
            return Err(source.error(Fault::of_the_file(message)));
        }
        // The byte order mark of some editors.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        source.text = String::from_utf8_lossy(bytes).into_owned();
        for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
            let refuse = |message: String| Err(source.error(Fault::new(message, i + 1..=i + 1)));
            if line.len() > MAX_LINE {
                return refuse(format!("dockerfile line greater than max allowed size of {MAX_LINE}"));
            }
            // A comment may be in whatever encoding its author used, a command may not.
            if !line.trim_ascii_start().starts_with(b"#") && std::str::from_utf8(line).is_err() {
                return refuse("the line is not UTF-8: save the Dockerfile in that encoding".to_owned());
            }
        }
        Ok(source)
    }

    /// The error that says so and shows the lines.
    pub(crate) fn error(&self, fault: Fault) -> Error {
        let excerpt = fault.lines.as_ref().map(|lines| self.excerpt(lines)).unwrap_or_default();
        Error::Dockerfile { message: fault.message, excerpt, lines: fault.lines.unwrap_or(0..=0) }
    }

    /// An error about a step of this file: says so and shows its lines.
    pub fn blame(&self, lines: &RangeInclusive<usize>, message: impl Into<String>) -> Error {
        self.error(Fault::new(message, lines.clone()))
    }

    /// The name and the first of these lines, and then all of them and a few around:
    ///
    /// ```text
    /// Dockerfile:2
    /// --------------------
    ///    1 |     FROM alpine
    ///    2 | >>> RUNN make
    ///    3 |     CMD ["/app"]
    /// --------------------
    /// ```
    pub fn excerpt(&self, lines: &RangeInclusive<usize>) -> String {
        let all: Vec<&str> = self.text.split('\n').collect();
        let (first, last) = (*lines.start(), (*lines.end()).min(all.len()));
        if first == 0 || first > last {
            return String::new();
        }
        // Two lines before and two after; a single line gets four, if there are not enough on the other side.
        let (mut from, mut to, mut padded) = (first, last, 0);
        let padding = if first == last { 4 } else { 2 };
        while padded < padding {
            if from > 1 {
                from -= 1;
                padded += 1;
            }
            if to < all.len() {
                to += 1;
                padded += 1;
            }
            padded += 1;
        }
        let mut out = format!("{}:{first}\n{RULER}", self.name);
        for number in from..=to {
            let mark = if (first..=last).contains(&number) { ">>>" } else { "   " };
            let line = all[number - 1].trim_end_matches('\r');
            // A String takes everything.
            let _ = writeln!(out, " {number:3} | {mark} {line}");
        }
        out + RULER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_the_lines_and_a_few_around() {
        let text: String = (1..=12).map(|i| format!("line {i}\r\n")).collect();
        let source = Source::new("dir/Dockerfile", text.as_bytes()).unwrap();
        let shown = [1..=1, 6..=6, 12..=12, 3..=5, 1..=12, 0..=0, 20..=21].map(|lines| source.excerpt(&lines));
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn a_file_has_to_be_text() {
        let error = |bytes: &[u8]| Source::new("Dockerfile", bytes).unwrap_err().to_string();
        assert!(error(b"FROM a\nRUN \xff\n").contains("   2 | >>> RUN \u{fffd}\n"));
        // What Windows' editors call Unicode.
        assert!(error(b"\xff\xfeF\0R\0O\0M\0").ends_with("save the Dockerfile in that encoding"));
        assert!(Source::new("Dockerfile", b"\xef\xbb\xbfFROM a\n  # Jos\xe9\n").unwrap().text.starts_with("FROM"));
    }
}
