//! Questions that are passed on: by the way they came (UDP or TCP), to one server after the other, until one answers.

use super::answer;
use crate::{Error, Namespace, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use simple_dns::RCODE;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a server may think.
const PATIENCE: Duration = Duration::from_secs(3);
/// Questions that wait at once. What comes on top is refused, and asked again later.
const MOST: usize = 512;
/// What is received from one server before others are heard.
const TURN: usize = 16;

/// A name server of the world outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub address: SocketAddr,
    /// Asked from within the container (`--dns`: it may be a neighbour), else from the host, whose own loopback it may be on.
    pub from_inside: bool,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Udp(SocketAddr),
    /// A connection's number.
    Tcp(u64),
}

#[derive(Debug)]
pub(super) struct Forwards {
    upstreams: Vec<Upstream>,
    namespace: Namespace,
    pending: Vec<Pending>,
    /// For what is received.
    buffer: Box<[u8]>,
}

/// A question that waits.
#[derive(Debug)]
struct Pending {
    asker: Asker,
    question: Vec<u8>,
    /// Which of the servers is asked.
    server: usize,
    socket: OwnedFd,
    until: Instant,
    /// Of a question by TCP: what is still to be sent, with its length before it, and what has come.
    to_send: Vec<u8>,
    received: Vec<u8>,
}

/// What came of a look at a socket.
enum Look {
    Nothing,
    Answer(Vec<u8>),
    /// This server will not answer.
    Failed,
}

impl Forwards {
    pub(super) fn new(upstreams: Vec<Upstream>, namespace: Namespace) -> Self {
        Self { upstreams, namespace, pending: Vec::new(), buffer: vec![0; 1 << 16].into() }
    }

    pub(super) fn ask(&mut self, upstreams: Vec<Upstream>) {
        self.upstreams = upstreams;
    }

    /// Passes a question on, or returns the refusal.
    pub(super) fn begin(&mut self, asker: Asker, question: &[u8]) -> Option<Vec<u8>> {
        let pending = if self.pending.len() < MOST { self.try_from(asker, question.to_vec(), 0) } else { None };
        match pending {
            Some(pending) => {
                self.pending.push(pending);
                None
            }
            None => Some(answer::refusal(question, RCODE::ServerFailure)),
        }
    }

    /// Asks the first server from this one on that can be asked.
    fn try_from(&self, asker: Asker, question: Vec<u8>, first: usize) -> Option<Pending> {
        (first..self.upstreams.len()).find_map(|server| self.try_one(asker, &question, server).ok())
    }

    fn try_one(&self, asker: Asker, question: &[u8], server: usize) -> Result<Pending> {
        let upstream = &self.upstreams[server];
        let by_tcp = matches!(asker, Asker::Tcp(_));
        let connect = || connect(upstream.address, by_tcp).map_err(Error::kernel("ask a name server"));
        let socket = if upstream.from_inside { self.namespace.visit(connect)? } else { connect()? };
        let mut to_send = Vec::new();
        if by_tcp {
            to_send.extend((question.len() as u16).to_be_bytes());
            to_send.extend_from_slice(question);
        } else {
            rustix::net::send(&socket, question, SendFlags::NOSIGNAL).map_err(Error::kernel("ask a name server"))?;
        }
        let until = Instant::now() + PATIENCE;
        Ok(Pending { asker, question: question.to_vec(), server, socket, until, to_send, received: Vec::new() })
    }

    pub(super) fn watch<'a>(&'a self, each: &mut dyn FnMut(BorrowedFd<'a>, bool)) {
        for pending in &self.pending {
            each(pending.socket.as_fd(), !pending.to_send.is_empty());
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.until).min()
    }

    /// The answers that have come. Who has waited too long, or was refused, is passed on to the next server.
    pub(super) fn serve(&mut self) -> Vec<(Asker, Vec<u8>)> {
        let mut answers = Vec::new();
        let now = Instant::now();
        if self.pending.is_empty() {
            return answers;
        }
        let ready = self.ready();
        for (mut pending, ready) in std::mem::take(&mut self.pending).into_iter().zip(ready) {
            let look = if ready { pending.look(&mut self.buffer) } else { Look::Nothing };
            match look {
                Look::Answer(bytes) => answers.push((pending.asker, bytes)),
                Look::Nothing if now < pending.until => self.pending.push(pending),
                Look::Nothing | Look::Failed => {
                    let Pending { asker, question, server, .. } = pending;
                    let refusal = answer::refusal(&question, RCODE::ServerFailure);
                    match self.try_from(asker, question, server + 1) {
                        Some(next) => self.pending.push(next),
                        None => answers.push((asker, refusal)),
                    }
                }
            }
        }
        answers
    }
}

impl Forwards {
    /// At which sockets there is something to be done: one call for all, however many wait.
    fn ready(&self) -> Vec<bool> {
        let mut fds = Vec::with_capacity(self.pending.len());
        self.watch(&mut |fd, writes| {
            fds.push(PollFd::from_borrowed_fd(fd, if writes { PollFlags::OUT } else { PollFlags::IN }));
        });
        // If that cannot be told, all are looked at.
        let told = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok();
        fds.iter().map(|fd| !told || !fd.revents().is_empty()).collect()
    }
}

/// A socket that speaks to this server only; datagrams of anybody else do not reach it.
fn connect(to: SocketAddr, by_tcp: bool) -> rustix::io::Result<OwnedFd> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = if by_tcp { SocketType::STREAM } else { SocketType::DGRAM };
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    match rustix::net::connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

impl Pending {
    fn look(&mut self, buffer: &mut [u8]) -> Look {
        while !self.to_send.is_empty() {
            match rustix::net::send(&self.socket, &self.to_send, SendFlags::NOSIGNAL) {
                Ok(length) => drop(self.to_send.drain(..length)),
                Err(Errno::INTR) => {}
                // (Not connected yet: that is not written to either.)
                Err(Errno::AGAIN | Errno::NOTCONN) => return Look::Nothing,
                Err(_) => return Look::Failed,
            }
        }
        for _ in 0..TURN {
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) if matches!(self.asker, Asker::Tcp(_)) => return Look::Failed,
                Ok((length, _)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    let message = match self.asker {
                        Asker::Udp(_) => Some(bytes.to_vec()),
                        Asker::Tcp(_) => {
                            self.received.extend_from_slice(bytes);
                            super::take_message(&mut self.received)
                        }
                    };
                    // Another's answer, or a late one, or none at all: we go on waiting.
                    if let Some(message) = message.filter(|message| self.is_answered_by(message)) {
                        return Look::Answer(message);
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOTCONN) => return Look::Nothing,
                Err(_) => return Look::Failed,
            }
        }
        // A server that never stops talking is not to keep us from others.
        Look::Nothing
    }

    /// The same number, and it is an answer.
    fn is_answered_by(&self, message: &[u8]) -> bool {
        message.len() >= 12 && message.get(..2) == self.question.get(..2) && message[2] & 0x80 != 0
    }
}
