//! A network in the kernel: a bridge with the gateways' addresses, its rules, and the host's part in it.

use crate::links::Mac;
use crate::nft::{Admission, BridgeRules, Neighbours, Publication, Table};
use crate::{Error, Links, Result, Subnet, forwarding};
use std::net::IpAddr;
use std::path::Path;

/// What a bridge network is in the kernel.
#[derive(Clone, Debug)]
pub struct Bridge {
    pub name: String,
    pub mac: Mac,
    pub mtu: Option<u32>,
    /// The gateways' addresses, with the length of their subnets.
    pub addresses: Vec<Subnet>,
    pub internal: bool,
    pub among_themselves: bool,
    pub masquerade: bool,
}

impl Bridge {
    fn rules<'a>(&'a self, subnets: &'a [Subnet], gateways: &'a [IpAddr]) -> BridgeRules<'a> {
        BridgeRules {
            bridge: &self.name,
            subnets,
            gateways,
            internal: self.internal,
            among_themselves: self.among_themselves,
            masquerade: self.masquerade,
        }
    }

    fn subnets_and_gateways(&self) -> (Vec<Subnet>, Vec<IpAddr>) {
        let subnets = self.addresses.iter().map(|address| address.masked()).collect();
        (subnets, self.addresses.iter().map(|address| address.address).collect())
    }

    /// Makes the bridge, if it is not there, and its rules; and, where the whole table is missing, those of the others
    /// that are there, with the ports that are published. `folder` is where the host's old setting is remembered.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn ensure(
        &self,
        table: &str,
        folder: &Path,
        others: impl FnOnce() -> (Vec<Self>, Vec<Publication>),
    ) -> Result<Ensured> {
        let (mut links, mut table) = (Links::open()?, Table::open(table)?);
        let index = links.index(&self.name)?;
        let mut admission = Admission::Open;
        if !table.exists()? {
            let (others, publications) = others();
            self.make_table(&mut links, &mut table, others, &publications)?;
        } else if index.is_none() {
            let (subnets, gateways) = self.subnets_and_gateways();
            // Left by somebody who was killed between the rules and the bridge.
            table.remove_network(&self.name)?;
            table.add_network(&self.rules(&subnets, &gateways))?;
        }
        if !self.internal {
            admission = Neighbours::open()?.make_room()?;
        }
        let index = match index {
            Some(index) => index,
            None => self.make(&mut links, folder)?,
        };
        Ok(Ensured { index, admission, links, table })
    }

    fn make_table(
        &self,
        links: &mut Links,
        table: &mut Table,
        others: Vec<Self>,
        publications: &[Publication],
    ) -> Result<()> {
        let mut there = Vec::new();
        for other in others {
            if other.name != self.name && links.index(&other.name)?.is_some() {
                there.push(other);
            }
        }
        there.push(self.clone());
        let parts: Vec<_> = there.iter().map(Self::subnets_and_gateways).collect();
        let rules = there.iter().zip(&parts).map(|(bridge, (subnets, gateways))| bridge.rules(subnets, gateways));
        table.make(&rules.collect::<Vec<_>>(), publications)
    }

    fn make(&self, links: &mut Links, folder: &Path) -> Result<u32> {
        let ipv6 = self.addresses.iter().any(|address| !address.is_ipv4());
        if !self.internal {
            forwarding::enable(folder, ipv6)?;
        }
        links.add_bridge(&self.name, self.mac, self.mtu, &self.addresses)?;
        // Else packets from 127.0.0.1 to a published port, on their way to the container, would be thrown away as impossible.
        // (In exchange, a rule drops what comes *from* the bridge with such an address.)
        set(&format!("/proc/sys/net/ipv4/conf/{}/route_localnet", self.name), "1")?;
        if ipv6 {
            // Nobody but us is a router here, and nobody else has our addresses.
            for (name, value) in [("accept_ra", "0"), ("accept_dad", "0")] {
                set_if_there(&format!("/proc/sys/net/ipv6/conf/{}/{name}", self.name), value)?;
            }
        } else {
            set_if_there(&format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", self.name), "1")?;
        }
        links.index(&self.name)?.ok_or_else(|| Error::Kernel {
            step: format!("find the bridge {}", self.name),
            errno: rustix::io::Errno::NODEV,
        })
    }

    /// Takes the bridge and its rules away, and with the last one (`last`) everything of ours.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remove(name: &str, table: &str, folder: &Path, last: bool) -> Result<()> {
        Links::open()?.remove(name)?;
        let table_name = table;
        let mut table = Table::open(table)?;
        if !last {
            return if table.exists()? { table.remove_network(name) } else { Ok(()) };
        }
        table.remove()?;
        let mut neighbours = Neighbours::open()?;
        // Other roots, and other users' engines, have their own bridges, and need the same room.
        let ours_elsewhere = Links::open()?.names()?.iter().any(|link| link.starts_with(crate::nft::PREFIX));
        if !ours_elsewhere {
            neighbours.leave()?;
        }
        let needed = ours_elsewhere || neighbours.are_there(table_name)?;
        forwarding::restore(folder, needed)
    }
}

/// What [`Bridge::ensure`] leaves open.
#[derive(Debug)]
pub struct Ensured {
    /// The number of the bridge.
    pub index: u32,
    /// Whether others let us pass.
    pub admission: Admission,
    pub links: Links,
    pub table: Table,
}

fn set(path: &str, value: &str) -> Result<()> {
    std::fs::write(path, value).map_err(Error::file(format!("write {path}")))
}

/// A kernel without IPv6 has no switches for it.
pub(crate) fn set_if_there(path: &str, value: &str) -> Result<()> {
    if std::path::Path::new(path).exists() { set(path, value) } else { Ok(()) }
}
