//! A visitor's connection, and the one to the container: what one says is copied to the other, both ways, until both have ended.

use crate::{Error, Result};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, ipproto, sockopt};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Reads in one turn of a connection, before others are served.
const TURNS: usize = 8;

#[derive(Debug)]
pub(super) struct Stream {
    visitor: OwnedFd,
    container: OwnedFd,
    connected: bool,
    inward: Pipe,
    outward: Pipe,
}

/// One direction: what was read and not yet taken, and whether that was all.
#[derive(Debug, Default)]
struct Pipe {
    held: Vec<u8>,
    end: bool,
    end_passed: bool,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Until an event comes.
    Waits,
    /// There is more to do.
    Busy,
    Over,
}

/// One side has broken off.
struct Broken;

impl Stream {
    pub(super) fn begin(visitor: OwnedFd, target: SocketAddr) -> Result<Self> {
        let failed = || Error::kernel(format!("connect to {target}"));
        let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let container =
            rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP)).map_err(failed())?;
        for socket in [&visitor, &container] {
            // Each side has its own rule for how long small pieces wait.
            sockopt::set_tcp_nodelay(socket, true).map_err(failed())?;
        }
        match rustix::net::connect(&container, &target) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return Err(failed()(errno)),
        }
        Ok(Self { visitor, container, connected: false, inward: Pipe::default(), outward: Pipe::default() })
    }

    /// Edge-triggered: we are told once, and must remember whether we are done with it.
    pub(super) fn register(&self, epoll: &OwnedFd, number: u64) -> rustix::io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(epoll, &self.visitor, EventData::new_u64(number), flags)?;
        epoll::add(epoll, &self.container, EventData::new_u64(number + 1), flags)
    }

    /// Copies what can be copied, but for one turn only.
    pub(super) fn serve(&mut self, buffer: &mut [u8]) -> Turn {
        if !self.connected {
            match rustix::net::getpeername(&self.container) {
                Ok(_) => self.connected = true,
                Err(_) => match sockopt::socket_error(&self.container) {
                    Ok(Ok(())) => return Turn::Waits,
                    // Nobody listens there.
                    _ => return self.broken(),
                },
            }
        }
        let inward = self.inward.copy(&self.visitor, &self.container, buffer);
        let outward = self.outward.copy(&self.container, &self.visitor, buffer);
        match (inward, outward) {
            (Ok(_), Ok(_)) if self.inward.end_passed && self.outward.end_passed => Turn::Over,
            (Ok(Turn::Busy), Ok(_)) | (Ok(_), Ok(Turn::Busy)) => Turn::Busy,
            (Ok(_), Ok(_)) => Turn::Waits,
            _ => self.broken(),
        }
    }

    /// Both are to know that this was no proper end (socket(7), SO_LINGER).
    fn broken(&self) -> Turn {
        for socket in [&self.visitor, &self.container] {
            let _told = sockopt::set_socket_linger(socket, Some(Duration::ZERO));
        }
        Turn::Over
    }
}

impl Pipe {
    fn copy(&mut self, from: &OwnedFd, to: &OwnedFd, buffer: &mut [u8]) -> std::result::Result<Turn, Broken> {
        for _ in 0..TURNS {
            if !self.held.is_empty() {
                let written = write(to, &self.held)?;
                self.held.drain(..written);
                if !self.held.is_empty() {
                    return Ok(Turn::Waits);
                }
                self.held = Vec::new();
            }
            if self.end {
                if !std::mem::replace(&mut self.end_passed, true) {
                    // It may be reset already, which reading tells.
                    let _told = rustix::net::shutdown(to, Shutdown::Write);
                }
                return Ok(Turn::Waits);
            }
            match rustix::net::recv(from, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => self.end = true,
                Ok((count, _)) => {
                    let data = buffer.get(..count).unwrap_or_default();
                    let written = write(to, data)?;
                    self.held.extend_from_slice(data.get(written..).unwrap_or_default());
                }
                Err(Errno::AGAIN) => return Ok(Turn::Waits),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Broken),
            }
        }
        Ok(Turn::Busy)
    }
}

/// How much it took.
fn write(to: &OwnedFd, data: &[u8]) -> std::result::Result<usize, Broken> {
    let mut written = 0;
    while let Some(rest) = data.get(written..).filter(|rest| !rest.is_empty()) {
        match rustix::net::send(to, rest, SendFlags::NOSIGNAL) {
            Ok(count) => written += count,
            Err(Errno::AGAIN) => break,
            Err(Errno::INTR) => {}
            Err(_) => return Err(Broken),
        }
    }
    Ok(written)
}
