//! The addresses of one network: which are its own, and which a container may have.

use crate::{Error, Result, Subnet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A subnet, with what was said about it when the network was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub subnet: Subnet,
    /// The host's own address in it, which the containers send everything to that is for others.
    pub gateway: IpAddr,
    /// Where addresses are handed out from, if not from all of it.
    pub handed_out: Option<Subnet>,
    /// Addresses that belong to others (`--aux-address`).
    pub others: Vec<IpAddr>,
}

impl Range {
    /// Checks a subnet and what is said about it; the gateway is the first address, unless it is named.
    ///
    /// # Errors
    /// All complaints, in Docker's words, a line each.
    pub fn new(
        subnet: Subnet,
        gateway: Option<IpAddr>,
        handed_out: Option<Subnet>,
        others: Vec<IpAddr>,
    ) -> Result<Self> {
        let mut complaints = Vec::new();
        if subnet.masked() != subnet {
            complaints.push(format!("invalid subnet {subnet}: it should be {}", subnet.masked()));
        }
        if let Some(range) = handed_out {
            if range.is_ipv4() != subnet.is_ipv4() {
                let family = if subnet.is_ipv4() { 4 } else { 6 };
                complaints.push(format!("invalid ip-range {range}: parent subnet is an IPv{family} block"));
            } else {
                if range.length < subnet.length {
                    complaints.push(format!(
                        "invalid ip-range {range}: CIDR block is bigger than its parent subnet {subnet}"
                    ));
                }
                if range.masked() != range {
                    complaints.push(format!("invalid ip-range {range}: it should be {}", range.masked()));
                }
                if !subnet.overlaps(range) {
                    complaints
                        .push(format!("invalid ip-range {range}: parent subnet {subnet} doesn't contain ip-range"));
                }
            }
        }
        let outside = |address: &&IpAddr| !subnet.contains(**address);
        if let Some(gateway) = gateway.iter().find(outside) {
            complaints.push(format!("invalid gateway {gateway}: parent subnet {subnet} doesn't contain this address"));
        }
        if let Some(other) = others.iter().find(outside) {
            complaints.push(format!(
                "invalid auxiliary address {other}: parent subnet {subnet} doesn't contain this address"
            ));
        }
        if !complaints.is_empty() {
            return Err(Error::Invalid(format!("invalid network config:\n{}", complaints.join("\n"))));
        }
        // Of two addresses (a /31 of IPv4, RFC 3021) both may be used; of one there is none for a container.
        let first = if subnet.is_ipv4() && subnet.length >= 31 { 0 } else { 1 };
        Ok(Self { subnet, gateway: gateway.unwrap_or_else(|| subnet.at(first)), handed_out, others })
    }

    /// Whether a container may have this address at all.
    fn is_for_containers(&self, address: IpAddr) -> bool {
        let names_block = self.subnet.is_ipv4() && self.subnet.length < 31;
        let reserved = names_block && (address == self.subnet.at(0) || address == self.subnet.last());
        self.subnet.contains(address) && !reserved && address != self.gateway && !self.others.contains(&address)
    }

    /// The lowest address that a container may have and nobody has yet: that is what the next container gets.
    ///
    /// `taken` are the addresses that containers have. Besides those, some are not for containers at all:
    /// [`is_for_containers`](Self::is_for_containers) knows the gateway's, the ones that others have, and the two of IPv4 that stand
    /// for the network and for everybody in it. Of a subnet of IPv6 the first, `subnet.at(0)`, is not to be given either: it is any
    /// router's (RFC 4291, 2.6.1).
    ///
    /// The block that is handed out from is `self.handed_out` where there is one, and else the whole subnet; `block.at(n)` is its nth
    /// address, from 0, and `block.size()` how many there are, as `u128`. A `/64` of IPv6 has 18 446 744 073 709 551 616, so look at none
    /// behind the one that you give.
    ///
    /// # Errors
    /// [`Error::NoMoreAddresses`], with `version` 4 or 6.
    pub fn next(&self, taken: &BTreeSet<IpAddr>, network: &str) -> Result<IpAddr> {
        // exercise: 4.2 next: the lowest address that nobody has
        let block = self.handed_out.unwrap_or(self.subnet);
        let any_routers = |address: IpAddr| address.is_ipv6() && address == self.subnet.at(0);
        (0..block.size())
            .map(|n| block.at(n))
            .find(|&address| self.is_for_containers(address) && !any_routers(address) && !taken.contains(&address))
            .ok_or_else(|| Error::NoMoreAddresses {
                version: if self.subnet.is_ipv4() { 4 } else { 6 },
                network: network.to_owned(),
            })
        // end exercise
    }

