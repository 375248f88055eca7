//! `network create`.

use super::store::NetworkRecord;
use crate::api::{IpamConfig, NetworkCreate, NetworkCreated};
use crate::container::id::ContainerId;
use crate::container::state;
use crate::durable::Durability;
use crate::{Engine, Error, Kind, Result};
use network::{Links, Range, Subnet, pools};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The options of the bridge driver that Kesako has, and whether they are switches.
const OPTIONS: [(&str, bool); 3] = [(ICC, true), (MASQUERADE, true), (MTU, false)];
pub(super) const ICC: &str = "com.docker.network.bridge.enable_icc";
pub(super) const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";
pub(super) const MTU: &str = "com.docker.network.driver.mtu";

impl Engine {
    /// Makes a network.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when there is one of this name; [`Kind::Invalid`] and [`Kind::Forbidden`] for subnets that make no
    /// sense or are in use.
    pub fn network_create(&self, request: NetworkCreate) -> Result<NetworkCreated> {
        check(&request)?;
        super::bridges::refuse_without_bridges(self)?;
        let ipv6 = request.enable_ipv6.unwrap_or(false);
        let _lock = self.lock_networks()?;
        let networks = self.networks()?;
        if networks.iter().any(|network| network.name == request.name) {
            return Err(Error::new(Kind::Conflict, format!("network with name {} already exists", request.name)));
        }
        let configs = request.ipam.as_ref().map(|ipam| ipam.config.as_slice()).unwrap_or_default();
        let (ranges, others) = self.ranges(configs, ipv6, &networks)?;
        let network = NetworkRecord {
            id: ContainerId::random(),
            name: request.name,
            created: state::now(),
            driver: "bridge".to_owned(),
            ipv6,
            internal: request.internal,
            attachable: request.attachable,
            ranges,
            others,
            options: request.options,
            labels: request.labels,
        };
        // A folder for leases without a network belongs to a creation that died, and names its bridge (see `leftovers`).
        self.leases(&network).prepare()?;
        // What the kernel refuses is no network. (An ordinary user's is made where the containers are, with the first of them.)
        let made = if crate::info::in_user_namespace() { Ok(()) } else { self.ensure_bridge(&network).map(drop) };
        if let Err(error) = made.and_then(|()| self.save_network(&network, Durability::Lasting)) {
            self.remove_bridge(&network.id, &self.rules_name()?)?;
            return Err(error);
        }
        self.tell("network", "create", network.id.as_str(), &[("name", &network.name), ("type", &network.driver)]);
        Ok(NetworkCreated { id: network.id.to_string(), warning: String::new() })
    }

    /// The subnets as they were asked for; those that were not are chosen.
    fn ranges(
        &self,
        configs: &[IpamConfig],
        ipv6: bool,
        networks: &[NetworkRecord],
    ) -> Result<(Vec<Range>, BTreeMap<String, IpAddr>)> {
        let used: Vec<Subnet> = networks.iter().flat_map(|network| &network.ranges).map(|range| range.subnet).collect();
        let mut ranges: Vec<Range> = Vec::new();
        let mut names = BTreeMap::new();
        for config in configs.iter().filter(|config| !config.subnet.is_empty()) {
            let subnet: Subnet = config.subnet.parse()?;
            if !subnet.is_ipv4() && !ipv6 {
                continue;
            }
            if ranges.iter().any(|range| range.subnet.is_ipv4() == subnet.is_ipv4()) {
                return Err(Error::new(Kind::Invalid, "Kesako has one subnet of each family on a network"));
            }
            let others = addresses(&config.auxiliary_addresses)?;
            names.extend(config.auxiliary_addresses.keys().cloned().zip(others.iter().copied()));
            let handed_out = Some(config.ip_range.as_str()).filter(|text| !text.is_empty());
            let range = Range::new(subnet, address(&config.gateway)?, handed_out.map(str::parse).transpose()?, others)?;
            if used.iter().chain(ranges.iter().map(|range| &range.subnet)).any(|used| used.overlaps(subnet)) {
                return Err(network::Error::PoolOverlaps.into());
            }
            ranges.push(range);
        }
        if !ranges.iter().any(|range| range.subnet.is_ipv4()) {
            let gateway = configs.iter().find(|config| config.subnet.is_empty() && !config.gateway.is_empty());
            if gateway.is_some() {
                return Err(Error::new(Kind::Invalid, "a gateway needs its subnet"));
            }
            ranges.insert(0, Range::new(self.free_subnet(networks)?, None, None, Vec::new())?);
        }
        if ipv6 && !ranges.iter().any(|range| !range.subnet.is_ipv4()) {
            let subnet = pools::choose_v6(self.global_id(), &used)?;
            ranges.push(Range::new(subnet, None, None, Vec::new())?);
        }
        Ok((ranges, names))
    }

