//! A published port: an entry in a map of the packet filter.

use crate::Protocol;
use crate::links::octets;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A published port: who sends to the port of the host is sent on to the container's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    pub protocol: Protocol,
    /// Unspecified (`0.0.0.0`, `::`) is all addresses of the host.
    pub host: IpAddr,
    pub host_port: u16,
    pub container: IpAddr,
    pub container_port: u16,
}

/// An entry: in which map, by which key a packet finds it, and to where it is then sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub map: &'static str,
    pub key: Vec<u8>,
    pub data: Vec<u8>,
}

/// What is written into the packet filter's maps, so that a port is published.
///
/// For each new connection to an address of this host, the filter makes a key of what the packet says, and looks it up. What it finds
/// is the address and the port that the packet is sent on to, instead (DNAT). There is a map for the ports that are published at one
/// address of the host only, which is asked first, and one for those that are published at all of them (then `host` is
/// unspecified: `is_unspecified()`). Each once more for IPv6, since its addresses are longer; the container's address decides which:
///
/// ```text
///                            IPv4         IPv6         key                                       data
///   at one address           ports4_at    ports6_at    host's address, protocol, host's port     container's address, container's port
///   at all addresses         ports4       ports6                       protocol, host's port     the same
/// ```
///
/// All as bytes, side by side, and each part begins at a multiple of four: an address has 4 or 16 bytes ([`octets`]); the protocol is
/// `protocol.number()` and three zeros; a port its two bytes in the order of the network, the larger first (`to_be_bytes()`), and two zeros.
/// (`[a, b].concat()` makes one `Vec<u8>` of several slices.)
pub fn entry(publication: &Publication) -> Entry {
    // exercise: 4.5 entry: what a packet for a published port is looked up by
    let port = |port: u16| [port.to_be_bytes(), [0, 0]].concat();
    let by_port = [vec![publication.protocol.number(), 0, 0, 0], port(publication.host_port)].concat();
    let by_address = || [octets(publication.host), by_port.clone()].concat();
    let data = [octets(publication.container), port(publication.container_port)].concat();
    let (map, key) = match (publication.host.is_unspecified(), publication.container.is_ipv4()) {
        (true, true) => ("ports4", by_port),
        (true, false) => ("ports6", by_port),
        (false, true) => ("ports4_at", by_address()),
        (false, false) => ("ports6_at", by_address()),
    };
    Entry { map, key, data }
    // end exercise
}

impl Publication {
    /// The entry as it is typed to `nft`.
    pub(super) fn typed(&self) -> String {
        let kind = if self.container.is_ipv4() { "ports4" } else { "ports6" };
        let at = if self.host.is_unspecified() { String::new() } else { format!("{} . ", self.host) };
        let Self { protocol, host_port, container, container_port, .. } = self;
        let map = if at.is_empty() { kind.to_owned() } else { format!("{kind}_at") };
        format!("{map} {{ {at}{protocol} . {host_port} : {container} . {container_port} }}")
    }
}

impl fmt::Display for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |address, port| SocketAddr::new(address, port);
        let (host, container) = (at(self.host, self.host_port), at(self.container, self.container_port));
        write!(f, "{host} -> {container}/{}", self.protocol)
    }
}
