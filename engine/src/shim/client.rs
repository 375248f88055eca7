//! One attached client: a socket on which output goes out and input comes in, in Docker's wire format.

use super::detach_keys::DetachKeys;
use super::json_log::Stream;
use super::protocol::Attachment;
use super::ready::{Ready, Watch};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

/// What may wait in memory for a client, besides what the kernel holds. Above it the container waits, as with Docker: a
/// pager that nobody scrolls slows down what it is fed by, and nothing is lost.
const FULL: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Client {
    socket: UnixStream,
    wants: Attachment,
    /// With a terminal the output is raw; else each piece has a header.
    tty: bool,
    keys: Option<DetachKeys>,
    queue: VecDeque<u8>,
    /// The output is over: to be closed when the queue is empty.
    closing: bool,
    gone: bool,
}

impl Client {
    /// `early` is what the client sent behind its request.
    pub(super) fn new(socket: UnixStream, wants: Attachment, tty: bool) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        let keys = tty.then(|| DetachKeys::new(&wants.detach_keys));
        Ok(Self { socket, wants, tty, keys, queue: VecDeque::new(), closing: false, gone: false })
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= FULL
    }

    /// Whether its input is still of interest.
    pub(super) fn is_typing(&self) -> bool {
        self.wants.stdin && !self.closing && !self.gone
    }

    /// `input_welcome`: somebody takes what this client would type.
    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>, input_welcome: bool) {
        if !self.queue.is_empty() {
            watch.writable(&self.socket);
        }
        match self.is_typing() && input_welcome {
            true => watch.readable(&self.socket),
            false => watch.hangup(&self.socket),
        }
    }

    /// Sends output, as much as goes now; the rest is queued.
    pub(super) fn send(&mut self, stream: Stream, data: &[u8]) {
        let wanted = match stream {
            Stream::Stdout => self.wants.stdout,
            Stream::Stderr => self.wants.stderr,
        };
        if !wanted || self.gone {
            return;
        }
        if !self.tty {
            // Docker Engine API, "Attach": the stream, three zeroes, and the length, big-endian.
            let [a, b, c, d] = (data.len() as u32).to_be_bytes();
            self.queue.extend([stream as u8, 0, 0, 0, a, b, c, d]);
        }
        self.queue.extend(data);
        self.flush();
    }

    fn flush(&mut self) {
        while !self.queue.is_empty() {
            match self.socket.write(self.queue.as_slices().0) {
                Ok(count) => drop(self.queue.drain(..count)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // It went away: that is how one detaches.
                Err(_) => self.gone = true,
            }
            if self.gone {
                return;
            }
        }
        self.queue.shrink_to(4096);
        self.gone |= self.closing;
    }

    /// No more output will come.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.flush();
    }

    /// Sends what waits, and returns what was typed: None if nothing, `Some(Typed::End)` at the end of the input.
    pub(super) fn serve(&mut self, ready: &Ready, buffer: &mut [u8]) -> Option<Typed> {
        if ready.writable(&self.socket) {
            self.flush();
        }
        if !self.is_typing() {
            self.gone |= ready.hung_up(&self.socket);
            return None;
        }
        if !ready.readable(&self.socket) {
            return None;
        }
        match self.socket.read(buffer) {
            Ok(0) => Some(self.end_of_input(ready)),
            Ok(count) => Some(self.typed(&buffer[..count])),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
            Err(_) => {
                self.gone = true;
                Some(Typed::End)
            }
        }
    }

    fn end_of_input(&mut self, ready: &Ready) -> Typed {
        self.wants.stdin = false;
        // Half closed, it still listens; unless there was nothing for it to hear.
        self.gone |= ready.hung_up(&self.socket) || !(self.wants.stdout || self.wants.stderr);
        Typed::End
    }

    fn typed(&mut self, bytes: &[u8]) -> Typed {
        let Some(keys) = &mut self.keys else { return Typed::Bytes(bytes.to_vec()) };
        let (bytes, detach) = keys.filter(bytes);
        if detach {
            self.close();
            self.gone = true;
        }
        Typed::Bytes(bytes)
    }
}

/// What came from a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Bytes(Vec<u8>),
    End,
}
