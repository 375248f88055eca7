//! A container's place on its networks, and its ports.

use super::{MANY_NETWORKS, Wanted, some, some_map};
use crate::error::{Error, Result};
use crate::model::{Endpoint, Service};
use engine::api::{Empty, EndpointIpamConfig, EndpointSettings, Keys, PortBinding};
use std::collections::BTreeMap;

/// The networks it is on, by the engine's names. The first is that of the highest priority, and the only one that an old
/// engine takes at create.
pub(super) fn networks(wanted: &Wanted<'_>, links: &[String]) -> Result<Vec<(String, EndpointSettings)>> {
    let service = wanted.service;
    if !service.network_mode.is_empty() {
        return Ok(Vec::new());
    }
    let mut networks = Vec::new();
    for (i, key) in service.networks_by_priority().into_iter().enumerate() {
        let unknown = || Error::Failed(format!("service {:?} refers to undefined network {key}", service.name));
        let network = wanted.model.networks.get(key).ok_or_else(unknown)?;
        let endpoint = service.networks.get(key).ok_or_else(unknown)?;
        // The service's own address is that of its first network.
        let mac = match (i, endpoint.mac_address.as_str(), service.mac_address.as_str()) {
            (0, "", mac) => mac,
            (0, mac, other) if !other.is_empty() && mac != other => {
                let what = format!("the service-level mac_address should have the same value as network {key}");
                return Err(Error::Failed(what));
            }
            (_, mac, _) => mac,
        };
        if !mac.is_empty() && wanted.api < MANY_NETWORKS {
            return Err(Error::Failed("mac_address requires Docker Engine v25.0 or later".to_owned()));
        }
        networks.push((network.name.clone(), settings(wanted, endpoint, mac, links)));
    }
    Ok(networks)
}

fn settings(wanted: &Wanted<'_>, endpoint: &Endpoint, mac: &str, links: &[String]) -> EndpointSettings {
    let mut driver_opts = endpoint.driver_opts.clone();
    if !endpoint.interface_name.is_empty() {
        let key = "com.docker.network.endpoint.ifname".to_owned();
        driver_opts.entry(key).or_insert_with(|| endpoint.interface_name.clone());
    }
    let fixed =
        EndpointIpamConfig { ipv4_address: endpoint.ipv4_address.clone(), ipv6_address: endpoint.ipv6_address.clone() };
    EndpointSettings {
        aliases: some(aliases(wanted, endpoint)),
        links: some(links.to_vec()),
        ipam_config: (fixed != EndpointIpamConfig::default()).then_some(fixed),
        mac_address: mac.to_owned(),
        driver_opts: some_map(driver_opts),
        gw_priority: endpoint.gw_priority,
        ..EndpointSettings::default()
    }
}

/// The names it answers to: its own, its service's, and those that the file gives it. The engine adds its short ID.
fn aliases(wanted: &Wanted<'_>, endpoint: &Endpoint) -> Vec<String> {
    let service = wanted.service;
    // Not `wanted.name`, which may be one for the time until its predecessor is gone.
    let own = wanted.number.map(|number| service.container_name(&wanted.model.name, number));
    let mut aliases = vec![own.unwrap_or_else(|| wanted.name.to_owned())];
    if wanted.run.is_none_or(|run| run.use_aliases) {
        aliases.push(service.name.clone());
        aliases.extend(endpoint.aliases.iter().cloned());
    }
    let mut known = std::collections::BTreeSet::new();
    aliases.retain(|alias| known.insert(alias.clone()));
    aliases
}

/// `CONTAINER:ALIAS` for each container of a service that is linked.
pub(super) fn links(wanted: &Wanted<'_>) -> Result<Vec<String>> {
    let (project, mut links) = (&wanted.model.name, Vec::new());
    for link in &wanted.service.links {
        let (service, alias) = link.split_once(':').unwrap_or((link, link));
        let missing = || Error::Failed(format!("cannot link to service {service}: container missing"));
        let number = wanted.number.unwrap_or(1);
        for container in wanted.others.get(service).filter(|containers| !containers.is_empty()).ok_or_else(missing)? {
            links.push(format!("{container}:{alias}"));
            links.push(format!("{container}:{service}-{number}"));
            links.push(format!("{container}:{project}-{service}-{number}"));
        }
    }
    for link in &wanted.service.external_links {
        let (container, alias) = link.split_once(':').unwrap_or((link, link));
        links.push(format!("{container}:{alias}"));
    }
    Ok(links)
}

/// The ports that it is said to listen on.
pub(super) fn exposed(service: &Service) -> Result<Keys> {
    let mut ports = Keys::new();
    for port in &service.ports {
        ports.insert(format!("{}/{}", port.target, port.protocol), Empty {});
    }
    for text in &service.expose {
        let invalid = || Error::Failed(format!("service {:?}: invalid exposed port: {text}", service.name));
        let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (first, last) = crate::ports::range(range).ok_or_else(invalid)?;
        ports.extend((first..=last).map(|port| (format!("{port}/{protocol}"), Empty {})));
    }
    Ok(ports)
}

/// Where the world finds them.
pub(super) fn published(service: &Service) -> BTreeMap<String, Option<Vec<PortBinding>>> {
    let mut bindings: BTreeMap<String, Option<Vec<PortBinding>>> = BTreeMap::new();
    for port in &service.ports {
        let binding = PortBinding { host_ip: port.host_ip.clone(), host_port: port.published.clone() };
        let of_port = bindings.entry(format!("{}/{}", port.target, port.protocol)).or_default();
        of_port.get_or_insert_default().push(binding);
    }
    bindings
}
