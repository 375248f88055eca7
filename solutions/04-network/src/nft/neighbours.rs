//! Others filter what is forwarded, too: Docker drops everything that is not its own (a base chain with the policy DROP), as does
//! ufw, and firewalld rejects. Whatever one table drops, no other table can let through. So room is made for our links
//! in the place that is meant for it: Docker's chain DOCKER-USER, else the head of the chain that would drop. Two rules,
//! `-i kes+ -j ACCEPT` and `-o kes+ -j ACCEPT` in the language of iptables; nothing else of theirs is touched, and they are taken
//! away with our last network.
//!
//! Rules of the old `iptables-legacy` are not in nf_tables at all, and can be changed only as whole tables through
//! setsockopt(2): no place to make room in without taking the risk of losing somebody's rules. There we only warn.

use super::batch::{self, Batch, FoundChain, FoundRule, TableName};
use super::expression::{self as is, Meta, Verdict};
use crate::netlink::Socket;
use crate::{Error, Result};
use rustix::io::Errno;

/// What all our links begin with: bridges are called so, on every root of every user.
pub(crate) const PREFIX: &str = "kes";

const FORWARD: u32 = 2;
const DROP: u32 = 0;
const COMMENT: &str = "kesako";

/// Whether others let our packets pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Nobody is in the way, or room was made.
    Open,
    /// There are rules of iptables-legacy that may drop what we forward.
    Legacy,
}

/// The chains of others.
#[derive(Debug)]
pub struct Neighbours {
    socket: Socket,
}

impl Neighbours {
    /// Of this thread's network namespace.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open() -> Result<Self> {
        Ok(Self { socket: batch::open().map_err(Error::kernel("open a socket to the packet filter"))? })
    }

    /// Makes room for our links, wherever that is still needed.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn make_room(&mut self) -> Result<Admission> {
        let places = self.places().map_err(Error::kernel("list the chains of others"))?;
        for place in &places {
            let rules =
                batch::rules(&mut self.socket, &place.table).map_err(Error::kernel("list the rules of others"))?;
            if rules.iter().any(|rule| rule.chain == place.name && is_ours(rule)) {
                continue;
            }
            tracing::info!(target: "explain", man = "iptables(8)",
                shell = format!("iptables -I {0} -i {PREFIX}+ -j ACCEPT; iptables -I {0} -o {PREFIX}+ -j ACCEPT", place.name),
                "somebody drops what is forwarded: making room for our links in {} of table {}", place.name, place.table.name);
            let mut changes = Batch::new();
            for which in [Meta::OutName, Meta::InName] {
                let mut rule = is::link_like(which, PREFIX);
                rule.extend([is::counter(), is::verdict(Verdict::Accept)]);
                changes.rule(&place.table, &place.name, false, COMMENT, rule);
            }
            changes.commit(&mut self.socket).map_err(Error::kernel(format!("make room in {}", place.name)))?;
        }
        Ok(if places.is_empty() && legacy_filters() { Admission::Legacy } else { Admission::Open })
    }

    /// Takes our rules away again, wherever they are.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn leave(&mut self) -> Result<()> {
        let chains = batch::chains(&mut self.socket).map_err(Error::kernel("list the chains of others"))?;
        let mut tables: Vec<TableName> = Vec::new();
        for chain in chains {
            if !tables.contains(&chain.table) {
                tables.push(chain.table);
            }
        }
        for table in tables {
            let rules = batch::rules(&mut self.socket, &table).map_err(Error::kernel("list the rules of others"))?;
            for rule in rules.iter().filter(|rule| is_ours(rule)) {
                let mut changes = Batch::new();
                changes.delete_rule(&table, rule);
                match changes.commit(&mut self.socket) {
                    // They have flushed their chain meanwhile.
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(errno) => return Err(Error::kernel("remove our rule from the chain of others")(errno)),
                }
            }
        }
        Ok(())
    }

    /// Whether others filter what is forwarded: then the host was a router before us, or has become one since.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn are_there(&mut self, besides: &str) -> Result<bool> {
        let chains = batch::chains(&mut self.socket).map_err(Error::kernel("list the chains of others"))?;
        Ok(chains
            .iter()
            .any(|chain| chain.base.is_some_and(|(hook, _)| hook == FORWARD) && chain.table.name != besides))
    }

    /// The chains in which room must be made, one for each table that would drop.
    fn places(&mut self) -> std::result::Result<Vec<FoundChain>, Errno> {
        let chains = batch::chains(&mut self.socket)?;
        let user = |table: &TableName| chains.iter().find(|chain| chain.name == "DOCKER-USER" && chain.table == *table);
        let drops = |chain: &&FoundChain| {
            let firewalld = chain.table.name == "firewalld" && chain.name == "filter_FORWARD";
            chain.base.is_some_and(|(hook, policy)| hook == FORWARD && (policy == DROP || firewalld))
        };
        Ok(chains.iter().filter(drops).map(|chain| user(&chain.table).unwrap_or(chain).clone()).collect())
    }
}

/// Ours bear our comment; and iptables-restore, which forgets comments that are not its own, keeps the links' names.
fn is_ours(rule: &FoundRule) -> bool {
    rule.comment == COMMENT
}

/// Whether the old interface is in use for filtering in this namespace.
fn legacy_filters() -> bool {
    let names = std::fs::read_to_string("/proc/thread-self/net/ip_tables_names").unwrap_or_default();
    names.lines().any(|name| name == "filter")
}
