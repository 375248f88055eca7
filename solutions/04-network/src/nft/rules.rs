//! The rules of one network, as data: they can be read as `nft` writes them, and told to the kernel.
//!
//! A rule is a list of conditions, and what happens to a packet that meets all of them. The kernel asks the rules of a chain one after
//! the other; the first that lets a packet pass or drops it has decided.

use super::expression::{self as is, Expression, Meta, Verdict};
use super::table::BridgeRules;
use crate::Subnet;
use std::fmt;

/// When a rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// A packet is passed on by this host, from one link to another (or back to the same one).
    Networks,
    /// A packet from one of our bridges is for this host itself.
    Gateways,
    /// A packet is about to leave this host, on whichever link.
    Masquerade,
}

/// A condition on a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum If {
    /// It has come by the link of this name.
    From(String),
    NotFrom(String),
    /// It will leave by the link of this name.
    To(String),
    NotTo(String),
    /// Its sender's address is one of these, or the address that it is for.
    Source(Subnet),
    Destination(Subnet),
    /// It came for a published port, and was sent on to the container's.
    Published,
}

/// What happens to a packet that meets all conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Accept,
    Drop,
    /// It goes on under the address of the link that it leaves by; the answers find their way back.
    Masquerade,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub chain: Chain,
    pub conditions: Vec<If>,
    pub then: Then,
}

/// What decides whom the containers of a network may talk to. All of them are plugged into one bridge, `network.bridge`.
///
/// * In [`Chain::Networks`]: what comes from the bridge and goes to the same bridge is accepted if `network.among_themselves`, and else
///   dropped. If the network is `internal`, all else that comes from the bridge is dropped, and all else that goes to it.
/// * In [`Chain::Gateways`]: each of `network.gateways` is an address of this host, and only this network's own containers may talk to
///   it. What is for a gateway and does *not* come from the bridge is dropped.
/// * In [`Chain::Masquerade`]: the world does not know the containers' addresses, and could not answer them. So what has its
///   source in one of `network.subnets` and does *not* leave by the bridge is masqueraded; if `network.masquerade`, and not if the
///   network is internal.
///
/// What none of these rules decides is decided behind them, for all networks alike: what goes to a bridge is dropped, unless it came
/// for a published port, or answers something; what goes anywhere else passes. So there is no rule to write for "not to another network":
/// its containers are behind another bridge.
///
/// A condition takes an owned name, or a subnet: `If::From(network.bridge.to_owned())`. The one address of a gateway is
/// [`Subnet::only`]`(gateway)`. [`Rule::new`] takes a chain, an array of conditions, and what is to happen.
pub fn rules(network: &BridgeRules<'_>) -> Vec<Rule> {
    // exercise: 4.4 rules: who may talk to whom
    let bridge = || network.bridge.to_owned();
    let among = if network.among_themselves { Then::Accept } else { Then::Drop };
    let mut rules = vec![Rule::new(Chain::Networks, [If::From(bridge()), If::To(bridge())], among)];
    if network.internal {
        rules.push(Rule::new(Chain::Networks, [If::From(bridge())], Then::Drop));
        rules.push(Rule::new(Chain::Networks, [If::To(bridge())], Then::Drop));
    }
    for gateway in network.gateways {
        let conditions = [If::NotFrom(bridge()), If::Destination(Subnet::only(*gateway))];
        rules.push(Rule::new(Chain::Gateways, conditions, Then::Drop));
    }
    if network.masquerade && !network.internal {
        for subnet in network.subnets {
            let conditions = [If::Source(*subnet), If::NotTo(bridge())];
            rules.push(Rule::new(Chain::Masquerade, conditions, Then::Masquerade));
        }
    }
    rules
    // end exercise
}

