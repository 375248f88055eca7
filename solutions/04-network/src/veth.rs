//! A cable between two network namespaces (veth(4)): what is put in at one end comes out at the other.
//!
//! It takes one message to the kernel, of the kind that `ip link add` sends. A message is a tree: a fixed structure, and behind it
//! *attributes*, each with a number that says what it is, and a value, which may be attributes again. [`Message`] writes it:
//!
//! ```text
//!   Message::new(kind, flags, structure)     begins one
//!   .attribute(kind, bytes)                  an attribute
//!   .text(kind, "…")                         the same of a text
//!   .nested(kind, |inner| …)                 one that is made of attributes, which are written to `inner`
//!   .structure(bytes)                        a fixed structure, where one belongs before the attributes
//! ```

use crate::links::{IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MTU, Mac, RTM_NEWLINK, ifinfo};
use crate::netlink::{Message, flags};
use std::os::fd::{AsRawFd, BorrowedFd};

// linux/if_link.h, linux/veth.h
/// The bridge that a link is plugged into, by its number.
const IFLA_MASTER: u16 = 10;
/// The namespace that a link is to be in, by a descriptor of ours.
const IFLA_NET_NS_FD: u16 = 28;
/// Within [`IFLA_LINKINFO`]: what only this kind of link needs to know.
const IFLA_INFO_DATA: u16 = 2;
/// Within [`IFLA_INFO_DATA`] of a veth: the other end, described as a link is, its `struct ifinfomsg` first.
const VETH_INFO_PEER: u16 = 1;

/// One end of a cable that is to be.
#[derive(Clone, Debug)]
pub struct End<'a> {
    pub name: &'a str,
    pub mac: Option<Mac>,
}

/// The message that asks the kernel for a cable between this host and a container.
///
/// The `near` end stays here, is up, and is plugged into a bridge: `IFLA_MASTER` is the bridge's number, as four bytes in this
/// machine's order (`to_ne_bytes`). The `far` end comes to life in the container's namespace, named by `IFLA_NET_NS_FD` (the number of
/// the descriptor, four bytes likewise), and stays down until it has an address. This is the tree:
///
/// ```text
///   RTM_NEWLINK, flags CREATE and EXCLUSIVE, structure ifinfo(0, 0, true)     true: the link is up
///     what describe() writes of the near end
///     IFLA_MASTER
///     IFLA_LINKINFO
///       IFLA_INFO_KIND "veth"
///       IFLA_INFO_DATA
///         VETH_INFO_PEER, structure ifinfo(0, 0, false)
///           what describe() writes of the far end
///           IFLA_NET_NS_FD
/// ```
///
/// Both ends are made by this one message. So nobody ever sees the far end on the host, not even if this program is killed in the
/// middle. (How a message is written is told at the head of this file.)
pub fn veth(bridge: u32, near: &End<'_>, far: &End<'_>, namespace: BorrowedFd<'_>, mtu: Option<u32>) -> Message {
    // exercise: 4.3 veth: a cable with its ends in two namespaces
    let mut message = Message::new(RTM_NEWLINK, flags::CREATE | flags::EXCLUSIVE, &ifinfo(0, 0, true));
    describe(&mut message, near, mtu);
    message.attribute(IFLA_MASTER, &bridge.to_ne_bytes());
    message.nested(IFLA_LINKINFO, |info| {
        info.text(IFLA_INFO_KIND, "veth");
        info.nested(IFLA_INFO_DATA, |data| {
            data.nested(VETH_INFO_PEER, |peer| {
                peer.structure(&ifinfo(0, 0, false));
                describe(peer, far, mtu);
                peer.attribute(IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes());
            });
        });
    });
    message
    // end exercise
}

/// The name of an end, its hardware address, and how long its packets may be.
fn describe(message: &mut Message, end: &End<'_>, mtu: Option<u32>) {
    message.text(IFLA_IFNAME, end.name);
    if let Some(mac) = end.mac {
        message.attribute(IFLA_ADDRESS, &mac);
    }
    if let Some(mtu) = mtu {
        message.attribute(IFLA_MTU, &mtu.to_ne_bytes());
    }
}
