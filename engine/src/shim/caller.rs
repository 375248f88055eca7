//! Somebody on the shim's socket whose request has not come whole yet.

use super::protocol::{Envelope, Line, Request};
use super::ready::{Ready, Watch};
use crate::explain::Told;
use crate::{Error, Kind};
use rustix::net::{RecvFlags, recv};
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};

/// More than any request needs.
const LONGEST_REQUEST: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Caller {
    socket: UnixStream,
    heard: Vec<u8>,
}

/// What became of a caller.
pub(super) enum Heard {
    /// Its request has not ended yet.
    Nothing(Caller),
    Request {
        request: Request,
        explain: bool,
        reply: Reply,
    },
    /// It went away, or spoke nonsense.
    Gone,
}

impl Caller {
    /// Everybody who waits at the door.
    pub(super) fn accept(listener: &UnixListener) -> Vec<Self> {
        let open = std::iter::from_fn(|| listener.accept().ok());
        let quiet = |(socket, _): (UnixStream, _)| socket.set_nonblocking(true).is_ok().then_some(socket);
        open.filter_map(quiet).map(|socket| Self { socket, heard: Vec::new() }).collect()
    }

    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        watch.readable(&self.socket);
    }

    /// Takes what came of the request's line, and nothing behind it: with `attach`, that is the container's input.
    pub(super) fn serve(mut self, ready: &Ready) -> Heard {
        if !ready.readable(&self.socket) {
            return Heard::Nothing(self);
        }
        let mut seen = [0u8; 4096];
        let count = match recv(&self.socket, &mut seen, RecvFlags::PEEK) {
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Heard::Nothing(self),
            Err(_) | Ok((0, _)) => return Heard::Gone,
            Ok((count, _)) => count,
        };
        let end = seen[..count].iter().position(|byte| *byte == b'\n');
        let take = end.map_or(count, |end| end + 1);
        match recv(&self.socket, &mut seen[..take], RecvFlags::empty()) {
            Ok((taken, _)) if taken == take => self.heard.extend_from_slice(&seen[..take]),
            _ => return Heard::Gone,
        }
        match end {
            Some(_) => self.understand(),
            None if self.heard.len() > LONGEST_REQUEST => Heard::Gone,
            None => Heard::Nothing(self),
        }
    }

    fn understand(self) -> Heard {
        let reply = Reply { socket: self.socket };
        match serde_json::from_slice(&self.heard) {
            Ok(Envelope { request, explain }) => Heard::Request { request, explain, reply },
            Err(e) => {
                // Another version of us, perhaps.
                reply.send(&[], Line::of(Err(Error::new(Kind::Invalid, format!("not a request to a shim: {e}")))));
                Heard::Gone
            }
        }
    }
}

/// The way back to somebody who asked.
#[derive(Debug)]
pub(super) struct Reply {
    socket: UnixStream,
}

impl Reply {
    pub(super) fn new(socket: UnixStream) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    /// Answers, and gives the socket back for what follows.
    pub(super) fn send(self, told: &[Told], line: Line) -> UnixStream {
        self.tell(told);
        // An answer fits into an empty socket's buffer. Who does not take it has gone, and needs no answer.
        let _gone = (&self.socket).write_all(&line.to_bytes());
        self.socket
    }

    /// What was done so far, ahead of the answer.
    pub(super) fn tell(&self, told: &[Told]) {
        let bytes: Vec<u8> = told.iter().flat_map(|told| Line::Explain(told.clone()).to_bytes()).collect();
        // As in `send`.
        let _gone = (&self.socket).write_all(&bytes);
    }

    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        watch.hangup(&self.socket);
    }

    /// Nobody waits for the answer any more.
    pub(super) fn is_gone(&self, ready: &Ready) -> bool {
        ready.hung_up(&self.socket)
    }
}
