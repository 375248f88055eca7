//! Where a network gets its subnet from, when nobody names one: Docker's pools, less what is in use.

use crate::{Error, Result, Subnet};
use std::net::{IpAddr, Ipv6Addr};

/// Docker's predefined pools for IPv4: sixteen bits each, as far as private addresses go, and then smaller ones.
fn predefined() -> impl Iterator<Item = Subnet> {
    let large = (17..=31).map(|second| Subnet::v4(172, second, 0, 0, 16));
    let small = (0..16).map(|n| Subnet::v4(192, 168, n * 16, 0, 20));
    large.chain(small)
}

/// The first predefined subnet that overlaps none of those in use: neither another network nor a route of the host. (Else the
/// host, or a container, could no longer reach whoever lives there.)
///
/// # Errors
/// [`Error::NoMoreSubnets`].
pub fn choose(in_use: &[Subnet]) -> Result<Subnet> {
    let free = |pool: &Subnet| !in_use.iter().any(|used| used.overlaps(*pool));
    predefined().find(free).ok_or(Error::NoMoreSubnets)
}

/// A subnet of IPv6 for one host's private use, made of 40 bits that nobody else is likely to choose (RFC 4193).
///
/// # Errors
/// [`Error::NoMoreSubnets`].
pub fn choose_v6(global_id: u64, in_use: &[Subnet]) -> Result<Subnet> {
    let pool = |n: u128| {
        let address = (0xfd_u128 << 120) | (u128::from(global_id & 0xff_ffff_ffff) << 80) | (n << 64);
        Subnet { address: IpAddr::V6(Ipv6Addr::from_bits(address)), length: 64 }
    };
    let free = |pool: &Subnet| !in_use.iter().any(|used| used.overlaps(*pool));
    (0..0x10000).map(pool).find(free).ok_or(Error::NoMoreSubnets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pool_that_nobody_uses() {
        assert_eq!(choose(&[]).unwrap().to_string(), "172.17.0.0/16");
        let used: Vec<Subnet> = ["172.17.0.0/16", "172.18.9.0/24"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(choose(&used).unwrap().to_string(), "172.19.0.0/16");
        let private = ["172.16.0.0/12".parse().unwrap()];
        assert_eq!(choose(&private).unwrap().to_string(), "192.168.0.0/20");
    }

    #[test]
    fn all_pools_can_be_in_use() {
        let mut used = Vec::new();
        while let Ok(pool) = choose(&used) {
            used.push(pool);
        }
        assert_eq!(used.len(), 31);
        assert_eq!(choose(&used).unwrap_err().to_string(), "all predefined address pools have been fully subnetted");
    }

    #[test]
    fn private_subnets_of_ipv6() {
        let first = choose_v6(0x12_3456_789a, &[]).unwrap();
        assert_eq!(first.to_string(), "fd12:3456:789a::/64");
        assert_eq!(choose_v6(0x12_3456_789a, &[first]).unwrap().to_string(), "fd12:3456:789a:1::/64");
    }
}
