//! What `$NAME`, quotes and backslashes in a word of a Dockerfile become: the small part of a shell's language that the
//! builder itself speaks. A RUN's command is not expanded here: that is its shell's work.
//!
//! [`lexer`] goes through a word, [`substitution`] knows `${NAME:-word}` and its kin, [`pattern`] the wildcards in
//! `${NAME%pattern}`. [`instruction()`] says which words of an instruction are expanded, and [`args`] what `ARG` is worth.

pub mod args;
#[path = "../../../../solutions/03-build/src/expand/instruction.rs"]
mod instruction;
#[path = "../../../../solutions/03-build/src/expand/lexer.rs"]
mod lexer;
#[path = "../../../../solutions/03-build/src/expand/pattern.rs"]
mod pattern;
mod substitution;

pub use args::Args;
pub use instruction::{Expansion, instruction};
pub(crate) use lexer::{Lexer, Quotes};

use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// Finds the value of a variable; None: it is not set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Of a variable, `NAME=value`, with the NUL at its end: no program can be started with a longer one (execve(2),
/// MAX_ARG_STRLEN).
const MAX_VARIABLE: usize = 128 << 10;

/// A word without its variables and quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    pub text: String,
    /// The variables that were asked for and are set: what the result depends on.
    pub used: BTreeSet<String>,
    /// Those that were asked for and are not.
    pub unmatched: BTreeSet<String>,
}

/// Expands one word: variables are replaced, quotes and escapes go. Blanks in it stay.
///
/// # Errors
/// [`crate::Error::Expand`]: a quote or a brace is not closed, `${NAME:?why}` is not set, or there is too much of it.
pub fn word(text: &str, lookup: Lookup, escape: char) -> Result<Expanded> {
    Lexer::new(escape).word(text, lookup)
}

/// Expands, and then cuts into words at blanks that are not quoted: a variable may become several (EXPOSE).
///
/// # Errors
/// As [`word`].
pub fn words(text: &str, lookup: Lookup, escape: char) -> Result<(Vec<String>, Expanded)> {
    Lexer::new(escape).words(text, lookup)
}

/// A step's text as progress shows it: the instruction in capitals, variables that are set with their values, and all else
/// as it is written.
pub fn shown(text: &str, lookup: Lookup, escape: char) -> String {
    let lexer = Lexer { quotes: Quotes::Keep, keep_unset: true, ..Lexer::new(escape) };
    let text = lexer.word(text, lookup).map_or_else(|_| text.to_owned(), |expanded| expanded.text);
    let (name, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    name.to_uppercase() + rest
}

/// Whether this can be a variable of a process.
fn fits(name: &str, value: &str) -> Result<()> {
    let size = name.len() + value.len() + 2;
    if size <= MAX_VARIABLE {
        return Ok(());
    }
    let why = format!("with its value it has {size} bytes; a variable of a process may have {MAX_VARIABLE}");
    Err(Error::Expand { word: lexer::shortened(name), why })
}
