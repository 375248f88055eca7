//! What there can be only once: names, ports, addresses, the thing at a path. And how many containers a service may have, for that.

use crate::error::{Error, Result};
use crate::tree::{Entry, Map, Node, Value};
use std::collections::BTreeMap;

/// So many containers have no place on any machine.
const CONTAINERS: i64 = 65_535;

/// Looks at all services together.
///
/// # Errors
/// The first thing that is there twice.
pub(crate) fn check(tree: &Node, project: &str) -> Result<()> {
    for entry in tree.entries("services") {
        if let Some(service) = entry.node.map() {
            scale(service, &format!("services.{}", entry.key))?;
        }
    }
    container_names(tree, project)?;
    ports(tree)?;
    addresses(tree)
}

/// How many containers a service has.
fn containers(service: &Node) -> i64 {
    let number = |path: &[&str]| match service.find(path)?.value {
        Value::Int(number) => Some(number),
        _ => None,
    };
    number(&["scale"]).or_else(|| number(&["deploy", "replicas"])).unwrap_or(1)
}

/// How often it runs.
fn scale(service: &Map, path: &str) -> Result<()> {
    let replicas = service.get("deploy").and_then(|deploy| deploy.find(&["replicas"]));
    let number = |node: &Node| if let Value::Int(number) = node.value { number } else { 1 };
    let scale = service.get("scale");
    for (node, name) in [(scale, "scale"), (replicas, "deploy.replicas")] {
        let Some(node) = node else { continue };
        let key = format!("{path}.{name}");
        match number(node) {
            ..0 => return Err(Error::at(&node.at, &key, "must be greater than or equal to 0")),
            0..=CONTAINERS => {}
            _ => return Err(Error::at(&node.at, &key, format_args!("must be less than or equal to {CONTAINERS}"))),
        }
        if let (Some(at), true) = (service.at("container_name"), number(node) > 1) {
            let what = format!("can't set container_name and {name} as container name must be unique");
            return Err(Error::at(at, &format!("{path}.container_name"), what));
        }
    }
    match (scale, replicas) {
        (Some(a), Some(b)) if number(a) != number(b) => {
            Err(Error::at(&a.at, path, "can't set distinct values on 'scale' and 'deploy.replicas'"))
        }
        _ => Ok(()),
    }
}

/// One thing at each path.
pub(super) fn mounts(service: &Map, key: &str) -> Result<()> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let list = |key: &str| service.get(key).and_then(Node::list).unwrap_or_default().iter().enumerate();
    let tmpfs = list("tmpfs").map(|(i, node)| {
        let target = node.text().unwrap_or_default().split(':').next().unwrap_or_default();
        (format!("{key}.tmpfs[{i}]"), target.to_owned(), &node.at)
    });
    let volumes = list("volumes").filter_map(|(i, node)| {
        Some((format!("{key}.volumes[{i}]"), node.map()?.text("target")?.to_owned(), &node.at))
    });
    for (key, target, at) in tmpfs.chain(volumes) {
        if let Some(other) = taken.insert(target.clone(), key.clone()) {
            return Err(Error::at(at, &key, format_args!("target {target} already mounted as {other}")));
        }
    }
    Ok(())
}

fn container_names(tree: &Node, project: &str) -> Result<()> {
    let services: BTreeMap<&str, &Entry> = tree.entries("services").iter().map(|e| (e.key.as_str(), e)).collect();
    let mut taken: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in tree.entries("services") {
        let Some(node) = entry.node.find(&["container_name"]) else { continue };
        let name = node.text().unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let key = format!("services.{}.container_name", entry.key);
        if name.len() < 2 || !name.chars().all(allowed) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let what = format!("{name:?} is no name of a container: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
            return Err(Error::at(&node.at, &key, what));
        }
        let usual = usual(name, project).and_then(|(service, number)| {
            let other = services.get(service).filter(|other| other.node.find(&["container_name"]).is_none())?;
            (1..=containers(&other.node)).contains(&number).then_some(*other)
        });
        if let Some(other) = usual.or(taken.insert(name, entry)) {
            let what = format!("container name {name:?} is already in use by service {:?}, {}", other.key, other.at);
            return Err(Error::at(&node.at, &key, what));
        }
    }
    Ok(())
}

/// Of which service, and of which of its containers, this is the name if nobody says otherwise.
fn usual<'a>(name: &'a str, project: &str) -> Option<(&'a str, i64)> {
    let (service, number) = name.strip_prefix(project)?.strip_prefix('-')?.rsplit_once('-')?;
    Some((service, number.parse().ok()?))
}

/// No two containers publish at the same place. A range leaves a choice, and takes no place.
fn ports(tree: &Node) -> Result<()> {
    type Taken<'a> = BTreeMap<(u16, String), Vec<(String, &'a Entry, &'a Node)>>;
    let mut taken: Taken<'_> = BTreeMap::new();
    for entry in tree.entries("services") {
        let containers = containers(&entry.node);
        for (i, port) in entry.node.find(&["ports"]).and_then(Node::list).unwrap_or_default().iter().enumerate() {
            let text = |key: &str| port.find(&[key]).and_then(Node::scalar).unwrap_or_default();
            let (key, published) = (format!("services.{}.ports[{i}]", entry.key), text("published"));
            let Some((first, last)) = crate::ports::range(&published).filter(|(first, _)| *first > 0) else { continue };
            if i64::from(last - first) + 1 < containers {
                let what = format!("{containers} containers cannot be published at {published}: each port is one's");
                return Err(Error::at(&port.at, &key, what));
            }
            if first != last || containers == 0 {
                continue;
            }
            let ip = text("host_ip");
            let others = taken.entry((first, text("protocol"))).or_default();
            let everywhere = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
            let meets = |other: &str| {
                let same_family = other.is_empty() || ip.is_empty() || other.contains(':') == ip.contains(':');
                same_family && (other == ip || everywhere(other) || everywhere(&ip))
            };
            if let Some((_, other, node)) = others.iter().find(|(other, ..)| meets(other)) {
                let what = format!("port {published} is already published by service {:?}, {}", other.key, node.at);
                return Err(Error::at(&port.at, &key, what));
            }
            others.push((ip, entry, port));
        }
    }
    Ok(())
}

/// No two containers have the same address.
fn addresses(tree: &Node) -> Result<()> {
    let mut taken: BTreeMap<(&str, &str), &Entry> = BTreeMap::new();
    for entry in tree.entries("services") {
        for network in entry.node.entries("networks") {
            for kind in ["ipv4_address", "ipv6_address", "mac_address"] {
                let Some(node) = network.node.find(&[kind]) else { continue };
                let address = node.text().unwrap_or_default();
                let key = format!("services.{}.networks.{}.{kind}", entry.key, network.key);
                let containers = containers(&entry.node);
                if containers > 1 {
                    let what = format!("{containers} containers cannot have the one address {address}");
                    return Err(Error::at(&node.at, &key, what));
                }
                if let Some(other) = taken.insert((&network.key, address), entry) {
                    let what = format!("address {address} is already that of service {:?}, {}", other.key, other.at);
                    return Err(Error::at(&node.at, &key, what));
                }
            }
        }
    }
    Ok(())
}
