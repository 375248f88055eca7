//! A socket to the kernel. It stays in the network namespace in which it was made, wherever its maker goes (netlink(7)): a
//! container's links are set up from outside through one that was made inside.

use super::message::{HEADER, Message, flags};
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::os::fd::OwnedFd;
use std::time::Duration;

const ERROR: u16 = 2;
const DONE: u16 = 3;

/// The kernel answers within the call. Should it ever not, an error is better than a container that never starts.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which part of the kernel is spoken to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Family {
    /// Links, addresses, routes: rtnetlink(7).
    Route,
    /// The packet filter: nf_tables.
    Netfilter,
}

#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    sequence: u32,
}

impl Socket {
    /// A socket in the network namespace of this thread.
    pub(crate) fn open(family: Family) -> rustix::io::Result<Self> {
        let protocol = match family {
            // Protocol 0, which needs no name.
            Family::Route => None,
            Family::Netfilter => Some(netlink::NETFILTER),
        };
        let flags = SocketFlags::CLOEXEC;
        let fd = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        rustix::net::bind(&fd, &SocketAddrNetlink::new(0, 0))?;
        sockopt::set_socket_timeout(&fd, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { fd, sequence: 0 })
    }

    /// Sends all messages as one datagram, each to be acknowledged; the kernel works them off in order. The first error,
    /// with the number of the message it is about.
    pub(crate) fn execute(&mut self, messages: Vec<Message>) -> Result<(), (usize, Errno)> {
        let first = self.sequence + 1;
        let count = messages.len() as u32;
        let mut datagram = Vec::new();
        for message in messages {
            self.sequence += 1;
            datagram.extend(message.finish(self.sequence, flags::ACK));
        }
        self.send(&datagram).map_err(|errno| (0, errno))?;
        let mut failed = None;
        for answer in 0..count {
            let (sequence, outcome) = self.acknowledgement().map_err(|errno| (answer as usize, errno))?;
            if let Err(errno) = outcome {
                failed.get_or_insert((sequence.saturating_sub(first) as usize, errno));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Sends messages between the two that begin and end a transaction: all of them hold, or none.
    pub(crate) fn transact(&mut self, begin: Message, messages: Vec<Message>, end: Message) -> Result<(), Errno> {
        let first = self.sequence + 1;
        let last = first + messages.len() as u32;
        let mut datagram = begin.finish(first, 0);
        for (number, message) in (first + 1..).zip(messages) {
            datagram.extend(message.finish(number, if number == last { flags::ACK } else { 0 }));
        }
        datagram.extend(end.finish(last + 1, 0));
        self.sequence = last + 1;
        self.send(&datagram)?;
        let mut failed = None;
        loop {
            let (sequence, outcome) = self.acknowledgement()?;
            failed = failed.or(outcome.err());
            // The last message is acknowledged last; an error about the beginning is about everything.
            if sequence == last || sequence <= first {
                return failed.map_or(Ok(()), Err);
            }
        }
    }

    /// Asks, and collects what the kernel answers: one message, or with `DUMP` any number of them.
    pub(crate) fn ask(&mut self, message: Message) -> rustix::io::Result<Vec<Message>> {
        self.sequence += 1;
        let bytes = message.finish(self.sequence, 0);
        let dump = u16::from_ne_bytes([bytes[6], bytes[7]]) & flags::DUMP == flags::DUMP;
        self.send(&bytes)?;
        let mut answers = Vec::new();
        loop {
            for message in self.receive()? {
                match message.kind() {
                    _ if message.sequence() != self.sequence => {}
                    DONE => return Ok(answers),
                    ERROR => return error_of(&message).map(|()| answers),
                    _ => answers.push(message),
                }
            }
            if !dump && !answers.is_empty() {
                return Ok(answers);
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> rustix::io::Result<()> {
        rustix::io::retry_on_intr(|| rustix::net::send(&self.fd, bytes, SendFlags::empty())).map(drop)
    }

    /// The next acknowledgement: which message, and how it went.
    fn acknowledgement(&mut self) -> rustix::io::Result<(u32, rustix::io::Result<()>)> {
        loop {
            // Each comes in a datagram of its own.
            for message in self.receive()? {
                if message.kind() == ERROR {
                    return Ok((message.sequence(), error_of(&message)));
                }
            }
        }
    }

    fn receive(&mut self) -> rustix::io::Result<Vec<Message>> {
        let mut buffer = vec![0; 64 << 10];
        let (count, _) =
            rustix::io::retry_on_intr(|| rustix::net::recv(&self.fd, &mut buffer[..], RecvFlags::empty()))?;
        let mut rest = buffer.get(..count).unwrap_or_default();
        let mut messages = Vec::new();
        while let Some(length) = rest.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes) as usize) {
            let Some(bytes) = rest.get(..length).filter(|bytes| bytes.len() >= HEADER) else { break };
            messages.push(Message::received(bytes));
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(messages)
    }
}

/// `struct nlmsgerr`: a negative error number, 0 for success.
fn error_of(message: &Message) -> rustix::io::Result<()> {
    let code = message.body().first_chunk::<4>().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    if code == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(-code)) }
}
