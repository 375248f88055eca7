//! What a new container was asked to be on, and with which ports: checked when it is created, in Docker's words.

use crate::api::{ContainerConfig, CreateRequest, EndpointSettings, HostConfig};
use crate::container::record::{Container, Record};
use crate::network::store::NetworkRecord;
use crate::{Engine, Error, Kind, Result};
use network::{Port, parse_mac};
use std::collections::BTreeMap;
use std::net::IpAddr;

fn invalid<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::new(Kind::Invalid, text))
}

/// Whether the container is on bridges, where there can be any.
pub(crate) fn is_on_bridges(engine: &Engine, host: &HostConfig) -> bool {
    wants_bridges(host) && super::may_bridge(engine)
}

/// Not the host's network, nobody's, or another container's.
pub(crate) fn wants_bridges(host: &HostConfig) -> bool {
    let mode = host.network_mode.as_str();
    !matches!(mode, "host" | "none") && !mode.starts_with("container:")
}

/// The networks that a request wants the container on, by their names, with what is wanted there.
///
/// # Errors
/// [`Kind::Invalid`] for what cannot be.
pub(crate) fn wishes(engine: &Engine, request: &CreateRequest) -> Result<BTreeMap<String, EndpointSettings>> {
    let (config, host) = (&request.config, &request.host_config);
    let asked = request.networking_config.as_ref().map(|config| &config.endpoints_config);
    let asked: Vec<_> = asked.into_iter().flatten().collect();
    ports(host)?;
    conflicts(engine, config, host)?;
    if !is_on_bridges(engine, host) {
        return off_bridges(engine, host, &asked);
    }
    let first =
        if matches!(host.network_mode.as_str(), "" | "default") { "bridge" } else { host.network_mode.as_str() };
    let mut networks = BTreeMap::new();
    let mut names: Vec<(&str, EndpointSettings)> = Vec::new();
    if !asked.iter().any(|(name, _)| same(name, first)) {
        names.push((first, EndpointSettings::default()));
    }
    names.extend(asked.into_iter().map(|(name, settings)| (name.as_str(), settings.clone())));
    for (given, settings) in names {
        let given = if given == "default" { "bridge" } else { given };
        let (name, settings) = match engine.find_network(given) {
            Ok(network) => engine.meant_by(network, settings)?,
            // It may be made until the container is started; docker-compose does so.
            Err(error) if error.kind == Kind::NotFound => (given.to_owned(), settings),
            Err(error) => return Err(error),
        };
        networks.insert(name, settings);
    }
    Ok(networks)
}

impl Engine {
    /// What is wanted of a network that is there.
    fn meant_by(&self, network: NetworkRecord, settings: EndpointSettings) -> Result<(String, EndpointSettings)> {
        let mut settings = EndpointSettings { network_id: network.id.to_string(), ..settings };
        // On the default network they are a matter of the host's configuration.
        if !network.has_names() {
            settings.links = None;
        }
        self.check_endpoint(&network, &settings)?;
        Ok((network.name, settings))
    }

    /// Finds the networks that were not there when the container was created. What still is not there, its start will miss.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when a network cannot be what was wanted of it.
    pub(crate) fn settle_networks(&self, container: &Container, mut record: Record) -> Result<Record> {
        let unknown =
            |(name, settings): (&String, &EndpointSettings)| settings.network_id.is_empty().then(|| name.clone());
        let unknown: Vec<_> = record.networks.iter().filter_map(unknown).collect();
        for given in unknown {
            let Ok(network) = self.find_network(&given) else { continue };
            let (name, settings) = self.meant_by(network, record.networks.remove(&given).unwrap_or_default())?;
            record.networks.insert(name, settings);
            container.save_record(&record)?;
        }
        Ok(record)
    }
}

fn same(one: &str, other: &str) -> bool {
    one == other || (matches!(one, "default" | "bridge") && matches!(other, "default" | "bridge"))
}

/// A container that is on no bridge has no endpoint to speak of.
fn off_bridges(
    engine: &Engine,
    host: &HostConfig,
    asked: &[(&String, &EndpointSettings)],
) -> Result<BTreeMap<String, EndpointSettings>> {
    let mode = host.network_mode.as_str();
    if host.extra_hosts.iter().flatten().any(|entry| entry.ends_with("host-gateway")) && mode != "host" {
        return invalid(
            "unable to derive the IP value for host-gateway: the container is on no network that leads to the host",
        );
    }
    for (name, settings) in asked {
        let meant = same(name, mode) || (mode.is_empty() && name.as_str() == "default");
        if !meant {
            super::bridges::refuse_without_bridges(engine)?;
            return invalid(format!(
                "container cannot be connected to multiple networks with one of the networks in private ({mode}) mode"
            ));
        }
        if let Some(config) = &settings.ipam_config
            && !(config.ipv4_address.is_empty() && config.ipv6_address.is_empty())
        {
            return invalid(
                "invalid endpoint settings:\nuser-specified IP address is supported on user-defined networks only",
            );
        }
        if settings.aliases.as_ref().is_some_and(|aliases| !aliases.is_empty()) {
            return invalid(
                "invalid endpoint settings:\nnetwork-scoped aliases are only supported for user-defined networks",
            );
        }
    }
    let publishes = host.port_bindings.iter().flatten().next().is_some() || host.publish_all_ports;
    if matches!(mode, "" | "default") && publishes || !matches!(mode, "" | "default" | "none" | "host") {
        super::bridges::refuse_without_bridges(engine)?;
    }
    Ok(BTreeMap::new())
}

