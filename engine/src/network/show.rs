//! A container's networks and ports, as `inspect` and `ps` tell them.

use super::{Attachment, attachments};
use crate::api::{EndpointSettings, PortBinding, PortSummary};
use crate::container::record::{Container, Record};
use crate::container::state::State;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The networks that the container is on; while it runs, with what it has there.
pub(crate) fn networks(container: &Container, record: &Record, state: &State) -> BTreeMap<String, EndpointSettings> {
    let mode = record.host_config.network_mode.as_str();
    if matches!(mode, "none" | "host") {
        return BTreeMap::from([(mode.to_owned(), EndpointSettings::default())]);
    }
    let live = if state.status.is_running() { attachments(container) } else { Vec::new() };
    let with_what_it_has = |(name, wanted): (&String, &EndpointSettings)| {
        let live = live.iter().find(|attachment| attachment.network.as_str() == wanted.network_id);
        let settings = live.map_or_else(|| wanted.clone(), |attachment| of(attachment, wanted));
        (name.clone(), settings)
    };
    record.networks.iter().map(with_what_it_has).collect()
}

fn of(attachment: &Attachment, wanted: &EndpointSettings) -> EndpointSettings {
    let find = |ipv4: bool| attachment.addresses.iter().find(|address| address.is_ipv4() == ipv4);
    let gateway = |ipv4: bool| {
        let found = attachment.gateways.iter().find(|gateway| gateway.is_ipv4() == ipv4);
        found.map(ToString::to_string).unwrap_or_default()
    };
    let text = |ipv4| find(ipv4).map(|subnet| subnet.address.to_string()).unwrap_or_default();
    let length = |ipv4| find(ipv4).map_or(0, |subnet| subnet.length);
    EndpointSettings {
        endpoint_id: attachment.endpoint.clone(),
        mac_address: attachment.mac.clone(),
        gateway: gateway(true),
        ip_address: text(true),
        ip_prefix_len: length(true),
        ipv6_gateway: gateway(false),
        global_ipv6_address: text(false),
        global_ipv6_prefix_len: length(false),
        dns_names: Some(attachment.names.clone()).filter(|names| !names.is_empty()),
        ..wanted.clone()
    }
}

/// The exposed ports of a container that runs, and where each is published.
pub(crate) fn ports(
    container: &Container,
    record: &Record,
    state: &State,
) -> BTreeMap<String, Option<Vec<PortBinding>>> {
    let mode = record.host_config.network_mode.as_str();
    if !state.status.is_running() || mode == "host" || mode.starts_with("container:") {
        return BTreeMap::new();
    }
    let exposed = record.config.exposed_ports.iter().flatten().map(|(port, _)| (port.clone(), None));
    let mut ports: BTreeMap<String, Option<Vec<PortBinding>>> = exposed.collect();
    for port in attachments(container).iter().flat_map(|attachment| &attachment.ports) {
        let binding = PortBinding { host_ip: port.host.to_string(), host_port: port.host_port.to_string() };
        let key = format!("{}/{}", port.container_port, port.protocol);
        ports.entry(key).or_default().get_or_insert_default().push(binding);
    }
    ports
}

/// The same as rows of `ps`.
pub(crate) fn port_rows(ports: &BTreeMap<String, Option<Vec<PortBinding>>>) -> Vec<PortSummary> {
    let mut rows = Vec::new();
    for (port, bindings) in ports {
        let Ok(port) = port.parse::<network::Port>() else { continue };
        let row = |binding: Option<&PortBinding>| PortSummary {
            ip: binding.map(|binding| binding.host_ip.clone()).unwrap_or_default(),
            private_port: port.number,
            public_port: binding.and_then(|binding| binding.host_port.parse().ok()),
            r#type: port.protocol.to_string(),
        };
        match bindings.as_deref() {
            None | Some([]) => rows.push(row(None)),
            Some(bindings) => rows.extend(bindings.iter().map(|binding| row(Some(binding)))),
        }
    }
    rows
}

/// What old clients look for outside of the networks: the container's place on the default one.
pub(crate) fn shown_settings(networks: &BTreeMap<String, EndpointSettings>) -> serde_json::Map<String, Value> {
    let none = EndpointSettings::default();
    let on_bridge = networks.get("bridge").unwrap_or(&none);
    let fields = json!({
        "HairpinMode": false, "LinkLocalIPv6Address": "", "LinkLocalIPv6PrefixLen": 0, "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null, "EndpointID": on_bridge.endpoint_id, "Gateway": on_bridge.gateway,
        "GlobalIPv6Address": on_bridge.global_ipv6_address, "GlobalIPv6PrefixLen": on_bridge.global_ipv6_prefix_len,
        "IPAddress": on_bridge.ip_address, "IPPrefixLen": on_bridge.ip_prefix_len, "IPv6Gateway": on_bridge.ipv6_gateway,
        "MacAddress": on_bridge.mac_address
    });
    match fields {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}
