//! Where a registry's API is: of the name in a reference, the addresses to try, one after the other.

use crate::credentials::host_of;
use crate::settings::Settings;
use crate::{HUB, HUB_API};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

/// One address of a registry, or of a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://registry-1.docker.io`, without a slash at its end. What follows is `/v2/…`.
    pub base: String,
    /// Whether its certificate has to be good.
    pub verify: bool,
    /// It has what another one has, perhaps.
    pub mirror: bool,
}

impl Settings {
    /// The addresses to try for the registry that a reference names, one after the other. `domain` is that name: `docker.io`,
    /// `ghcr.io`, `localhost:5000`.
    ///
    /// * `docker.io` ([`HUB`]) is Docker Hub, which has its API on a host of its own, [`HUB_API`]. The mirrors come before it, in the
    ///   order of `self.mirrors` (`registry-mirrors` in daemon.json). They are Docker Hub's alone. [`Settings::endpoint`] makes an
    ///   endpoint of a mirror's address, in which only `mirror` is yet to be set.
    /// * Every other registry is where its name says: `https://` and the domain, and its certificate has to be good (`verify`).
    /// * One that may be insecure (`is_insecure`, below: it is on this machine, or listed in `insecure-registries`) is asked by
    ///   HTTPS first all the same, with whatever certificate, and then by plain `http://`.
    #[must_use]
    pub fn endpoints(&self, domain: &str) -> Vec<Endpoint> {
        // exercise: 6.1 endpoints: mirrors, HTTPS, and plain HTTP where it may be
        todo!("exercise 6.1, endpoints: mirrors, HTTPS, and plain HTTP where it may be")
        // end exercise
    }

    /// A registry at this address, as somebody wrote it.
    pub(crate) fn endpoint(&self, address: &str) -> Endpoint {
        let base = address.trim_end_matches('/').to_owned();
        let verify = !self.is_insecure(host_of(&base));
        Endpoint { base, verify, mirror: false }
    }

    /// Whether this `host` or `host:port` is one of this machine, or was said to be insecure, by name or by its
    /// address.
    fn is_insecure(&self, host: &str) -> bool {
        let (name, port) = split_port(host);
        if self.insecure.iter().any(|entry| entry == host || entry == name) {
            return true;
        }
        let addresses: Vec<IpAddr> = match name.trim_matches(['[', ']']).parse() {
            Ok(address) => vec![address],
            // A name may mean this machine, too. Who has no address is not reached in any case.
            Err(_) if name == "localhost" => vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            Err(_) if self.insecure.iter().any(|entry| entry.contains('/')) || is_bare(name) => {
                let found = (name, port.unwrap_or(443)).to_socket_addrs();
                found.map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
            }
            Err(_) => Vec::new(),
        };
        let within = |address: &IpAddr| is_loopback(address) || self.insecure.iter().any(|net| contains(net, address));
        addresses.iter().any(within)
    }
}

/// A name as `/etc/hosts` has them; one with a dot is a host's elsewhere.
fn is_bare(name: &str) -> bool {
    !name.contains('.')
}

fn is_loopback(address: &IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// `host:5000` → `host`, 5000.
fn split_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, None),
    }
}

/// Whether an address is in a network, such as `10.0.0.0/8`.
fn contains(network: &str, address: &IpAddr) -> bool {
    let Some((base, length)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            Ipv4Addr::to_bits(base) & mask == Ipv4Addr::to_bits(*address) & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            Ipv6Addr::to_bits(base) & mask == Ipv6Addr::to_bits(*address) & mask
        }
        _ => false,
    }
}