    /// A subnet that neither a network nor the host uses.
    pub(super) fn free_subnet(&self, networks: &[NetworkRecord]) -> Result<Subnet> {
        let mut used: Vec<Subnet> =
            networks.iter().flat_map(|network| &network.ranges).map(|range| range.subnet).collect();
        used.extend(Links::open()?.routes()?);
        Ok(pools::choose(&used)?)
    }

    /// Forty bits that are this engine's own: of the folder it lives in and the machine.
    fn global_id(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.roots.data.hash(&mut hasher);
        std::fs::read("/etc/machine-id").unwrap_or_default().hash(&mut hasher);
        hasher.finish()
    }
}

fn address(text: &str) -> Result<Option<IpAddr>> {
    let invalid = |_| Error::new(Kind::Invalid, format!("invalid IP address: {text}"));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(invalid) }
}

fn addresses(named: &BTreeMap<String, String>) -> Result<Vec<IpAddr>> {
    Ok(named.values().map(|text| address(text)).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Refuses what makes no sense, and what Kesako does not have.
fn check(request: &NetworkCreate) -> Result<()> {
    let invalid = |text: String| Err(Error::new(Kind::Invalid, text));
    let name = request.name.as_str();
    if name.trim().is_empty() {
        return invalid(format!("invalid network name \"{name}\": name is empty"));
    }
    if super::store::PREDEFINED.iter().any(|(known, _)| *known == name) || name == "default" {
        return Err(Error::new(Kind::Forbidden, format!("operation is not permitted on predefined {name} network ")));
    }
    let first_is_fine = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !first_is_fine || !name.chars().all(fine) {
        return invalid(format!("invalid network name \"{name}\": only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"));
    }
    match request.driver.as_str() {
        "" | "bridge" | "default" => {}
        "host" | "null" | "none" => {
            return Err(Error::new(
                Kind::Forbidden,
                format!("only one instance of \"{}\" network is allowed", request.driver),
            ));
        }
        driver => {
            let text = format!("could not find plugin {driver} in v1 plugin registry: plugin not found");
            return Err(Error::new(Kind::NotFound, text));
        }
    }
    let missing = [
        ("--ingress", request.ingress),
        ("--config-only", request.config_only),
        ("--ipv4=false", request.enable_ipv4 == Some(false)),
        ("--scope", !matches!(request.scope.as_str(), "" | "local")),
    ];
    if let Some((flag, _)) = missing.iter().find(|(_, wanted)| *wanted) {
        return Err(Error::new(Kind::NotImplemented, format!("Kesako does not have {flag} of networks")));
    }
    if let Some(ipam) = &request.ipam {
        if !matches!(ipam.driver.as_str(), "" | "default") {
            return invalid(format!("invalid ipam driver: {}", ipam.driver));
        }
        if let Some((option, _)) = ipam.options.iter().flatten().next() {
            return Err(Error::new(Kind::NotImplemented, format!("Kesako does not have the IPAM option {option}")));
        }
    }
    request.options.iter().try_for_each(|(name, value)| option(name, value))
}

fn option(name: &str, value: &str) -> Result<()> {
    let known = OPTIONS.iter().find(|(known, _)| *known == name);
    let Some((_, switch)) = known else {
        return Err(Error::new(Kind::NotImplemented, format!("Kesako does not have the network option {name}")));
    };
    let fine = if *switch { value.parse::<bool>().is_ok() } else { value.parse::<u16>().is_ok_and(|mtu| mtu >= 68) };
    if fine {
        Ok(())
    } else {
        Err(Error::new(Kind::Invalid, format!("invalid value for the network option {name}: {value}")))
    }
}
