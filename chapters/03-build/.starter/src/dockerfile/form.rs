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

/// Reads what follows a CMD, an ENTRYPOINT or a RUN.
///
/// * A list of strings in JSON, `["echo", "a b"]`, is the exec form: these are the words, and they are executed as they are.
/// * A list in JSON that holds anything but strings, such as `["sleep", 5]`, nobody can have meant: [`NOT_STRINGS`].
/// * Whatever is no list in JSON is the shell form, and stays one text, for `/bin/sh -c` to read. `[ -f /x ] && y` and
///   `['a']` (JSON has no single quotes) only look like lists: they are fine commands.
///
/// # Errors
/// [`NOT_STRINGS`].
pub(super) fn command(text: &str) -> Result<Command, String> {
    // exercise: 3.1 command: tell the two forms of a command from one another
    todo!("exercise 3.1, command: tell the two forms of a command from one another")
    // end exercise
}
