//! Subnets: an address and how many of its leading bits they all share (RFC 4632).

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses, `172.17.0.0/16` or `fd00::/64`. The bits behind the prefix may be set: then it is also the place of one
/// address in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    /// Any address of it.
    pub address: IpAddr,
    /// How many bits all of them share.
    pub length: u8,
}

impl Subnet {
    /// A block of IPv4.
    pub const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), length }
    }

    /// The block of this one address.
    pub fn only(address: IpAddr) -> Self {
        Self { address, length: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// Bits of an address.
    pub fn bits(self) -> u8 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    pub fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    /// The same block, named by its first address.
    pub fn masked(self) -> Self {
        Self { address: self.at(0), length: self.length }
    }

    /// How many addresses it has, at most `u128::MAX`.
    pub fn size(self) -> u128 {
        1u128.checked_shl(u32::from(self.bits() - self.length)).unwrap_or(u128::MAX)
    }

    /// Its nth address.
    pub fn at(self, n: u128) -> IpAddr {
        let host_bits = u32::from(self.bits() - self.length);
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        from_number((number(self.address) & mask).wrapping_add(n), self.address)
    }

    /// The last one: of IPv4 the broadcast address.
    pub fn last(self) -> IpAddr {
        self.at(self.size() - 1)
    }

    pub fn contains(self, address: IpAddr) -> bool {
        self.is_ipv4() == address.is_ipv4() && Self { address, length: self.length }.at(0) == self.at(0)
    }

    /// Whether there is an address that lies in both.
    ///
    /// `172.17.0.0/16` is all addresses that begin with the same 16 bits as this one; the others may be anything. So the question is
    /// which bits the two have both fixed: those that the *shorter* prefix has. If these are equal, the longer one lies within the
    /// shorter (`172.17.5.0/24` in `172.17.0.0/16`), and else they have nothing in common. `0.0.0.0/0`, which fixes none, overlaps
    /// with all of IPv4. No address of IPv4 is one of IPv6.
    ///
    /// `self.address` need not be the first of its block: the bits behind the prefix say nothing here. `number()` makes an
    /// address a number, in whose lowest `bits()` it lies (32 or 128 of them); to shift a number by all the bits that
    /// it has is an overflow in Rust, which `checked_shr` survives.
    ///
    /// A new network gets the first subnet that overlaps neither with another network's nor with a route of the host: else packets
    /// for somebody out there would end in the network.
    pub fn overlaps(self, other: Self) -> bool {
        // exercise: 4.1 overlaps: no address in two networks
        if self.is_ipv4() != other.is_ipv4() {
            return false;
        }
        let both_fix = self.length.min(other.length);
        let free = u32::from(self.bits() - both_fix);
        number(self.address).checked_shr(free) == number(other.address).checked_shr(free)
        // end exercise
    }
}

/// An address as a number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn from_number(number: u128, like: IpAddr) -> IpAddr {
    match like {
        // Four bytes of what was four bytes: nothing is lost but an overflow behind the last address.
        IpAddr::V4(_) => Ipv4Addr::from_bits(number as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(number).into(),
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Subnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::Invalid(format!("invalid CIDR address: {text}"));
        let (address, length) = text.split_once('/').ok_or_else(invalid)?;
        let subnet =
            Self { address: address.parse().map_err(|_| invalid())?, length: length.parse().map_err(|_| invalid())? };
        if subnet.length > subnet.bits() { Err(invalid()) } else { Ok(subnet) }
    }
}

impl TryFrom<String> for Subnet {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn a_subnet_knows_its_addresses() {
        let small = subnet("10.1.2.77/30");
        assert_eq!(small.masked().to_string(), "10.1.2.76/30");
        assert_eq!((small.size(), small.last().to_string()), (4, "10.1.2.79".to_owned()));
        assert_eq!(subnet("fd00::1:2/64").at(2).to_string(), "fd00::2");
        assert_eq!(subnet("0.0.0.0/0").last().to_string(), "255.255.255.255");
        assert_eq!(subnet("::/0").at(5).to_string(), "::5");
    }

    #[test]
    fn blocks_overlap_when_one_lies_in_the_other() {
        for (a, b, overlap) in [
            ("172.17.0.0/16", "172.17.5.0/24", true),
            ("172.17.0.0/16", "172.18.0.0/16", false),
            ("0.0.0.0/0", "10.0.0.0/8", true),
            ("fd00::/8", "10.0.0.0/8", false),
            ("10.0.0.1/32", "10.0.0.1/32", true),
        ] {
            assert_eq!((subnet(a).overlaps(subnet(b)), subnet(b).overlaps(subnet(a))), (overlap, overlap), "{a} {b}");
        }
    }

    #[test]
    fn nonsense_is_no_subnet() {
        for text in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/-1", "a/8"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }
}
