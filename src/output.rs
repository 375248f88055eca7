//! Words to the user. The standard macros panic when nobody reads any more (`kesako ps | head -1`); these end the
//! command quietly instead, with the code of a process that SIGPIPE killed.

use crate::failure::Exit;
use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// A line on standard output.
pub fn say(text: impl Display) -> anyhow::Result<()> {
    put(format_args!("{text}\n"))
}

/// Text on standard output, as it is.
pub fn put(text: impl Display) -> anyhow::Result<()> {
    let text = text.to_string();
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(unread)
}

/// A line on standard error. If nobody reads that, there is nobody to tell. An exercise that was met is told as it is: where
/// Docker's words lead to says nothing of where it was met.
pub fn warn(text: impl Display) {
    let text = text.to_string();
    let text = engine::unfinished(&text).unwrap_or(&text);
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An error of writing, which is none when the reader has seen enough.
pub fn unread(error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => Exit::with(128 + 13, ""),
        _ => error.into(),
    }
}
