//! A container's network namespace, from outside: made, plugged in, and unplugged.

use crate::bridge::set_if_there;
use crate::links::Mac;
use crate::veth::End;
use crate::{Error, Links, Namespace, Result, Subnet};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd};

/// A network namespace with its loopback interface up, and a netlink socket in it.
#[derive(Debug)]
pub struct Sandbox {
    namespace: Namespace,
    links: Links,
}

/// A cable into a sandbox.
#[derive(Clone, Debug)]
pub struct Cable<'a> {
    /// The end on the bridge, and the one in the container.
    pub near: &'a str,
    pub far: &'a str,
    pub mac: Mac,
    pub mtu: Option<u32>,
    pub addresses: &'a [Subnet],
    /// Where the way to everybody else begins, if it is by this cable.
    pub gateways: &'a [IpAddr],
}

impl Sandbox {
    /// A new one.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn make() -> Result<Self> {
        let (namespace, links) = Namespace::make(|| {
            // Links that come without an address of IPv6 shall have none. Each that has one is told so when it is plugged in.
            set_if_there("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1")?;
            let mut links = Links::open()?;
            links.up("lo")?;
            Ok(links)
        })?;
        Ok(Self { namespace, links })
    }

    // ANCHOR: plug
    /// Plugs it into a bridge. `host` are the links of the namespace in which the bridge is.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn plug(&mut self, host: &mut Links, bridge: u32, cable: &Cable<'_>) -> Result<()> {
        let near = End { name: cable.near, mac: None };
        let far = End { name: cable.far, mac: Some(cable.mac) };
        let near = host.add_veth(bridge, &near, &far, self.namespace.as_fd(), cable.mtu)?;
        if cable.addresses.iter().any(|address| !address.is_ipv4()) {
            self.namespace.visit(|| {
                let conf = format!("/proc/sys/net/ipv6/conf/{}", cable.far);
                set_if_there(&format!("{conf}/accept_ra"), "0")?;
                set_if_there(&format!("{conf}/disable_ipv6"), "0")
            })?;
        }
        let far = self.links.configure(cable.far, cable.addresses, cable.gateways)?;
        self.links.settle(far)?;
        host.settle(near)?;
        host.settle(bridge)
    }
    // ANCHOR_END: plug

    /// Unplugs a cable. One that is not there is as good.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn unplug(&mut self, far: &str) -> Result<()> {
        self.links.remove(far)
    }

    /// The links inside.
    pub fn links(&mut self) -> &mut Links {
        &mut self.links
    }

    /// Its namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}

impl AsFd for Sandbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }
}

/// The hardware address that belongs to an address of IPv4, as Docker makes it: whoever gets the address next has the same, and nobody's
/// table of neighbours is out of date.
pub fn mac_of(address: Ipv4Addr) -> Mac {
    let [a, b, c, d] = address.octets();
    [0x02, 0x42, a, b, c, d]
}

/// `02:42:ac:11:00:02`, or with dashes.
///
/// # Errors
/// It is none.
pub fn parse_mac(text: &str) -> Result<Mac> {
    let invalid = || Error::Invalid(format!("invalid MAC address: {text}"));
    let mut mac = [0; 6];
    let parts: Vec<_> = text.split([':', '-']).collect();
    if parts.len() != mac.len() {
        return Err(invalid());
    }
    for (byte, part) in mac.iter_mut().zip(parts) {
        *byte =
            if part.len() == 2 { u8::from_str_radix(part, 16).map_err(|_| invalid())? } else { return Err(invalid()) };
    }
    // The lowest bit of the first byte is set in addresses of groups.
    if mac[0] & 1 == 1 || mac == [0; 6] { Err(invalid()) } else { Ok(mac) }
}

/// In the usual way of writing.
pub fn mac_text(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses() {
        assert_eq!(mac_text(mac_of(Ipv4Addr::new(172, 17, 0, 2))), "02:42:ac:11:00:02");
        assert_eq!(parse_mac("02:42:AC-11:00:02").unwrap(), mac_of(Ipv4Addr::new(172, 17, 0, 2)));
        for wrong in
            ["", "02:42:ac:11:00", "02:42:ac:11:00:0g", "01:00:5e:00:00:01", "00:00:00:00:00:00", "2:42:ac:11:0:2:"]
        {
            assert!(parse_mac(wrong).is_err(), "{wrong}");
        }
    }
}
