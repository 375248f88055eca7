//! A published port of the host is bound and listened on, by whoever serves the container: so nobody else can have it, and a port
//! that somebody has is found out before there is a container. Packets are sent on before they reach these sockets; what
//! reaches them all the same (by IPv6 to a container that has none) is accepted and copied: see `proxy`.

use crate::{Error, Protocol, Result, ports};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

/// The ports that are given to those who name none: the kernel's own range for that.
const ANY: (u16, u16) = (32768, 60999);

/// A port of the host that is ours.
#[derive(Debug)]
pub struct Reserved {
    pub protocol: Protocol,
    pub address: SocketAddr,
    pub socket: OwnedFd,
}

/// Reserves one port on all these addresses: the named one, the first free of a range (`8000-8009`), or any (`""`), at
/// random.
///
/// # Errors
/// [`Error::PortAllocated`], and others of bind(2).
pub fn reserve(protocol: Protocol, addresses: &[IpAddr], port: &str, random: u16) -> Result<Vec<Reserved>> {
    let (first, last) = match port {
        "" | "0" => ANY,
        port => ports::parse_range(port).ok_or_else(|| Error::Invalid(format!("invalid hostPort: {port}")))?,
    };
    let count = u32::from(last - first) + 1;
    let start = if (first, last) == ANY { u32::from(random) % count } else { 0 };
    let mut refusal = None;
    for n in 0..count {
        let port = first + ((start + n) % count) as u16;
        match reserve_all(protocol, addresses, port) {
            Err(error @ (Error::PortAllocated { .. } | Error::Bind { .. })) => refusal = refusal.or(Some(error)),
            outcome => return outcome,
        }
    }
    Err(refusal.unwrap_or_else(|| Error::Invalid(format!("invalid hostPort: {port}"))))
}

fn reserve_all(protocol: Protocol, addresses: &[IpAddr], port: u16) -> Result<Vec<Reserved>> {
    addresses.iter().map(|address| bind(protocol, SocketAddr::new(*address, port))).collect()
}

fn bind(protocol: Protocol, address: SocketAddr) -> Result<Reserved> {
    let refused = |errno| match errno {
        Errno::ADDRINUSE => Error::PortAllocated { address: address.ip().to_string(), port: address.port() },
        Errno::ACCESS if address.port() < 1024 => Error::Privileged { port: address.port() },
        errno => {
            Error::Bind { address: address.ip().to_string(), port: address.port(), protocol: protocol.as_str(), errno }
        }
    };
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let (kind, number) = match protocol {
        Protocol::Tcp => (SocketType::STREAM, rustix::net::ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, rustix::net::ipproto::UDP),
        Protocol::Sctp => (SocketType::STREAM, rustix::net::ipproto::SCTP),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, kind, flags, Some(number)).map_err(refused)?;
    if address.is_ipv6() {
        // [::] is not to take 0.0.0.0 along.
        sockopt::set_ipv6_v6only(&socket, true).map_err(refused)?;
    }
    if protocol == Protocol::Tcp {
        // A port on which connections of yesterday are still dying is free. (One that somebody listens on is not.)
        sockopt::set_socket_reuseaddr(&socket, true).map_err(refused)?;
    }
    rustix::net::bind(&socket, &address).map_err(refused)?;
    if protocol != Protocol::Udp {
        rustix::net::listen(&socket, 128).map_err(refused)?;
    }
    Ok(Reserved { protocol, address, socket })
}

/// The addresses that a host address of `-p` stands for: none named is all of IPv4, and of IPv6 where the host has that.
///
/// # Errors
/// It is no address.
pub fn addresses(host_address: &str) -> Result<Vec<IpAddr>> {
    if !host_address.is_empty() {
        let invalid = |_| Error::Invalid(format!("invalid IP address: {host_address}"));
        return Ok(vec![host_address.parse().map_err(invalid)?]);
    }
    let ipv6 = std::path::Path::new("/proc/net/if_inet6").exists();
    let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    Ok(all.into_iter().take(if ipv6 { 2 } else { 1 }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_port_in_use_is_refused_in_dockers_words() {
        let taken = std::net::TcpListener::bind((LOCAL, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = reserve(Protocol::Tcp, &[LOCAL], &port.to_string(), 0).unwrap_err().to_string();
        assert_eq!(error, format!("Bind for 127.0.0.1:{port} failed: port is already allocated"));
        reserve(Protocol::Udp, &[LOCAL], &port.to_string(), 0).unwrap();
    }

    #[test]
    fn of_a_range_the_first_that_is_free_and_of_all_any() {
        let taken = reserve(Protocol::Tcp, &[LOCAL], "", 4711).unwrap();
        let port = taken[0].address.port();
        assert_eq!(port, 32768 + 4711);
        let next = reserve(Protocol::Tcp, &[LOCAL], &format!("{port}-{}", port + 5), 0).unwrap();
        assert!(next[0].address.port() > port);
        assert_ne!(reserve(Protocol::Tcp, &[LOCAL], "", 4711).unwrap()[0].address.port(), port);
        drop(taken);
        reserve(Protocol::Tcp, &[LOCAL], &port.to_string(), 0).unwrap();
    }
}
