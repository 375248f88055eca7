//! Attaching to a container: its input and output as one stream.

use crate::{Engine, Result};
use std::os::unix::net::UnixStream;

/// The streams of an attach, in Docker's wire format: with a terminal, raw bytes both ways; without, the container's
/// output comes as frames of 8 bytes header (stream, 0, 0, 0, big-endian length) and data, and stdin goes raw.
/// Shutting down the writing half is the end of stdin; closing the socket detaches.
#[derive(Debug)]
pub struct Attached {
    pub stream: UnixStream,
    pub tty: bool,
}

#[derive(Clone, Debug, Default)]
pub struct AttachOptions {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Keep the stream open and follow.
    pub stream: bool,
    /// Replay the log first.
    pub logs: bool,
    pub detach_keys: Option<String>,
}

/// Streams attached to containers that this process has not started yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {}

impl Engine {
    /// Before the start too: the streams are then handed to the shim by [`Engine::start`] in this same process.
    pub fn attach(&self, id: &str, options: &AttachOptions) -> Result<Attached> {
        todo!()
    }
}
