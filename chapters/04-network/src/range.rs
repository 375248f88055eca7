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
        todo!("exercise 4.2, next: the lowest address that nobody has")
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
