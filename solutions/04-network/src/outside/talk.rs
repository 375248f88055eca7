//! What is no connection: datagrams, and pings. For each pair of a container's port and a port of the world there is a socket of the
//! host's that remembers whom the answers are for, until nobody has said anything for a while.

use super::packet::{Datagram, Echo, Flow, UDP, quote_of, unreachable};
use super::wire::Wire;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// For how long an answer may be awaited. A question for a name is answered once.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_FOR_NAMES: Duration = Duration::from_secs(10);
/// Datagrams in one turn, before others are served.
const TURN: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Datagrams,
    Pings,
}

#[derive(Debug)]
pub(super) struct Talk {
    pub flow: Flow,
    pub kind: Kind,
    socket: OwnedFd,
    pub last: Instant,
}

impl Talk {
    /// # Errors
    /// `ACCESS` for pings where users may not (icmp(7), ping_group_range), and others of socket(2) and connect(2).
    pub(super) fn begin(flow: Flow, kind: Kind, place: SocketAddr) -> rustix::io::Result<Self> {
        let family = if place.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let protocol = match kind {
            Kind::Datagrams => ipproto::UDP,
            Kind::Pings => ipproto::ICMP,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, Some(protocol))?;
        rustix::net::connect(&socket, &place)?;
        Ok(Self { flow, kind, socket, last: Instant::now() })
    }

    pub(super) fn patience(&self) -> Duration {
        if self.flow.outer.port() == 53 { PATIENCE_FOR_NAMES } else { PATIENCE }
    }

    pub(super) fn pass_on(&mut self, datagram: &Datagram<'_>, wire: &mut Wire) {
        self.say(datagram.payload, wire);
    }

    pub(super) fn pass_ping(&mut self, echo: &Echo<'_>, wire: &mut Wire) {
        self.say(echo.message, wire);
    }

    fn say(&mut self, bytes: &[u8], wire: &mut Wire) {
        self.last = Instant::now();
        match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            // What an earlier one brought back; this one was not sent.
            Err(errno @ Errno::CONNREFUSED) => {
                self.tell(errno, wire);
                let _lost = rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL);
            }
            Err(errno) => self.tell(errno, wire),
            Ok(_) => {}
        }
    }

    /// Passes back what has come.
    pub(super) fn pass_back(&mut self, wire: &mut Wire) {
        for _ in 0..TURN {
            let mut buffer = std::mem::take(&mut wire.buffer);
            let come = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty());
            match come {
                Ok((count, _)) => {
                    self.last = Instant::now();
                    let bytes = &buffer[..count];
                    match self.kind {
                        Kind::Datagrams => wire.datagram(&self.flow, bytes),
                        Kind::Pings => wire.echo_reply(&self.flow, bytes),
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => self.tell(errno, wire),
            }
            wire.buffer = buffer;
            if come.is_err() {
                return;
            }
        }
    }

    fn tell(&self, errno: Errno, wire: &mut Wire) {
        let code = match errno {
            Errno::CONNREFUSED => unreachable::PORT,
            Errno::HOSTUNREACH | Errno::NETUNREACH => unreachable::HOST,
            Errno::ACCESS | Errno::PERM => unreachable::PROHIBITED,
            _ => return,
        };
        if self.kind == Kind::Datagrams {
            wire.unreachable_for(*self.flow.inner.ip(), code, &quote_of(&self.flow, UDP, 8 << 16));
        }
    }
}

impl AsFd for Talk {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