/// Who calls a container by a port that it has published must hear the answer from where he called.
pub(super) fn hairpins(network: &BridgeRules<'_>) -> Vec<Rule> {
    let to = || If::To(network.bridge.to_owned());
    // A container that calls itself, or its neighbour, by the host's address: the answer would go straight to it.
    let neighbour =
        |subnet: &Subnet| Rule::new(Chain::Masquerade, [If::Source(*subnet), to(), If::Published], Then::Masquerade);
    let mut rules: Vec<_> = network.subnets.iter().map(neighbour).collect();
    // The host's 127.0.0.1 means nothing to a container that is to answer it.
    let loopback = If::Source(Subnet::v4(127, 0, 0, 0, 8));
    rules.push(Rule::new(Chain::Masquerade, [loopback, to()], Then::Masquerade));
    rules
}

impl Rule {
    pub fn new<const N: usize>(chain: Chain, conditions: [If; N], then: Then) -> Self {
        Self { chain, conditions: conditions.into(), then }
    }

    /// The rule as the kernel takes it.
    pub(super) fn expressions(&self) -> Vec<Expression> {
        let mut expressions: Vec<_> = self.conditions.iter().flat_map(If::expressions).collect();
        expressions.push(match self.then {
            Then::Accept => is::verdict(Verdict::Accept),
            Then::Drop => is::verdict(Verdict::Drop),
            Then::Masquerade => is::masquerade(),
        });
        expressions
    }

    /// The same in words.
    pub(super) fn told(&self) -> String {
        let conditions: Vec<_> = self.conditions.iter().map(If::told).collect();
        let then = match self.then {
            Then::Accept => "may pass",
            Then::Drop => "is dropped",
            Then::Masquerade => "gets this host's address",
        };
        format!("what {} {then}", conditions.join(" and "))
    }
}

impl If {
    fn expressions(&self) -> Vec<Expression> {
        match self {
            Self::From(link) => is::link(Meta::InName, true, link),
            Self::NotFrom(link) => is::link(Meta::InName, false, link),
            Self::To(link) => is::link(Meta::OutName, true, link),
            Self::NotTo(link) => is::link(Meta::OutName, false, link),
            Self::Source(subnet) => is::address(true, *subnet),
            Self::Destination(subnet) => is::address(false, *subnet),
            Self::Published => is::published(),
        }
    }

    fn told(&self) -> String {
        match self {
            Self::From(link) => format!("comes from {link}"),
            Self::NotFrom(link) => format!("does not come from {link}"),
            Self::To(link) => format!("goes to {link}"),
            Self::NotTo(link) => format!("does not go to {link}"),
            Self::Source(subnet) => format!("is sent by {}", short(subnet)),
            Self::Destination(subnet) => format!("is for {}", short(subnet)),
            Self::Published => "came for a published port".to_owned(),
        }
    }
}

/// As `nft` writes it: a subnet of one address is the address.
fn short(subnet: &Subnet) -> String {
    if subnet.length == subnet.bits() { subnet.address.to_string() } else { subnet.to_string() }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Chain {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Networks => "networks",
            Self::Gateways => "gateways",
            Self::Masquerade => "masquerade",
        }
    }
}

impl fmt::Display for If {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = |subnet: &Subnet| if subnet.is_ipv4() { "ip" } else { "ip6" };
        match self {
            Self::From(link) => write!(f, "iifname \"{link}\""),
            Self::NotFrom(link) => write!(f, "iifname != \"{link}\""),
            Self::To(link) => write!(f, "oifname \"{link}\""),
            Self::NotTo(link) => write!(f, "oifname != \"{link}\""),
            Self::Source(subnet) => write!(f, "{} saddr {}", family(subnet), short(subnet)),
            Self::Destination(subnet) => write!(f, "{} daddr {}", family(subnet), short(subnet)),
            Self::Published => f.write_str("ct status dnat"),
        }
    }
}

impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "accept",
            Self::Drop => "drop",
            Self::Masquerade => "masquerade",
        })
    }
}

/// As in `nft list table`: without its chain.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.conditions.iter().try_for_each(|condition| write!(f, "{condition} "))?;
        write!(f, "{}", self.then)
    }
}
