//! What the kernel remembers of flows (nf_conntrack): where a packet goes is decided for the first of a flow, and held for all
//! that follow.
//!
//! With UDP nobody says hello or goodbye: who sends to a port again and again before it is published is one flow, and would
//! reach nobody for ever; and who goes on sending when the container has another address would reach the old one. So these
//! flows are forgotten when a port is published or withdrawn, and their next packet is a first one. (TCP begins anew by itself.)

use crate::links::octets;
use crate::netlink::{Attributes, Family, Message, Socket, flags};
use crate::{Error, Protocol, Publication, Result};
use rustix::io::Errno;

// linux/netfilter/nfnetlink.h, linux/netfilter/nfnetlink_conntrack.h
const GET: u16 = 1 << 8 | 1;
const DELETE: u16 = 1 << 8 | 2;
const TUPLE_ORIG: u16 = 1;
const TUPLE_IP: u16 = 1;
const TUPLE_PROTO: u16 = 2;
const IP_V4_DST: u16 = 2;
const IP_V6_DST: u16 = 4;
const PROTO_NUM: u16 = 1;
const PROTO_DST_PORT: u16 = 3;
const ZONE: u16 = 18;
/// `struct nfgenmsg`.
const GENERAL: usize = 4;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Forgets the flows of datagrams to these ports of the host. Where that cannot be, they end by themselves when they have been silent for
/// a while; nobody is to go without his port for it.
pub(crate) fn forget(publications: &[Publication]) {
    let udp: Vec<_> = publications.iter().filter(|publication| publication.protocol == Protocol::Udp).collect();
    if udp.is_empty() {
        return;
    }
    if let Err(error) = forget_each(&udp) {
        tracing::warn!("{error}; who has sent to it before may have to be silent for a minute");
    }
}

fn forget_each(udp: &[&Publication]) -> Result<()> {
    let failed = || Error::kernel("forget the flows of a published port");
    let mut socket = Socket::open(Family::Netfilter).map_err(failed())?;
    for family in [AF_INET, AF_INET6] {
        let all = Message::new(GET, flags::DUMP, &[family, 0, 0, 0]);
        for flow in socket.ask(all).map_err(failed())? {
            let attributes = flow.attributes(GENERAL);
            let Some(tuple) = attributes.value(TUPLE_ORIG) else { continue };
            if !udp.iter().any(|publication| leads_to(Attributes(tuple), publication)) {
                continue;
            }
            let mut delete = Message::new(DELETE, 0, &[family, 0, 0, 0]);
            delete.nested(TUPLE_ORIG, |nested| {
                nested.structure(tuple);
            });
            if let Some(zone) = attributes.value(ZONE) {
                delete.attribute(ZONE, zone);
            }
            match socket.execute(vec![delete]) {
                // It may have come to its end by itself.
                Ok(()) | Err((_, Errno::NOENT)) => {}
                Err((_, errno)) => return Err(failed()(errno)),
            }
        }
    }
    Ok(())
}

/// Whether this is where a flow wanted to go, before anybody changed that.
fn leads_to(tuple: Attributes<'_>, publication: &Publication) -> bool {
    let (Some(ip), Some(proto)) = (tuple.value(TUPLE_IP), tuple.value(TUPLE_PROTO)) else { return false };
    let (ip, proto) = (Attributes(ip), Attributes(proto));
    let to = if publication.host.is_ipv4() { ip.value(IP_V4_DST) } else { ip.value(IP_V6_DST) };
    let there = to.is_some_and(|to| publication.host.is_unspecified() || to == octets(publication.host));
    there
        && proto.value(PROTO_NUM) == Some(&[publication.protocol.number()])
        && proto.value(PROTO_DST_PORT) == Some(&publication.host_port.to_be_bytes())
}
