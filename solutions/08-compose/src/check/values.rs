//! Single values that the engine would refuse, told before anything is made.

use crate::error::{Error, Result};
use crate::policy::Policy;
use crate::tree::{Entry, Map, Node};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A service.
pub(super) fn service(service: &Map, key: &str) -> Result<()> {
    texts(service, key, "restart", restart)?;
    texts(service, key, "pull_policy", pull_policy)?;
    texts(service, key, "dns", |text| address::<IpAddr>(text, "IP address"))?;
    texts(service, key, "expose", expose)?;
    texts(service, key, "security_opt", security)?;
    texts(service, key, "mac_address", mac)?;
    for network in service.get("networks").and_then(Node::map).map_or(&[][..], |map| &map.0) {
        let Some(endpoint) = network.node.map() else { continue };
        let key = format!("{key}.networks.{}", network.key);
        texts(endpoint, &key, "ipv4_address", |text| address::<Ipv4Addr>(text, "IPv4 address"))?;
        texts(endpoint, &key, "ipv6_address", |text| address::<Ipv6Addr>(text, "IPv6 address"))?;
        texts(endpoint, &key, "mac_address", mac)?;
    }
    let list = |key: &str| service.get(key).and_then(Node::list).unwrap_or_default().iter().enumerate();
    for (i, port) in list("ports") {
        let Some(map) = port.map() else { continue };
        let key = format!("{key}.ports[{i}]");
        texts(map, &key, "published", |text| range(text, "hostPort"))?;
        texts(map, &key, "target", |text| range(text, "containerPort"))?;
        texts(map, &key, "protocol", protocol)?;
    }
    for (i, device) in list("devices") {
        let Some(map) = device.map() else { continue };
        texts(map, &format!("{key}.devices[{i}]"), "source", |text| match text.starts_with('/') {
            true => Ok(()),
            false => Err(format!("a device is a path of the host, and not {text:?}")),
        })?;
    }
    for (i, volume) in list("volumes") {
        let Some(map) = volume.map() else { continue };
        texts(map, &format!("{key}.volumes[{i}]"), "type", |text| match text {
            "bind" | "volume" | "tmpfs" => Ok(()),
            other => Err(format!("a mount of type {other} is not supported")),
        })?;
    }
    if let Some((at, check)) = service.at("healthcheck").zip(service.get("healthcheck").and_then(Node::map))
        && check.has("start_interval")
        && !check.has("start_period")
    {
        let what = "start_interval requires start_period to be set";
        return Err(Error::at(check.at("start_interval").unwrap_or(at), &format!("{key}.healthcheck"), what));
    }
    Ok(())
}

/// A network.
pub(super) fn network(network: &Entry) -> Result<()> {
    let pools = network.node.find(&["ipam", "config"]).and_then(Node::list).unwrap_or_default();
    for (i, pool) in pools.iter().enumerate() {
        let Some(map) = pool.map() else { continue };
        let key = format!("networks.{}.ipam.config[{i}]", network.key);
        texts(map, &key, "subnet", subnet)?;
        texts(map, &key, "ip_range", subnet)?;
        texts(map, &key, "gateway", |text| address::<IpAddr>(text, "IP address"))?;
        for other in map.get("aux_addresses").and_then(Node::map).map_or(&[][..], |map| &map.0) {
            let text = other.node.text().unwrap_or_default();
            let told = |what| Error::at(&other.at, &format!("{key}.aux_addresses.{}", other.key), what);
            address::<IpAddr>(text, "IP address").map_err(told)?;
        }
    }
    Ok(())
}

/// Looks at the text under a key, or at each of a list's.
fn texts(map: &Map, path: &str, key: &str, check: impl Fn(&str) -> std::result::Result<(), String>) -> Result<()> {
    let Some(node) = map.get(key) else { return Ok(()) };
    let one = |node: &Node, key: String| match node.scalar().filter(|text| !text.is_empty()) {
        Some(text) => check(&text).map_err(|what| Error::at(&node.at, &key, what)),
        None => Ok(()),
    };
    match node.list() {
        Some(list) => list.iter().enumerate().try_for_each(|(i, node)| one(node, format!("{path}.{key}[{i}]"))),
        None => one(node, format!("{path}.{key}")),
    }
}

fn restart(text: &str) -> std::result::Result<(), String> {
    let (name, count) = text.split_once(':').map_or((text, None), |(name, count)| (name, Some(count)));
    match (name, count) {
        ("no" | "none" | "always" | "any" | "unless-stopped" | "on-failure", None) => Ok(()),
        ("on-failure", Some(count)) if count.parse::<u32>().is_ok() => Ok(()),
        ("on-failure", Some(_)) => Err("invalid restart policy: maximum retry count must be an integer".to_owned()),
        ("no" | "always" | "unless-stopped", _) => {
            Err("invalid restart policy: maximum retry count can only be used with 'on-failure'".to_owned())
        }
        _ => Err(format!(
            "invalid restart policy: unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
        )),
    }
}

fn pull_policy(text: &str) -> std::result::Result<(), String> {
    let what = "must be one of always, missing, if_not_present, never, build, daily, weekly and every_<duration>";
    Policy::parse(text).map(drop).ok_or_else(|| what.to_owned())
}

fn address<A: std::str::FromStr>(text: &str, what: &str) -> std::result::Result<(), String> {
    text.parse::<A>().map(drop).map_err(|_| format!("invalid {what}: {text}"))
}

fn subnet(text: &str) -> std::result::Result<(), String> {
    let (ip, bits) = text.split_once('/').unwrap_or((text, ""));
    let most = match ip.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => 0,
    };
    match bits.parse::<u8>() {
        Ok(bits) if bits <= most && most > 0 => Ok(()),
        _ => Err(format!("invalid subnet: {text}; it is written as 10.1.0.0/16")),
    }
}

fn mac(text: &str) -> std::result::Result<(), String> {
    let parts: Vec<_> = text.split([':', '-']).collect();
    let is_byte = |part: &&str| part.len() == 2 && part.chars().all(|c| c.is_ascii_hexdigit());
    match parts.len() == 6 && parts.iter().all(is_byte) {
        true => Ok(()),
        false => Err(format!("invalid MAC address: {text}")),
    }
}

fn expose(text: &str) -> std::result::Result<(), String> {
    let (ports, of) = text.split_once('/').unwrap_or((text, "tcp"));
    range(ports, "containerPort")?;
    protocol(of)
}

fn range(text: &str, what: &str) -> std::result::Result<(), String> {
    crate::ports::range(text).map(drop).ok_or_else(|| format!("invalid {what}: {text}"))
}

fn protocol(text: &str) -> std::result::Result<(), String> {
    match text {
        "tcp" | "udp" | "sctp" => Ok(()),
        other => Err(format!("invalid proto: {other}")),
    }
}

fn security(text: &str) -> std::result::Result<(), String> {
    match text == "no-new-privileges" || text.contains(['=', ':']) {
        true => Ok(()),
        false => Err(format!("invalid security-opt: {text:?}")),
    }
}
