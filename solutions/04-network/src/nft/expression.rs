//! The expressions of a rule. They are worked off in order, as in a small machine with registers; a comparison that fails ends the rule,
//! and the packet goes on to the next. `nft --debug=netlink list ruleset` shows rules in this form.

use crate::netlink::Message;

// linux/netfilter/nf_tables.h
const LIST_ELEM: u16 = 1;
const EXPR_NAME: u16 = 1;
const EXPR_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;
const VERDICT_CHAIN: u16 = 2;

/// The registers have 16 bytes, or are four of 4 bytes each, numbered from 8. The first is also 1.
const FIRST: u32 = 8;

/// A part of the packet's story that `meta` knows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meta {
    InName = 6,
    OutName = 7,
    Family = 15,
    Protocol = 16,
}

/// What happens to a packet.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Accept,
    Drop,
    Jump(&'static str),
}

/// One expression: its name, and its attributes as a function that writes them.
pub(super) struct Expression {
    name: &'static str,
    attributes: Box<dyn FnOnce(&mut Message)>,
}

impl Expression {
    fn new(name: &'static str, attributes: impl FnOnce(&mut Message) + 'static) -> Self {
        Self { name, attributes: Box::new(attributes) }
    }

    pub(super) fn write(self, message: &mut Message) {
        message.nested(LIST_ELEM, |element| {
            element.text(EXPR_NAME, self.name).nested(EXPR_DATA, self.attributes);
        });
    }
}

/// Numbers go in network byte order here.
fn number(message: &mut Message, kind: u16, number: u32) {
    message.attribute(kind, &number.to_be_bytes());
}

fn data(message: &mut Message, kind: u16, value: &[u8]) {
    message.nested(kind, |data| {
        data.attribute(DATA_VALUE, value);
    });
}

/// Loads into the nth 4 bytes of the registers.
pub(super) fn load(key: Meta, at: u32) -> Expression {
    Expression::new("meta", move |m| {
        number(m, 1, FIRST + at);
        number(m, 2, key as u32);
    })
}

/// Compares what lies there: equal, or not.
fn compare(at: u32, equal: bool, value: Vec<u8>) -> Expression {
    Expression::new("cmp", move |m| {
        number(m, 1, FIRST + at);
        number(m, 2, u32::from(!equal));
        data(m, 3, &value);
    })
}

/// Loads a part of the network header (1) or the transport header (2).
fn payload(header: u32, offset: u32, length: u32, at: u32) -> Expression {
    Expression::new("payload", move |m| {
        number(m, 1, FIRST + at);
        number(m, 2, header);
        number(m, 3, offset);
        number(m, 4, length);
    })
}

/// Keeps the bits of the mask.
fn mask(at: u32, mask: Vec<u8>) -> Expression {
    Expression::new("bitwise", move |m| {
        number(m, 1, FIRST + at);
        number(m, 2, FIRST + at);
        number(m, 3, mask.len() as u32);
        data(m, 4, &mask);
        data(m, 5, &vec![0; mask.len()]);
    })
}

/// `ct state` (0) or `ct status` (2), and whether any of these bits is set. The kernel keeps them in its own byte order.
fn connection(key: u32, bits: u32) -> Vec<Expression> {
    let load = Expression::new("ct", move |m| {
        number(m, 1, FIRST);
        number(m, 2, key);
    });
    vec![load, mask(0, bits.to_ne_bytes().to_vec()), compare(0, false, vec![0; 4])]
}

/// `ct state established,related`.
pub(super) fn established() -> Vec<Expression> {
    connection(0, 2 | 4)
}

/// `ct status dnat`: it came for a published port.
pub(super) fn published() -> Vec<Expression> {
    connection(2, 1 << 5)
}

/// `fib daddr type local`: it is for an address of this host.
pub(super) fn for_this_host() -> Vec<Expression> {
    let load = Expression::new("fib", |m| {
        number(m, 1, FIRST);
        // NFT_FIB_RESULT_ADDRTYPE of the destination.
        number(m, 2, 3);
        number(m, 3, 2);
    });
    const RTN_LOCAL: u32 = 2;
    vec![load, compare(0, true, RTN_LOCAL.to_ne_bytes().to_vec())]
}

/// `iifname NAME`, `oifname != NAME`.
pub(super) fn link(which: Meta, equal: bool, name: &str) -> Vec<Expression> {
    vec![load(which, 0), compare(0, equal, interface(name))]
}

/// `iifname "NAME*"`: all that begin so.
pub(super) fn link_like(which: Meta, prefix: &str) -> Vec<Expression> {
    vec![load(which, 0), compare(0, true, prefix.as_bytes().to_vec())]
}