fn conflicts(engine: &Engine, config: &ContainerConfig, host: &HostConfig) -> Result<()> {
    let mode = host.network_mode.as_str();
    let publishes = host.port_bindings.iter().flatten().next().is_some() || host.publish_all_ports;
    let Some(other) = mode.strip_prefix("container:") else { return Ok(()) };
    if other.is_empty() {
        return invalid("invalid network mode: invalid container format container:<name|id>");
    }
    if !config.hostname.is_empty() {
        return invalid("conflicting options: hostname and the network mode");
    }
    if host.dns.as_ref().is_some_and(|dns| !dns.is_empty()) {
        return invalid("conflicting options: dns and the network mode");
    }
    if host.extra_hosts.as_ref().is_some_and(|hosts| !hosts.is_empty()) {
        return invalid("conflicting options: custom host-to-IP mapping and the network mode");
    }
    if publishes {
        return invalid("conflicting options: port publishing and the container type network mode");
    }
    if config.exposed_ports.as_ref().is_some_and(|ports| !ports.is_empty()) {
        return invalid("conflicting options: port exposing and the container type network mode");
    }
    // As with networks: no 404.
    engine.find(other).map_err(|error| Error::new(Kind::Invalid, error.message)).map(drop)
}

/// The published ports make sense.
fn ports(host: &HostConfig) -> Result<()> {
    for (port, bindings) in host.port_bindings.iter().flatten() {
        port.parse::<Port>()?;
        for binding in bindings.iter().flatten() {
            network::addresses(&binding.host_ip)?;
            let port = binding.host_port.as_str();
            if !matches!(port, "" | "0") && network::ports::parse_range(port).is_none() {
                return invalid(format!("invalid port specification: \"{port}\""));
            }
        }
    }
    Ok(())
}

impl Engine {
    /// What is wanted of a network can be had there, as far as is known before the start.
    pub(super) fn check_endpoint(&self, network: &NetworkRecord, settings: &EndpointSettings) -> Result<()> {
        let ipam = settings.ipam_config.clone().unwrap_or_default();
        let mut complaints = Vec::new();
        let wanted = [&ipam.ipv4_address, &ipam.ipv6_address].into_iter().filter(|text| !text.is_empty());
        let wanted: Vec<_> = wanted.map(|text| (text, text.parse::<IpAddr>())).collect();
        if network.is_predefined() {
            if !wanted.is_empty() {
                complaints.push("user-specified IP address is supported on user-defined networks only".to_owned());
            }
            if settings.aliases.as_ref().is_some_and(|aliases| !aliases.is_empty()) {
                complaints.push("network-scoped aliases are only supported for user-defined networks".to_owned());
            }
        }
        for (text, address) in wanted {
            match address {
                Err(_) => complaints.push(format!("invalid IP address: {text}")),
                Ok(address) if !network.ranges.iter().any(|range| range.subnet.contains(address)) => {
                    complaints.push(format!("no configured subnet contains IP address {address}"));
                }
                Ok(_) => {}
            }
        }
        if !settings.mac_address.is_empty()
            && let Err(error) = parse_mac(&settings.mac_address)
        {
            complaints.push(error.to_string());
        }
        if settings.driver_opts.as_ref().is_some_and(|options| !options.is_empty()) {
            return Err(Error::new(Kind::NotImplemented, "Kesako does not have driver options of an endpoint"));
        }
        for link in settings.links.iter().flatten() {
            if let Err(error) = super::link::parse(link) {
                complaints.push(error.message);
            }
        }
        if complaints.is_empty() {
            Ok(())
        } else {
            invalid(format!("invalid endpoint settings:\n{}", complaints.join("\n")))
        }
    }
}

/// The order in which a container is put on its networks: first the one of its network mode, which is its `eth0`.
pub(super) fn in_order(record: &Record) -> Vec<(&String, &EndpointSettings)> {
    let mode =
        if record.host_config.network_mode == "default" { "bridge" } else { record.host_config.network_mode.as_str() };
    let mut networks: Vec<_> = record.networks.iter().collect();
    networks.sort_by_key(|(name, settings)| (*name != mode && settings.network_id != mode, (*name).clone()));
    networks
}
