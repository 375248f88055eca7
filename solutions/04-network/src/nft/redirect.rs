//! Inside a container of a user network: 127.0.0.11:53 is where its resolv.conf points, but the shim listens on ports of its own
//! there, so that a container may have a name server itself, on port 53 of all its addresses.

use super::batch::{self, Batch, Hook, TableName};
use super::expression as is;
use crate::{Error, Protocol, Result, Subnet};
use std::net::Ipv4Addr;

/// The family of IPv4 alone.
const IPV4: u8 = 2;
const OUTPUT: u32 = 3;

/// Sends what is for `address`, port 53, to these ports of it. In this thread's network namespace.
pub(crate) fn redirect_dns(address: Ipv4Addr, udp: u16, tcp: u16) -> Result<()> {
    tracing::info!(target: "explain", man = "nft(8)",
        shell = format!("nft add rule ip kesako names ip daddr {address} udp dport 53 dnat to {address}:{udp}"),
        "questions for {address}, the container's name server, go to its shim");
    let table = TableName { family: IPV4, name: "kesako".to_owned() };
    let mut changes = Batch::new();
    changes.table(&table);
    changes.chain(&table, "names", Some(Hook { kind: "nat", number: OUTPUT, priority: -100 }));
    for (protocol, port) in [(Protocol::Udp, udp), (Protocol::Tcp, tcp)] {
        let to = Subnet { address: address.into(), length: 32 };
        let mut rule = is::address(false, to);
        rule.extend(is::port(protocol.number(), 53));
        rule.extend(is::dnat_to(address, port));
        changes.rule(&table, "names", true, "", rule);
    }
    let mut socket = batch::open().map_err(Error::kernel("open a socket to the packet filter"))?;
    changes.commit(&mut socket).map_err(Error::kernel("redirect questions for names"))
}
