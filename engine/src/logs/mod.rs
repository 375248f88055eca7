//! Reading what a container wrote.

mod files;
mod follow;
mod select;

use crate::{Attached, Engine, Error, Result};
use std::os::unix::net::UnixStream;

/// Which lines, and how they should look.
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
    /// The log in Docker's wire format (frames, or raw bytes of a terminal), to be read only: it ends with the log, or
    /// when following, with the container. Closing the stream stops it, so an asynchronous caller can poll it and drop
    /// it.
    pub fn logs(&self, id: &str, options: &LogOptions) -> Result<Attached> {
        let container = self.find(id)?;
        let record = container.record()?;
        if !options.stdout && !options.stderr {
            return Err(Error::new(crate::Kind::Invalid, "Bad parameters: you must choose at least one stream"));
        }
        if record.host_config.log_config.r#type == "none" {
            let text = "configured logging driver does not support reading";
            return Err(Error::new(crate::Kind::NotImplemented, text));
        }
        let tty = record.config.tty;
        let selection = select::Selection::new(options, tty)?;
        let trouble = |e: std::io::Error| Error::system("read the log", e);
        let (stream, to) = UnixStream::pair().map_err(trouble)?;
        let follow = options.follow;
        let tail = options.tail;
        let copy = move || {
            let mut reader = follow::Reader { container, to, selection };
            // The reader went away, or the log cannot be read any further: either way, this is its end.
            let _ended = reader.copy(tail, follow);
        };
        std::thread::Builder::new().name("logs".to_owned()).stack_size(256 * 1024).spawn(copy).map_err(trouble)?;
        Ok(Attached { stream, tty })
    }
}
