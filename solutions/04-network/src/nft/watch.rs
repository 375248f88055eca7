//! Others come and go while our containers run: Docker starts and drops what it does not know, a firewall is loaded anew and has
//! forgotten us. The kernel tells who listens (the group NFNLGRP_NFTABLES), so room is made again when that happens.

use crate::{Error, Result, sys};
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// NFNLGRP_NFTABLES, as a bit.
const GROUP: u32 = 1 << 6;
/// NFT_MSG_NEWTABLE, _DELTABLE, _NEWCHAIN, _DELCHAIN and _DELRULE of linux/netfilter/nf_tables.h. What is most often changed
/// by ourselves, elements of our own maps, is not among them: no shim wakes up because another container starts.
const OF_INTEREST: [u8; 5] = [0, 2, 3, 5, 8];
const SUBSYSTEM: u8 = 10;

/// Hears of tables, chains and rules that come and go.
#[derive(Debug)]
pub struct Watch {
    socket: OwnedFd,
}

impl Watch {
    /// In this thread's network namespace.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open() -> Result<Self> {
        let failed = || Error::kernel("listen to changes of the packet filter");
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(netlink::NETFILTER));
        let socket = socket.map_err(failed())?;
        sys::only_messages(socket.as_fd(), SUBSYSTEM, &OF_INTEREST).map_err(failed())?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, GROUP)).map_err(failed())?;
        Ok(Self { socket })
    }

    /// Whether anything has changed since it was last asked.
    pub fn has_heard(&self) -> bool {
        let (mut heard, mut buffer) = (false, [0; 4096]);
        loop {
            match rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::TRUNC) {
                // More than there was room for: something was, at any rate.
                Ok(_) | Err(Errno::NOBUFS) => heard = true,
                Err(Errno::INTR) => {}
                Err(_) => return heard,
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
