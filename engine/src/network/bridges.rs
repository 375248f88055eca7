//! A network in the kernel: there while it is somebody's, and the default one while a container is on it.

use super::Attachment;
use super::create::{ICC, MASQUERADE, MTU};
use super::store::NetworkRecord;
use crate::container::id::ContainerId;
use crate::durable::Durability;
use crate::info::in_user_namespace;
use crate::{Engine, Error, Kind, Result};
use network::{Admission, Bridge, Ensured, Leases, Links, Range, Subnet, outside};
use std::path::Path;
use std::sync::OnceLock;

/// Where the machine's own engine lives; others (`--root`) share the machine's links, and have names of their own.
const USUAL: &str = "/var/lib/kesako";

/// Without bridges there are no networks: what is told whose kernel lacks something.
pub(super) fn refuse_without_bridges(engine: &Engine) -> Result<()> {
    static KERNEL: OnceLock<bool> = OnceLock::new();
    if in_user_namespace() {
        return engine.ensure_ordinary_network().map_err(|error| {
            let text = format!(
                "networks of an ordinary user need a kernel with bridge, veth, tun and nf_tables ({error}): without, containers have a \
                 loopback interface of their own (the default), or the host's network (--network host)"
            );
            Error::new(Kind::NotImplemented, text)
        });
    }
    if *KERNEL.get_or_init(network::is_in_kernel) {
        return Ok(());
    }
    let text = "networks need a kernel with bridge, veth and nf_tables: without, containers have a loopback interface of \
                their own (the default), or the host's network (--network host)";
    Err(Error::new(Kind::NotImplemented, text))
}

impl Engine {
    /// The name of a network's bridge.
    pub(super) fn bridge_name(&self, network: &NetworkRecord) -> String {
        match network.is_predefined() && self.roots.data == Path::new(USUAL) {
            true => "kesako0".to_owned(),
            false => name_by_id(&network.id),
        }
    }

    /// The name of our table of rules. (The ID of the default network is as good as any to tell one root from another.)
    pub(super) fn rules_name(&self) -> Result<String> {
        if self.roots.data == Path::new(USUAL) {
            return Ok("kesako".to_owned());
        }
        Ok(format!("kesako-{}", &self.find_network("bridge")?.id.as_str()[..12]))
    }

    pub(super) fn bridge(&self, network: &NetworkRecord) -> Bridge {
        let option = |name: &str| network.options.get(name);
        let is_on = |name: &str| option(name).is_none_or(|value| value == "true");
        let addresses: Vec<Subnet> =
            network.ranges.iter().map(|range| Subnet { address: range.gateway, length: range.subnet.length }).collect();
        let mac = match addresses
            .iter()
            .find_map(|subnet| if let std::net::IpAddr::V4(v4) = subnet.address { Some(v4) } else { None })
        {
            Some(v4) => network::mac_of(v4),
            None => [0x02, 0x42, 0, 0, 0, 1],
        };
        Bridge {
            name: self.bridge_name(network),
            mac,
            // The only other way that an ordinary user's packets go is through memory.
            mtu: option(MTU).and_then(|mtu| mtu.parse().ok()).or(in_user_namespace().then_some(outside::MTU)),
            addresses,
            internal: network.internal,
            among_themselves: is_on(ICC),
            masquerade: is_on(MASQUERADE),
        }
    }

    /// Sees to it that the network is there. The caller holds the lock.
    pub(super) fn ensure_bridge(&self, network: &NetworkRecord) -> Result<Ensured> {
        let folder = self.networks_run_folder();
        crate::container::record::make_private_folder(&folder)?;
        let others = || {
            let networks = self.networks().unwrap_or_default();
            let bridged = networks.iter().filter(|other| other.driver == "bridge" && other.id != network.id);
            let bridges = bridged.map(|other| self.bridge(other)).collect();
            let leases = networks.iter().map(|other| self.leases(other));
            let attachments = leases.flat_map(|leases| leases.all::<Attachment>().unwrap_or_default());
            (bridges, attachments.flat_map(|(_, attachment)| attachment.publications()).collect())
        };
        let ensured = self.bridge(network).ensure(&self.rules_name()?, &folder, others)?;
        if ensured.admission == Admission::Legacy {
            tracing::warn!(
                "there are rules of iptables-legacy on this host, which Kesako cannot change: if they drop what is forwarded, containers do \
                 not reach the world (iptables-legacy -I FORWARD -i kes+ -j ACCEPT; iptables-legacy -I FORWARD -o kes+ -j ACCEPT)"
            );
        }
        Ok(ensured)
    }

    /// The default network's subnet was chosen when nobody used it. If its bridge is to be made anew, and somebody uses it by
    /// now, another is chosen. The caller holds the lock.
    pub(super) fn settle_default(&self, network: NetworkRecord) -> Result<NetworkRecord> {
        if !network.is_predefined() {
            return Ok(network);
        }
        let mut links = Links::open()?;
        if links.index(&self.bridge_name(&network))?.is_some() {
            return Ok(network);
        }
        let routes = links.routes()?;
        if !network.ranges.iter().any(|range| routes.iter().any(|route| route.overlaps(range.subnet))) {
            return Ok(network);
        }
        let others: Vec<_> = self.networks()?.into_iter().filter(|other| other.id != network.id).collect();
        let ranges = vec![Range::new(self.free_subnet(&others)?, None, None, Vec::new())?];
        let network = NetworkRecord { ranges, ..network };
        self.save_network(&network, Durability::Passing)?;
        Ok(network)
    }

    /// Takes a network out of the kernel, whether it is written down (any more, or yet) or not; with the last one, everything of
    /// ours. The caller holds the lock.
    pub(super) fn remove_bridge(&self, id: &ContainerId, rules: &str) -> Result<()> {
        let written = self.written_networks()?;
        self.where_bridges_are(|| {
            let mut links = Links::open()?;
            let (mut name, mut last) = (name_by_id(id), true);
            for network in written.iter().filter(|network| network.driver == "bridge") {
                match network.id == *id {
                    true => name = self.bridge_name(network),
                    false => last = last && links.index(&self.bridge_name(network))?.is_none(),
                }
            }
            Ok(Bridge::remove(&name, rules, &self.networks_run_folder(), last)?)
        })?;
        Ok(self.leases_of(id).remove()?)
    }

    /// Who has which address on this network.
    pub(super) fn leases(&self, network: &NetworkRecord) -> Leases {
        self.leases_of(&network.id)
    }

    pub(super) fn leases_of(&self, id: &ContainerId) -> Leases {
        Leases::new(self.networks_run_folder().join(id.as_str()))
    }
}

/// Links have names of at most fifteen letters.
fn name_by_id(id: &ContainerId) -> String {
    format!("kes-{}", &id.as_str()[..11])
}
