//! How a command fails: a text for stderr, and an exit code. Docker's codes: 125 when the command line or the engine is
//! at fault, 126 and 127 when the program in the container could not be run, the container's own otherwise, 1 for
//! everything else.

use std::fmt;

/// An end of the process with this code; nothing is printed when the text is empty.
#[derive(Debug)]
pub struct Exit {
    pub code: i32,
    pub text: String,
}

impl Exit {
    /// With a text.
    pub fn with(code: i32, text: impl Into<String>) -> anyhow::Error {
        Self { code, text: text.into() }.into()
    }

    /// A container's own exit code, of which nothing is said; nothing at all if it is 0.
    pub fn container(code: i64) -> anyhow::Result<()> {
        match code {
            0 => Ok(()),
            // What exit(3) does with it.
            code => Err(Self::with((code & 0xff) as i32, "")),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Exit {}
