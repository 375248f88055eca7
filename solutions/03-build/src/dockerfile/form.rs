//! The two forms of a command: `["a", "b"]` is executed as it is, `a b` is given to a shell.
//!
//! Dockerfile reference, "Shell and exec form".

use crate::instruction::Command;
use serde_json::Value;

const NOT_STRINGS: &str = "when using JSON array syntax, arrays must be comprised of strings only";

/// The words of the exec form; None: it is not that form.
///
/// # Errors
/// It is a list in JSON, but not one of strings.
pub(super) fn exec(text: &str) -> Result<Option<Vec<String>>, String> {
    Ok(match command(text)? {
        Command::Exec(words) => Some(words),
        Command::Shell(_) => None,
    })
}

/// Reads a command. A list of strings in JSON is the exec form. Whatever is not JSON is the shell form, also
/// `[ -f /x ] && y` and `['a']`: it only looks like a list, and is a fine command.
///
/// # Errors
/// A list of something else, which nobody can have meant: [`NOT_STRINGS`].
pub(super) fn command(text: &str) -> Result<Command, String> {
    let Ok(values) = serde_json::from_str::<Vec<Value>>(text) else {
        return Ok(Command::Shell(text.to_owned()));
    };
    let string = |value| match value {
        Value::String(string) => Ok(string),
        _ => Err(NOT_STRINGS.to_owned()),
    };
    values.into_iter().map(string).collect::<Result<_, _>>().map(Command::Exec)
}
