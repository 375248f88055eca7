//! A running container on its networks. Its shim holds this, and with it the network namespace, the published ports and
//! the name server; when the shim is gone, the kernel takes all of that back but for what is in files and in our table.

use super::names::Directory;
use super::published::{HostPorts, PublishedPort};
use super::store::{NetworkLock, NetworkRecord};
use super::{Sweep, joined, wishes};
use crate::api::EndpointSettings;
use crate::container::id::ContainerId;
use crate::container::record::{Container, Record};
use crate::durable::{self, Durability};
use crate::info::in_user_namespace;
use crate::{Engine, Error, Kind, Result};
use network::dns::{self, Upstream};
use network::{Cable, Leases, Links, Neighbours, Proxy, Publication, Range, Reserved, Sandbox, Subnet, Table, Watch};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

/// In the container's run folder: what it has on its networks.
const FILE: &str = "network.json";

/// What a container has on one network. Each of its addresses is a lease that says this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub network: ContainerId,
    pub network_name: String,
    pub container: ContainerId,
    pub container_name: String,
    /// The endpoint's ID.
    pub endpoint: String,
    /// The link in the container, `eth0`.
    pub link: String,
    /// With the length of their subnets.
    pub addresses: Vec<Subnet>,
    pub gateways: Vec<IpAddr>,
    pub mac: String,
    /// What the neighbours may call it. None on the default network.
    pub names: Vec<String>,
    /// What it calls others itself, and their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(String, String)>,
    /// Whether the way to everybody else is by this network.
    pub leads_out: bool,
    pub ports: Vec<PublishedPort>,
}

impl Attachment {
    /// What the table of rules must know of its ports. Of an ordinary user's, nothing: the host's rules are not his.
    pub(super) fn publications(&self) -> Vec<Publication> {
        if in_user_namespace() {
            return Vec::new();
        }
        let to = |port: &PublishedPort| {
            let address = self.addresses.iter().find(|address| address.is_ipv4() == port.host.is_ipv4())?;
            Some(Publication {
                protocol: port.protocol,
                host: port.host,
                host_port: port.host_port,
                container: address.address,
                container_port: port.container_port,
            })
        };
        self.ports.iter().filter_map(to).collect()
    }

    pub(super) fn ips(&self) -> Vec<IpAddr> {
        self.addresses.iter().map(|address| address.address).collect()
    }
}

/// What a container has on its networks, if it runs.
pub(crate) fn attachments(container: &Container) -> Vec<Attachment> {
    // It may just be ending.
    durable::read_json(&container.run.join(FILE)).ok().flatten().unwrap_or_default()
}

/// See above.
#[derive(Debug)]
pub(crate) struct Connected {
    sandbox: Sandbox,
    pub attachments: Vec<Attachment>,
    container: Container,
    /// Held for as long as they are published.
    reserved: Vec<Rc<Reserved>>,
    ports: Vec<PublishedPort>,
    /// Serves them, where packets cannot be sent on.
    proxy: Option<Proxy>,
    names: Option<NameServer>,
    upstreams: Vec<Upstream>,
    /// Whether others have changed what lets us pass. Of no interest where nobody goes out.
    others: Option<Watch>,
}

#[derive(Debug)]
struct NameServer {
    server: dns::Server,
    directory: Directory,
}

impl Connected {
    /// Puts a container that is about to start on its networks. None if it is on no bridge.
    ///
    /// An ordinary user's are in a network of the user's own, and this process goes there with it.
    pub(crate) fn new(
        engine: &Engine,
        container: &Container,
        record: &Record,
        ports: &mut HostPorts,
    ) -> Result<Option<Self>> {
        if !wishes::wants_bridges(&record.host_config) {
            return Ok(None);
        }
        // A port that somebody has is found out before there is anything to be undone.
        let (reserved, ports) = ports.reserve(record)?;
        if in_user_namespace() && (record.networks.is_empty() || !engine.enter_ordinary_network()?) {
            return Ok(None);
        }
        let upstreams = crate::spec::network_files::upstreams(record);
        let sandbox = Sandbox::make()?;
        let (attachments, proxy, names) = (Vec::new(), None, None);
        let container = container.clone();
        let mut connected =
            Self { sandbox, attachments, container, reserved, ports, proxy, names, upstreams, others: None };
        match connected.attach_all(engine, record) {
            Ok(()) => Ok(Some(connected)),
            Err(error) => {
                // The first error is the one to be told; what is left for others to clear is in the file.
                connected.undo(engine);
                Err(error)
            }
        }
    }

