//! Our own table. Nothing of it touches a table of others, and with the last network it goes away whole.
//!
//! ```text
//!   arriving     raw        what is for 127.0.0.0/8 and does not come from this host itself: dropped
//!   publish      dnat       what is for a published port of this host goes to the container (two maps: by port, and by address and port)
//!   forward      filter     between networks, and from outside to what is not published: dropped; the rest is let through
//!   gateways     filter     a container reaches the host by its own network's address only
//!   masquerade   srcnat     what leaves for the world gets the host's address
//! ```
//!
//! Bridges are elements of a set, and ports of maps: a container more is an element more, and no packet's way gets longer.

use super::batch::{self, Batch, Hook, INET, TableName};
use super::expression::{self as is, Expression, Meta, Verdict};
use super::publication::{Entry, Publication, entry};
use super::rules::{hairpins, rules};
use crate::netlink::Socket;
use crate::{Error, Result, Subnet, conntrack};
use rustix::io::Errno;
use std::net::IpAddr;

const BRIDGES: &str = "bridges";
const PREROUTING: u32 = 0;
const INPUT: u32 = 1;
const FORWARD: u32 = 2;
const OUTPUT: u32 = 3;
const POSTROUTING: u32 = 4;

// How `nft` calls the kinds of keys and data; six bits for each part of a concatenation.
const IPV4: u32 = 7;
const IPV6: u32 = 8;
const PROTOCOL: u32 = 12;
const PORT: u32 = 13;
const IFNAME: u32 = 41;

/// What the table must know of a network.
#[derive(Clone, Debug)]
pub struct BridgeRules<'a> {
    pub bridge: &'a str,
    pub subnets: &'a [Subnet],
    pub gateways: &'a [IpAddr],
    /// Its containers reach nobody but each other.
    pub internal: bool,
    /// Whether they reach each other (`com.docker.network.bridge.enable_icc`).
    pub among_themselves: bool,
    /// Whether what leaves is masqueraded (`com.docker.network.bridge.enable_ip_masquerade`).
    pub masquerade: bool,
}

/// The table, and a socket to the kernel.
#[derive(Debug)]
pub struct Table {
    name: TableName,
    socket: Socket,
}