/// `iifname @SET`, or not.
pub(super) fn link_in(which: Meta, set: &'static str, is: bool) -> Vec<Expression> {
    let lookup = Expression::new("lookup", move |m| {
        m.text(1, set);
        number(m, 2, FIRST);
        number(m, 5, u32::from(!is));
    });
    vec![load(which, 0), lookup]
}

/// A link's name as a register holds it.
pub(super) fn interface(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(16, 0);
    bytes
}

/// Whether the packet is of IPv4, or of IPv6.
pub(super) fn family(ipv4: bool) -> Vec<Expression> {
    vec![load(Meta::Family, 0), compare(0, true, vec![if ipv4 { 2 } else { 10 }])]
}

/// `ip saddr SUBNET` or `ip daddr SUBNET`.
pub(super) fn address(source: bool, subnet: crate::Subnet) -> Vec<Expression> {
    let (offset, length) = match (subnet.is_ipv4(), source) {
        (true, true) => (12, 4),
        (true, false) => (16, 4),
        (false, true) => (8, 16),
        (false, false) => (24, 16),
    };
    let mut bits = vec![0u8; length as usize];
    for bit in 0..usize::from(subnet.length) {
        bits[bit / 8] |= 0x80 >> (bit % 8);
    }
    let mut rule = family(subnet.is_ipv4());
    rule.push(payload(1, offset, length, 0));
    if subnet.length < subnet.bits() {
        rule.push(mask(0, bits));
    }
    rule.push(compare(0, true, crate::links::octets(subnet.at(0))));
    rule
}

/// `meta l4proto PROTOCOL th dport PORT`.
pub(super) fn port(protocol: u8, port: u16) -> Vec<Expression> {
    let port = port.to_be_bytes().to_vec();
    vec![load(Meta::Protocol, 0), compare(0, true, vec![protocol]), payload(2, 2, 2, 0), compare(0, true, port)]
}

/// `dnat to [daddr .] meta l4proto . th dport map @MAP`: where the port is published to, if it is.
pub(super) fn dnat_by(map: &'static str, ipv4: bool, with_address: bool) -> Vec<Expression> {
    let words = if ipv4 { 1 } else { 4 };
    let mut rule = family(ipv4);
    let mut at = 0;
    if with_address {
        rule.push(payload(1, if ipv4 { 16 } else { 24 }, words * 4, 0));
        at = words;
    }
    rule.push(load(Meta::Protocol, at));
    rule.push(payload(2, 2, 2, at + 1));
    rule.push(Expression::new("lookup", move |m| {
        m.text(1, map);
        number(m, 2, FIRST);
        number(m, 3, FIRST);
    }));
    rule.push(dnat(ipv4, Some(FIRST), FIRST + words));
    rule
}

/// `dnat to :PORT`, or to what registers say.
fn dnat(ipv4: bool, address: Option<u32>, port: u32) -> Expression {
    Expression::new("nat", move |m| {
        number(m, 1, 1);
        number(m, 2, if ipv4 { 2 } else { 10 });
        if let Some(address) = address {
            number(m, 3, address);
        }
        number(m, 5, port);
    })
}

/// `redirect to :PORT`: to a socket of this very namespace.
pub(super) fn dnat_to(address: std::net::Ipv4Addr, port: u16) -> Vec<Expression> {
    let immediate = |at: u32, value: Vec<u8>| {
        Expression::new("immediate", move |m| {
            number(m, 1, FIRST + at);
            data(m, 2, &value);
        })
    };
    vec![
        immediate(0, address.octets().to_vec()),
        immediate(1, port.to_be_bytes().to_vec()),
        dnat(true, Some(FIRST), FIRST + 1),
    ]
}

/// `masquerade`: the packet gets the address of the link it leaves by.
pub(super) fn masquerade() -> Expression {
    Expression::new("masq", |_| {})
}

pub(super) fn counter() -> Expression {
    Expression::new("counter", |_| {})
}

pub(super) fn verdict(verdict: Verdict) -> Expression {
    let (code, chain) = match verdict {
        Verdict::Drop => (0, None),
        Verdict::Accept => (1, None),
        // NFT_JUMP is -3.
        Verdict::Jump(chain) => (-3i32 as u32, Some(chain)),
    };
    Expression::new("immediate", move |m| {
        number(m, 1, 0);
        m.nested(2, |data| {
            data.nested(DATA_VERDICT, |verdict| {
                number(verdict, VERDICT_CODE, code);
                chain.iter().for_each(|chain| {
                    verdict.text(VERDICT_CHAIN, chain);
                });
            });
        });
    })
}