    /// Whether a container may have this very address.
    ///
    /// # Errors
    /// [`Error::NotInSubnet`], [`Error::AddressInUse`].
    pub fn take(&self, wanted: IpAddr, taken: &BTreeSet<IpAddr>) -> Result<IpAddr> {
        if !self.subnet.contains(wanted) {
            return Err(Error::NotInSubnet(wanted));
        }
        if taken.contains(&wanted) || !self.is_for_containers(wanted) {
            return Err(Error::AddressInUse);
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(subnet: &str, gateway: Option<&str>, handed_out: Option<&str>, others: &[&str]) -> Result<Range> {
        Range::new(
            subnet.parse().unwrap(),
            gateway.map(|text| text.parse().unwrap()),
            handed_out.map(|text| text.parse().unwrap()),
            others.iter().map(|text| text.parse().unwrap()).collect(),
        )
    }

    fn all(range: &Range) -> Vec<String> {
        let mut taken = BTreeSet::new();
        while let Ok(address) = range.next(&taken, "net") {
            assert!(taken.insert(address));
        }
        taken.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_address_is_handed_out_once() {
        let small = range("10.0.0.0/29", None, None, &["10.0.0.4"]).unwrap();
        assert_eq!(small.gateway.to_string(), "10.0.0.1");
        assert_eq!(all(&small), ["10.0.0.2", "10.0.0.3", "10.0.0.5", "10.0.0.6"]);
        let part = range("10.0.0.0/24", Some("10.0.0.254"), Some("10.0.0.128/30"), &[]).unwrap();
        assert_eq!(all(&part), ["10.0.0.128", "10.0.0.129", "10.0.0.130", "10.0.0.131"]);
        assert_eq!(
            range("fd00::/64", None, None, &[]).unwrap().next(&BTreeSet::new(), "net").unwrap().to_string(),
            "fd00::2"
        );
        assert_eq!(all(&range("10.0.0.0/31", None, None, &[]).unwrap()), ["10.0.0.1"]);
        assert_eq!(all(&range("10.0.0.0/32", None, None, &[]).unwrap()), [""; 0]);
    }

    #[test]
    fn a_full_subnet_is_told_in_dockers_words() {
        let full = range("10.0.0.0/30", None, None, &[]).unwrap();
        let taken = BTreeSet::from(["10.0.0.2".parse().unwrap()]);
        let error = full.next(&taken, "web (0123)").unwrap_err().to_string();
        assert_eq!(error, "no available IPv4 addresses on this network's address pools: web (0123)");
    }

    #[test]
    fn a_wish_is_granted_if_it_is_free() {
        let range = range("10.0.0.0/24", None, Some("10.0.0.128/25"), &["10.0.0.9"]).unwrap();
        let taken = BTreeSet::from(["10.0.0.5".parse().unwrap()]);
        let wish = |text: &str| range.take(text.parse().unwrap(), &taken).map_err(|e| e.to_string());
        assert!(wish("10.0.0.6").is_ok(), "outside the range that addresses are handed out from");
        for refused in ["10.0.0.5", "10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.0.9"] {
            assert_eq!(wish(refused).unwrap_err(), "Address already in use", "{refused}");
        }
        assert_eq!(wish("10.0.1.1").unwrap_err(), "no configured subnet contains IP address 10.0.1.1");
    }

    #[test]
    fn complaints_come_all_at_once() {
        let error = range("10.0.0.1/24", Some("10.1.0.1"), Some("10.2.0.0/16"), &[]).unwrap_err().to_string();
        insta::assert_snapshot!(error, @r"
        invalid network config:
        invalid subnet 10.0.0.1/24: it should be 10.0.0.0/24
        invalid ip-range 10.2.0.0/16: CIDR block is bigger than its parent subnet 10.0.0.1/24
        invalid ip-range 10.2.0.0/16: parent subnet 10.0.0.1/24 doesn't contain ip-range
        invalid gateway 10.1.0.1: parent subnet 10.0.0.1/24 doesn't contain this address
        ");
    }
}