impl Table {
    /// Of this thread's network namespace. Nothing is made yet.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open(name: &str) -> Result<Self> {
        let socket = batch::open().map_err(Error::kernel("open a socket to the packet filter"))?;
        Ok(Self { name: TableName { family: INET, name: name.to_owned() }, socket })
    }

    /// Whether the table is there.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn exists(&mut self) -> Result<bool> {
        batch::has_table(&mut self.socket, &self.name).map_err(Error::kernel("ask for the table of rules"))
    }

    /// Makes the table with what is common to all networks, and the rules of these.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn make(&mut self, networks: &[BridgeRules<'_>], publications: &[Publication]) -> Result<()> {
        tracing::info!(target: "explain", man = "nft(8)", shell = format!("nft add table inet {}; …", self.name.name),
            "making a table of rules: what leaves is masqueraded, published ports are sent on, networks are kept apart");
        let mut changes = Batch::new();
        changes.table(&self.name);
        // Made by somebody who was killed before it was whole? A transaction has no half.
        changes.delete_table(&self.name);
        changes.table(&self.name);
        self.sets(&mut changes);
        self.chains(&mut changes);
        networks.iter().for_each(|network| self.network(&mut changes, network));
        publications.iter().for_each(|publication| self.publication(&mut changes, publication));
        self.commit(changes, "make the table of rules")
    }

    /// Adds a network.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn add_network(&mut self, network: &BridgeRules<'_>) -> Result<()> {
        let mut changes = Batch::new();
        self.network(&mut changes, network);
        self.commit(changes, "add the rules of a network")
    }

    /// Takes a network's rules away.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remove_network(&mut self, bridge: &str) -> Result<()> {
        let rules = batch::rules(&mut self.socket, &self.name).map_err(Error::kernel("list the rules"))?;
        let mut changes = Batch::new();
        for rule in rules.iter().filter(|rule| rule.comment == bridge) {
            changes.delete_rule(&self.name, rule);
        }
        changes.delete_element(&self.name, BRIDGES, &is::interface(bridge));
        match changes.commit(&mut self.socket) {
            Err(Errno::NOENT) => Ok(()),
            outcome => outcome.map_err(Error::kernel("remove the rules of a network")),
        }
    }

    /// Publishes ports.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn publish(&mut self, publications: &[Publication]) -> Result<()> {
        for publication in publications {
            tracing::info!(target: "explain", man = "nft(8)",
                shell = format!("nft add element inet {} {}", self.name.name, publication.typed()),
                "publishing {publication}");
        }
        let changes = |table: &Self| {
            let mut changes = Batch::new();
            publications.iter().for_each(|publication| table.publication(&mut changes, publication));
            changes
        };
        let added = changes(self).commit(&mut self.socket);
        if let Err(Errno::EXIST) = added {
            // The ports are ours: we hold the host's sockets. So this was left by somebody who was killed.
            self.withdraw(publications)?;
            let changes = changes(self);
            self.commit(changes, "publish the ports")?;
        } else {
            added.map_err(Error::kernel("publish the ports"))?;
        }
        conntrack::forget(publications);
        Ok(())
    }

    /// Takes published ports back. Those that are not published any more are no error.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn withdraw(&mut self, publications: &[Publication]) -> Result<()> {
        // One by one: a transaction in which one is missing does nothing for the others.
        for publication in publications {
            let mut changes = Batch::new();
            let Entry { map, key, .. } = entry(publication);
            changes.delete_element(&self.name, map, &key);
            match changes.commit(&mut self.socket) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(Error::kernel(format!("withdraw {publication}"))(errno)),
            }
        }
        conntrack::forget(publications);
        Ok(())
    }

    /// Takes the whole table away. None there is as well.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remove(&mut self) -> Result<()> {
        let mut changes = Batch::new();
        changes.delete_table(&self.name);
        match changes.commit(&mut self.socket) {
            Err(Errno::NOENT) => Ok(()),
            outcome => outcome.map_err(Error::kernel("remove the table of rules")),
        }
    }

    fn sets(&self, changes: &mut Batch) {
        let table = &self.name;
        changes.set(table, BRIDGES, (IFNAME, 16), None);
        for (name, kind, length) in [("ports4", IPV4, 4), ("ports6", IPV6, 16)] {
            changes.set(table, name, (PROTOCOL << 6 | PORT, 8), Some((kind << 6 | PORT, length + 4)));
        }
        for (name, kind, length) in [("ports4_at", IPV4, 4), ("ports6_at", IPV6, 16)] {
            let key = (kind << 12 | PROTOCOL << 6 | PORT, length + 8);
            changes.set(table, name, key, Some((kind << 6 | PORT, length + 4)));
        }
    }

    fn chains(&self, changes: &mut Batch) {
        let base = |kind, number, priority| Some(Hook { kind, number, priority });
        let chains = [
            ("publish", None),
            ("networks", None),
            ("gateways", None),
            ("arriving", base("filter", PREROUTING, -300)),
            ("published_arriving", base("nat", PREROUTING, -100)),
            ("published_leaving", base("nat", OUTPUT, -100)),
            ("host", base("filter", INPUT, 0)),
            ("forward", base("filter", FORWARD, 0)),
            ("masquerade", base("nat", POSTROUTING, 100)),
        ];
        for (name, hook) in chains {
            changes.chain(&self.name, name, hook);
        }
        let mut rule = |chain, parts: Vec<Vec<Expression>>| {
            changes.rule(&self.name, chain, true, "", parts.into_iter().flatten().collect());
        };
        let and = |what| vec![is::verdict(what)];
        let bridged = |which| is::link_in(which, BRIDGES, true);

        // Loopback addresses are routed on our bridges (below), so nobody on them may use one; nor may a neighbour of the
        // host, whose packet for 127.0.0.1 would else meet the rules of a port that is published there.
        let loopback = Subnet::v4(127, 0, 0, 0, 8);
        rule("arriving", vec![is::address(false, loopback), is::link(Meta::InName, false, "lo"), and(Verdict::Drop)]);

        for chain in ["published_arriving", "published_leaving"] {
            rule(chain, vec![is::for_this_host(), and(Verdict::Jump("publish"))]);
        }
        for (map, ipv4, with_address) in
            [("ports4_at", true, true), ("ports4", true, false), ("ports6_at", false, true), ("ports6", false, false)]
        {
            rule("publish", vec![is::dnat_by(map, ipv4, with_address)]);
        }

        rule("host", vec![bridged(Meta::InName), and(Verdict::Jump("gateways"))]);

        rule("forward", vec![is::established(), and(Verdict::Accept)]);
        rule("forward", vec![and(Verdict::Jump("networks"))]);
        // Docker's own containers are a network of others, and its rules would let us in: it takes us for a friend.
        rule("forward", vec![bridged(Meta::InName), is::link(Meta::OutName, true, "docker0"), and(Verdict::Drop)]);
        rule("forward", vec![bridged(Meta::OutName), is::published(), and(Verdict::Accept)]);
        rule("forward", vec![bridged(Meta::OutName), and(Verdict::Drop)]);
    }

    fn network(&self, changes: &mut Batch, network: &BridgeRules<'_>) {
        let bridge = network.bridge;
        changes.element(&self.name, BRIDGES, &is::interface(bridge), None);
        for rule in rules(network).into_iter().chain(hairpins(network)) {
            tracing::info!(target: "explain", man = "nft(8)",
                shell = format!("nft add rule inet {} {} {rule}", self.name.name, rule.chain), "{}", rule.told());
            changes.rule(&self.name, rule.chain.name(), true, bridge, rule.expressions());
        }
    }

    fn publication(&self, changes: &mut Batch, publication: &Publication) {
        let Entry { map, key, data } = entry(publication);
        changes.element(&self.name, map, &key, Some(&data));
    }

    fn commit(&mut self, changes: Batch, step: &str) -> Result<()> {
        changes.commit(&mut self.socket).map_err(Error::kernel(step))
    }
}