    /// Its namespace, as a path for as long as this lasts.
    pub(crate) fn namespace_path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.sandbox.as_fd().as_raw_fd()).into()
    }

    /// Gives everything back, after a start that failed.
    pub(crate) fn undo(&mut self, engine: &Engine) {
        let released = self.release(engine);
        if let Err(error) = released.and_then(|sweep| sweep.map_or(Ok(()), |sweep| engine.sweep_now(&sweep))) {
            tracing::warn!("networks of container {}: {error}", self.container.id);
        }
    }

    fn attach_all(&mut self, engine: &Engine, record: &Record) -> Result<()> {
        for (name, settings) in wishes::in_order(record) {
            let network = find(engine, name, settings)?;
            self.attach(engine, record, network, settings)?;
        }
        self.settle(engine, record)
    }

    /// Plugs the container into one network more.
    fn attach(
        &mut self,
        engine: &Engine,
        record: &Record,
        network: NetworkRecord,
        settings: &EndpointSettings,
    ) -> Result<()> {
        let lock = engine.lock_networks()?;
        let network = engine.settle_default(network)?;
        let leases = engine.leases(&network);
        // Its folder first: so whoever finds us dead knows that there may be a bridge (see `leftovers`).
        leases.prepare()?;
        let mut ensured = engine.ensure_bridge(&network)?;
        let attachment = self.choose(record, &network, settings, &leases)?;
        self.attachments.push(attachment.clone());
        // First what will be ours, then that it is: so whoever finds us dead knows what to give back.
        self.save()?;
        leases.write(&attachment.ips(), &attachment)?;
        drop(lock);

        let near = near_end(&attachment);
        let bridge = engine.bridge(&network);
        let cable = Cable {
            near: &near,
            far: &attachment.link,
            mac: network::parse_mac(&attachment.mac)?,
            mtu: bridge.mtu,
            addresses: &attachment.addresses,
            gateways: &[],
        };
        self.sandbox.plug(&mut ensured.links, ensured.index, &cable)?;
        if !bridge.among_themselves {
            ensured.links.isolate(&near)?;
        }
        Ok(())
    }

    fn choose(
        &self,
        record: &Record,
        network: &NetworkRecord,
        settings: &EndpointSettings,
        leases: &Leases,
    ) -> Result<Attachment> {
        let ipam = settings.ipam_config.clone().unwrap_or_default();
        let label = format!("{} ({})", network.name, network.id);
        let mut addresses = Vec::new();
        for Range { subnet, .. } in &network.ranges {
            let wanted = if subnet.is_ipv4() { &ipam.ipv4_address } else { &ipam.ipv6_address };
            let wanted = Some(wanted).filter(|text| !text.is_empty()).and_then(|text| text.parse().ok());
            let range = network.ranges.iter().find(|range| range.subnet == *subnet);
            let Some(range) = range else { continue };
            let address = leases.choose(range, wanted, &label)?;
            addresses.push(Subnet { address, length: subnet.length });
        }
        let v4 = addresses.iter().find_map(|address| match address.address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        });
        let mac = match (settings.mac_address.as_str(), v4) {
            ("", Some(v4)) => network::mac_text(network::mac_of(v4)),
            ("", None) => return Err(Error::new(Kind::System, "a network without IPv4")),
            (wanted, _) => wanted.to_owned(),
        };
        let links: Vec<_> = self.attachments.iter().map(|attachment| attachment.link.as_str()).collect();
        let free = (0..).map(|n| format!("eth{n}")).find(|link| !links.contains(&link.as_str()));
        Ok(Attachment {
            network: network.id.clone(),
            network_name: network.name.clone(),
            container: record.id.clone(),
            container_name: record.name.clone(),
            endpoint: ContainerId::random().to_string(),
            link: free.unwrap_or_default(),
            gateways: if network.internal {
                Vec::new()
            } else {
                network.ranges.iter().map(|range| range.gateway).collect()
            },
            addresses,
            mac,
            names: if network.has_names() { names(record, settings) } else { Vec::new() },
            links: settings.links.iter().flatten().filter_map(|link| super::link::parse(link).ok()).collect(),
            leads_out: false,
            ports: Vec::new(),
        })
    }

    /// Which network leads to the world, and so has the published ports; and the name server, if a network has names.
    fn settle(&mut self, engine: &Engine, record: &Record) -> Result<()> {
        let priority = |attachment: &Attachment| {
            let settings = record.networks.get(&attachment.network_name);
            (-settings.map_or(0, |settings| settings.gw_priority), attachment.network_name.clone())
        };
        let outward = self.attachments.iter().enumerate().filter(|(_, attachment)| !attachment.gateways.is_empty());
        let chosen = outward.min_by_key(|(_, attachment)| priority(attachment)).map(|(index, _)| index);
        let before = self.attachments.iter().position(|attachment| attachment.leads_out);
        if before != chosen {
            if let Some(before) = before {
                self.lead_out(engine, before, false)?;
            }
            if let Some(chosen) = chosen {
                self.lead_out(engine, chosen, true)?;
            }
        }
        // (Nobody else makes rules in an ordinary user's network.)
        if chosen.is_some() && self.others.is_none() && !in_user_namespace() {
            self.others = Some(Watch::open()?);
        }
        // Of a network that is closed to the world, neither may names be asked there.
        let upstreams = if chosen.is_some() { self.upstreams.clone() } else { Vec::new() };
        let directory = Directory::new(engine, &self.attachments);
        let has_names = self.attachments.iter().any(|attachment| !attachment.names.is_empty());
        match (&mut self.names, has_names) {
            (Some(names), true) => {
                names.server.ask(upstreams);
                names.directory = directory;
            }
            (names @ None, true) => {
                let server = dns::Server::open(self.sandbox.namespace(), upstreams)?;
                *names = Some(NameServer { server, directory });
            }
            (names, false) => *names = None,
        }
        Ok(())
    }

    fn lead_out(&mut self, engine: &Engine, index: usize, out: bool) -> Result<()> {
        let attachment = &mut self.attachments[index];
        for gateway in &attachment.gateways {
            match out {
                true => self.sandbox.links().add_default_route(&attachment.link, *gateway)?,
                false => self.sandbox.links().remove_default_route(&attachment.link, *gateway)?,
            }
        }
        attachment.leads_out = out;
        let _lock = engine.lock_networks()?;
        let withdrawn = attachment.publications();
        attachment.ports = if out { self.ports.clone() } else { Vec::new() };
        let attachment = attachment.clone();
        self.save()?;
        // (Who makes the whole table anew reads the leases.)
        engine.leases_of(&attachment.network).rewrite(&attachment.ips(), &attachment)?;
        self.proxy = None;
        if attachment.ports.is_empty() {
            return if withdrawn.is_empty() {
                Ok(())
            } else {
                Ok(Table::open(&engine.rules_name()?)?.withdraw(&withdrawn)?)
            };
        }
        self.proxy = self.serve_ports(&attachment)?;
        if in_user_namespace() {
            return Ok(());
        }
        Table::open(&engine.rules_name()?)?.publish(&attachment.publications())?;
        // It may call itself by the host's address.
        Ok(Links::open()?.hairpin(&near_end(&attachment))?)
    }

    /// Serves those published ports ourselves for which no rule can: an ordinary user's, and of IPv6 to a container that has none.
    fn serve_ports(&self, attachment: &Attachment) -> Result<Option<Proxy>> {
        let ips = attachment.ips();
        let target = |(reserved, port): (&Rc<Reserved>, &PublishedPort)| {
            let alike = ips.iter().find(|ip| ip.is_ipv4() == port.host.is_ipv4());
            let by_rule = alike.is_some() && !in_user_namespace();
            let address = alike.or(ips.first()).filter(|_| !by_rule)?;
            Some((Rc::clone(reserved), SocketAddr::new(*address, port.container_port)))
        };
        let served: Vec<_> = self.reserved.iter().zip(&self.ports).filter_map(target).collect();
        Ok(if served.is_empty() { None } else { Some(Proxy::new(served)?) })
    }

    /// Takes up what has changed in the record: networks that are new, and those that are gone.
    pub(crate) fn follow(&mut self, engine: &Engine, record: &Record) -> Result<()> {
        let gone = |attachment: &Attachment| {
            !record.networks.values().any(|settings| settings.network_id == attachment.network.as_str())
        };
        while let Some(index) = self.attachments.iter().position(gone) {
            if self.attachments[index].leads_out {
                self.lead_out(engine, index, false)?;
            }
            let attachment = self.attachments.remove(index);
            self.sandbox.unplug(&attachment.link)?;
            let _lock = engine.lock_networks()?;
            engine.give_back(&attachment)?;
            self.save()?;
        }
        for (name, settings) in wishes::in_order(record) {
            if !self.attachments.iter().any(|attachment| attachment.network.as_str() == settings.network_id) {
                let network = find(engine, name, settings)?;
                if let Err(error) = self.attach(engine, record, network, settings) {
                    // Half plugged in is not on the network.
                    if let Some(index) = self.attachments.iter().position(|a| a.network.as_str() == settings.network_id)
                    {
                        let attachment = self.attachments.remove(index);
                        self.sandbox.unplug(&attachment.link)?;
                        let _lock = engine.lock_networks()?;
                        engine.give_back(&attachment)?;
                        self.save()?;
                    }
                    return Err(error);
                }
            }
        }
        self.settle(engine, record)?;
        crate::spec::network_files::update_hosts(&self.container, record, &self.attachments, &engine.link_hosts(record))
    }

    /// Gives back what does not end with the shim. If nobody is on the default network any more, the caller is to sweep.
    pub(crate) fn release(&mut self, engine: &Engine) -> Result<Option<Sweep>> {
        let _lock = engine.lock_networks()?;
        joined::unplug(&self.container, &self.attachments)?;
        engine.release_all(&std::mem::take(&mut self.attachments))?;
        self.save()?;
        Ok(engine.begin_sweep())
    }

    fn save(&self) -> Result<()> {
        durable::write_json(&self.container.run.join(FILE), &self.attachments, Durability::Passing)
    }

    /// Its new name is known to the neighbours at once.
    pub(crate) fn rename(&mut self, engine: &Engine, record: &Record) -> Result<()> {
        let _lock = engine.lock_networks()?;
        for attachment in &mut self.attachments {
            attachment.container_name.clone_from(&record.name);
            if let Some(settings) = record.networks.get(&attachment.network_name)
                && !attachment.names.is_empty()
            {
                attachment.names = names(record, settings);
            }
            let network = engine.find_network(attachment.network.as_str())?;
            engine.leases(&network).rewrite(&attachment.ips(), attachment)?;
        }
        self.save()
    }

    /// What its name server and its ports wait for; the flag says whether to be written to.
    pub(crate) fn watch<'a>(&'a self, each: &mut dyn FnMut(BorrowedFd<'a>, bool)) {
        self.names.iter().for_each(|names| names.server.watch(each));
        self.others.iter().for_each(|others| each(others.as_fd(), false));
        self.proxy.iter().for_each(|proxy| each(proxy.as_fd(), false));
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let names = self.names.as_ref().and_then(|names| names.server.deadline());
        let ports = self.proxy.as_ref().and_then(Proxy::deadline);
        names.into_iter().chain(ports).min()
    }

    /// Answers questions for names that have come, serves who has come to its ports, and sees to it that others still let us pass.
    pub(crate) fn serve(&mut self, has_come: &dyn Fn(BorrowedFd<'_>) -> bool) {
        self.proxy.iter_mut().for_each(Proxy::serve);
        if self.others.as_ref().is_some_and(|others| has_come(others.as_fd()) && others.has_heard()) {
            let made = NetworkLock::take().and_then(|_lock| Ok(Neighbours::open()?.make_room()?));
            if let Err(error) = made {
                tracing::warn!("container {}: {error}", self.container.id);
            }
        }
        if let Some(NameServer { server, directory }) = &mut self.names {
            server.serve_what_came(directory, has_come);
        }
    }
}

/// The end of a container's cable on the host: named by its endpoint, so that no two are ever the same.
pub(super) fn near_end(attachment: &Attachment) -> String {
    format!("veth{}", &attachment.endpoint[..11])
}

fn find(engine: &Engine, name: &str, settings: &EndpointSettings) -> Result<NetworkRecord> {
    let given = if settings.network_id.is_empty() { name } else { &settings.network_id };
    let found = engine.find_network(given);
    found.map_err(|error| Error::new(error.kind, format!("failed to set up container networking: {}", error.message)))
}

fn names(record: &Record, settings: &EndpointSettings) -> Vec<String> {
    let mut names = vec![record.name.clone(), record.id.short().to_owned()];
    names.extend(settings.aliases.iter().flatten().cloned());
    names.push(record.config.hostname.clone());
    let mut known = std::collections::BTreeSet::new();
    names.retain(|name| !name.is_empty() && known.insert(name.to_ascii_lowercase()));
    names
}
