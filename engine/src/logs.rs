//! Reading what a container wrote.

use crate::{Engine, Result};
use std::io::Read;

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
    /// Bytes in Docker's wire format (frames, or raw with a terminal); ends at the end of the log, or of the container
    /// when following. Dropping it stops it.
    pub fn logs(&self, id: &str, options: &LogOptions) -> Result<(Box<dyn Read + Send>, bool)> {
        todo!()
    }
}
