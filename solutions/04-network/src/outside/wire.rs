//! The link to the containers' network: a tun device (Documentation/networking/tuntap.rst), of which every read is a packet, and
//! every write.

use super::packet::{self, Flow, Says, Writer, quote_of, unreachable};
use super::places;
use crate::{Error, Links, Result, sys};
use std::fs::File;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// As long as a packet can be: nothing need be cut into pieces on its way to us.
pub const MTU: u32 = 65520;
/// The device, as `ip link` shows it in the containers' network.
const NAME: &str = "outside";

/// Makes the link in this thread's network namespace, with the way to everybody who is not there. It lasts as long as the
/// descriptor.
///
/// # Errors
/// There is no /dev/net/tun, or the kernel refuses.
pub fn open_link() -> Result<OwnedFd> {
    tracing::info!(target: "explain", man = "tun(4)", shell = format!("ip tuntap add {NAME} mode tun; ip route add default via {}", places::HOST),
        "a link of which we are the other end: what containers send to the world comes to us as packets");
    let path = "/dev/net/tun";
    let file = File::options().read(true).write(true).open(path);
    let file = file.map_err(Error::file(format!("open {path}")))?;
    sys::become_tun(&file, NAME).map_err(Error::kernel("make a tun device"))?;
    rustix::io::ioctl_fionbio(&file, true).map_err(Error::kernel("make a tun device"))?;
    let mut links = Links::open()?;
    links.set_mtu(NAME, MTU)?;
    links.set_up(NAME, &[places::INSIDE], &[places::HOST.into()])?;
    Ok(file.into())
}

/// Our end of it.
#[derive(Debug)]
pub(super) struct Wire {
    tun: File,
    writer: Writer,
    /// For whoever reads something.
    pub buffer: Box<[u8]>,
    pub mtu: usize,
    /// How much a connection may hold for each side.
    pub room: usize,
}

impl Wire {
    pub(super) fn new(tun: OwnedFd, room: usize) -> Self {
        let buffer = vec![0; 1 << 17].into();
        Self { tun: tun.into(), writer: Writer::default(), buffer, mtu: MTU as usize, room }
    }

    /// The next packet. None when there is none, or the device is gone.
    pub(super) fn read(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.tun.read(packet).ok().filter(|count| *count > 0)
    }

    pub(super) fn segment(&mut self, flow: &Flow, says: &Says, data: (&[u8], &[u8])) {
        let bytes = self.writer.segment(flow, says, data);
        // What gets lost is sent again.
        let _lost = self.tun.write(bytes);
    }

    pub(super) fn datagram(&mut self, flow: &Flow, payload: &[u8]) {
        // What gets lost is lost, as datagrams are.
        let _lost = self.tun.write(self.writer.datagram(flow, payload));
    }

    pub(super) fn echo_reply(&mut self, flow: &Flow, message: &[u8]) {
        let _lost = self.tun.write(self.writer.echo_reply(flow, message));
    }

    /// The connection that began with this SYN gets nowhere.
    pub(super) fn unreachable(&mut self, flow: &Flow, sequence: u32) {
        self.unreachable_for(*flow.inner.ip(), unreachable::HOST, &quote_of(flow, packet::TCP, sequence));
    }

    /// The packet that began like this gets nowhere.
    pub(super) fn unreachable_for(&mut self, to: Ipv4Addr, code: u8, quote: &[u8]) {
        let _lost = self.tun.write(self.writer.unreachable(places::HOST, to, code, quote));
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tun.as_fd()
    }
}
