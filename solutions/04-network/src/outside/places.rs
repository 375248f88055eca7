//! Where an address leads to that a container has asked for.

use crate::Subnet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

// 192.0.0.0/29 is for hosts that make IPv4 for themselves (RFC 7335): it is nobody's address in any network.
/// The host, as containers reach it. (Its other addresses lead there, too.)
pub const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 1);
/// The host's first name servers, wherever they are: on its own loopback, too.
pub const NAME_SERVERS: [Ipv4Addr; 3] =
    [Ipv4Addr::new(192, 0, 0, 2), Ipv4Addr::new(192, 0, 0, 3), Ipv4Addr::new(192, 0, 0, 4)];
/// This end of the link.
pub(super) const INSIDE: Subnet = Subnet::v4(192, 0, 0, 6, 29);

/// What is to be connected to by the host. None for what is nobody's, or not for containers: the host's own loopback above all.
pub(super) fn place(asked: SocketAddrV4) -> Option<SocketAddr> {
    let address = *asked.ip();
    if address == HOST {
        return Some(SocketAddr::new(own_address()?.into(), asked.port()));
    }
    if let Some(index) = NAME_SERVERS.iter().position(|server| *server == address) {
        let server = name_servers().get(index).copied().filter(|_| asked.port() == 53)?;
        return Some(SocketAddr::new(server, 53));
    }
    let first = address.octets()[0];
    let nobodys = first == 0 || first >= 224 || address.is_loopback() || INSIDE.contains(address.into());
    (!nobodys && asked.port() != 0).then_some(asked.into())
}

/// The servers of resolv.conf(5), as far as the resolvers of containers would ask them.
pub(super) fn name_servers() -> Vec<IpAddr> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok());
    servers.take(NAME_SERVERS.len()).collect()
}

/// An address of the host that others reach it by: the one it would speak from, else any that is not its loopback's.
fn own_address() -> Option<Ipv4Addr> {
    let speaks_from = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        // Nothing is sent by this; it only looks up the route.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 53)).ok()?;
        match socket.local_addr().ok()?.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    };
    let outward = |address: &Ipv4Addr| !address.is_loopback() && !address.is_unspecified();
    speaks_from().filter(outward).or_else(|| local_addresses().into_iter().find(outward))
}

/// Out of the kernel's table of routes: an address, and in a line below what it is.
fn local_addresses() -> Vec<Ipv4Addr> {
    let text = fs::read_to_string("/proc/thread-self/net/fib_trie").unwrap_or_default();
    let mut last: Option<Ipv4Addr> = None;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line == "/32 host LOCAL" {
            found.extend(last);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_of_the_host_is_not_for_containers() {
        let place = |text: &str| place(text.parse().unwrap()).map(|place| place.to_string());
        for nobodys in
            ["127.0.0.1:80", "127.9.9.9:80", "0.0.0.0:80", "0.1.2.3:80", "224.0.0.1:80", "255.255.255.255:80"]
        {
            assert_eq!(place(nobodys), None, "{nobodys}");
        }
        for nobodys in ["192.0.0.6:80", "192.0.0.5:80", "192.0.0.2:80", "198.51.100.1:0"] {
            assert_eq!(place(nobodys), None, "{nobodys}");
        }
        assert_eq!(place("198.51.100.1:80").as_deref(), Some("198.51.100.1:80"));
    }
}
