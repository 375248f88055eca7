//! Reading what a container wrote.

use crate::{Attached, Engine, Result};

#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    pub stdout: bool,
    pub stderr: bool,
    pub follow: bool,
    pub timestamps: bool,
    /// Only the last so many lines; None is all.
    pub tail: Option<usize>,
    /// `1700000000.123456789` or RFC 3339.
    pub since: Option<String>,
    pub until: Option<String>,
}

impl Engine {
    /// The log in Docker's wire format (frames, or raw bytes of a terminal), to be read only: it ends with the log, or when
    /// following, with the container. Closing the stream stops it, so an asynchronous caller can poll it and drop it.
    pub fn logs(&self, id: &str, options: &LogOptions) -> Result<Attached> {
        todo!()
    }
}
