//! Those who send datagrams to a published port. Each has a socket towards the container, so that its answers are told from those
//! for others.

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, ipproto};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// At once, for each port. One more, and whoever was silent for longest is forgotten.
const MOST: usize = 256;
const PATIENCE: Duration = Duration::from_secs(60);
/// Datagrams in one turn, before others are served.
const TURN: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Visitors {
    known: HashMap<SocketAddr, Visitor>,
}

#[derive(Debug)]
struct Visitor {
    socket: OwnedFd,
    last: Instant,
}

impl Visitors {
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn forget_the_silent(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, visitor| now < visitor.last + PATIENCE);
    }

    /// Copies what has come from either side. `wait_for` sees to it that answers are noticed.
    pub(super) fn serve(
        &mut self,
        port: &OwnedFd,
        target: SocketAddr,
        buffer: &mut [u8],
        wait_for: &dyn Fn(BorrowedFd<'_>) -> rustix::io::Result<()>,
    ) {
        for _ in 0..TURN {
            let Ok((count, _, from)) = rustix::net::recvfrom(port, &mut *buffer, RecvFlags::empty()) else { break };
            let Some(from) = from.and_then(|from: SocketAddrAny| SocketAddr::try_from(from).ok()) else { continue };
            let data = buffer.get(..count).unwrap_or_default();
            if let Some(visitor) = self.visitor(from, target, wait_for) {
                visitor.last = Instant::now();
                // What is not taken is lost, as datagrams are.
                let _lost = rustix::net::send(&visitor.socket, data, SendFlags::NOSIGNAL);
            }
        }
        for (address, visitor) in &mut self.known {
            visitor.answer(address, port, buffer);
        }
    }

    fn visitor(
        &mut self,
        from: SocketAddr,
        target: SocketAddr,
        wait_for: &dyn Fn(BorrowedFd<'_>) -> rustix::io::Result<()>,
    ) -> Option<&mut Visitor> {
        if !self.known.contains_key(&from) {
            if self.known.len() >= MOST {
                let silent = self.known.iter().min_by_key(|(_, visitor)| visitor.last).map(|(address, _)| *address);
                silent.iter().for_each(|silent| drop(self.known.remove(silent)));
            }
            let socket = connect(target).ok()?;
            wait_for(socket.as_fd()).ok()?;
            self.known.insert(from, Visitor { socket, last: Instant::now() });
        }
        self.known.get_mut(&from)
    }
}

impl Visitor {
    fn answer(&mut self, address: &SocketAddr, port: &OwnedFd, buffer: &mut [u8]) {
        for _ in 0..TURN {
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((count, _)) => {
                    self.last = Instant::now();
                    let data = buffer.get(..count).unwrap_or_default();
                    let _lost = rustix::net::sendto(port, data, SendFlags::NOSIGNAL, address);
                }
                // Nobody listens there: with datagrams, the visitor finds that out by silence.
                Err(Errno::CONNREFUSED | Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

fn connect(target: SocketAddr) -> rustix::io::Result<OwnedFd> {
    let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, Some(ipproto::UDP))?;
    rustix::net::connect(&socket, &target)?;
    Ok(socket)
}
