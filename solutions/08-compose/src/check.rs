//! Whether a project makes sense as a whole: everything that is named is there, and nothing is there twice.

use crate::canonical::nearest;
use crate::error::{Error, Result};
use crate::order::{Dependencies, start_order};
use crate::tree::{Entry, Map, Node, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Looks at all services that take part; `disabled` are those that their profiles leave out.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn check(tree: &Node, disabled: &BTreeSet<String>) -> Result<()> {
    let names: BTreeSet<&str> = tree.entries("services").iter().map(|entry| entry.key.as_str()).collect();
    for entry in tree.entries("services") {
        let Some(service) = entry.node.map() else { continue };
        let key = format!("services.{}", entry.key);
        source(entry, service, &key)?;
        references(tree, entry, service, &key)?;
        dependencies(&names, entry, service, &key, disabled)?;
        scale(service, &key)?;
        mounts(service, &key)?;
    }
    container_names(tree)?;
    ports(tree)?;
    resources(tree)?;
    cycles(tree)
}

/// Something to run.
fn source(entry: &Entry, service: &Map, key: &str) -> Result<()> {
    let at = &entry.at;
    if !service.has("build") && service.text("image").unwrap_or_default().is_empty() {
        let what = format!("service {:?} has neither an image nor a build context specified", entry.key);
        return Err(Error::at(at, key, what));
    }
    let build = service.get("build").and_then(Node::map);
    if let (Some(build), Some(at)) = (build, service.at("build")) {
        let has = |key| build.text(key).is_some_and(|text| !text.is_empty());
        if has("dockerfile") && has("dockerfile_inline") {
            return Err(Error::at(
                at,
                &format!("{key}.build"),
                "dockerfile and dockerfile_inline are mutually exclusive",
            ));
        }
    }
    let networks = service.get("networks").and_then(Node::map).is_some_and(|map| !map.0.is_empty());
    if let (true, Some(at)) = (networks, service.at("network_mode")) {
        let what = format!("service {} declares mutually exclusive `network_mode` and `networks`", entry.key);
        return Err(Error::at(at, &format!("{key}.network_mode"), what));
    }
    Ok(())
}

/// The networks, volumes, secrets and configs that it uses.
fn references(tree: &Node, entry: &Entry, service: &Map, key: &str) -> Result<()> {
    let one = |kind: &str, what: &str, name: &str, node: &Node, key: String| {
        let known = tree.entries(kind);
        if known.iter().any(|known| known.key == name) {
            return Ok(());
        }
        let hint = nearest(name, known.iter().map(|known| known.key.as_str()));
        let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let what = format!("service {:?} refers to undefined {what} {name}{hint}", entry.key);
        Err(Error::at(&node.at, &key, what))
    };
    for network in service.get("networks").and_then(Node::map).map_or(&[][..], |map| &map.0) {
        let at = Node::new(&network.at, Value::Null);
        one("networks", "network", &network.key, &at, format!("{key}.networks.{}", network.key))?;
    }
    let list = |map: &Map, key: &str| map.get(key).and_then(Node::list).unwrap_or_default().to_vec();
    for (i, volume) in list(service, "volumes").iter().enumerate() {
        let Some(map) = volume.map() else { continue };
        if let (Some("volume"), Some(source)) = (map.text("type"), map.text("source")) {
            one("volumes", "volume", source, volume, format!("{key}.volumes[{i}]"))?;
        }
    }
    for (kind, what) in [("secrets", "secret"), ("configs", "config")] {
        for (i, grant) in list(service, kind).iter().enumerate() {
            let source = grant.map().and_then(|map| map.text("source")).unwrap_or_default();
            one(kind, what, source, grant, format!("{key}.{kind}[{i}]"))?;
        }
    }
    let build = service.get("build").and_then(Node::map).cloned().unwrap_or_default();
    for (i, grant) in list(&build, "secrets").iter().enumerate() {
        let source = grant.map().and_then(|map| map.text("source")).unwrap_or_default();
        one("secrets", "build secret", source, grant, format!("{key}.build.secrets[{i}]"))?;
    }
    Ok(())
}

/// The services that it waits for.
fn dependencies(
    names: &BTreeSet<&str>,
    entry: &Entry,
    service: &Map,
    key: &str,
    disabled: &BTreeSet<String>,
) -> Result<()> {
    for dependency in service.get("depends_on").and_then(Node::map).map_or(&[][..], |map| &map.0) {
        let required = dependency.node.find(&["required"]).is_none_or(|node| node.value != Value::Bool(false));
        let is_there = names.contains(dependency.key.as_str());
        let is_disabled = disabled.contains(&dependency.key);
        if is_there || is_disabled && !required {
            continue;
        }
        let hint = match nearest(&dependency.key, names.iter().copied()) {
            _ if is_disabled => "; its profile is not enabled".to_owned(),
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        let what = format!("service {:?} depends on undefined service {:?}{hint}", entry.key, dependency.key);
        return Err(Error::at(&dependency.at, &format!("{key}.depends_on.{}", dependency.key), what));
    }
    Ok(())
}

/// How often it runs.
fn scale(service: &Map, path: &str) -> Result<()> {
    let replicas = service.get("deploy").and_then(|deploy| deploy.find(&["replicas"]));
    let number = |node: &Node| if let Value::Int(number) = node.value { number } else { 1 };
    let scale = service.get("scale");
    for (node, name) in [(scale, "scale"), (replicas, "deploy.replicas")] {
        let Some(node) = node else { continue };
        let key = format!("{path}.{name}");
        if number(node) < 0 {
            return Err(Error::at(&node.at, &key, "must be greater than or equal to 0"));
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
fn mounts(service: &Map, key: &str) -> Result<()> {
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

fn container_names(tree: &Node) -> Result<()> {
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
        if let Some(other) = taken.insert(name, entry) {
            let what = format!("container name {name:?} is already in use by service {:?}, {}", other.key, other.at);
            return Err(Error::at(&node.at, &key, what));
        }
    }
    Ok(())
}

/// No two services publish at the same place. A range leaves a choice, and takes no place.
fn ports(tree: &Node) -> Result<()> {
    type Taken<'a> = BTreeMap<(u16, String), Vec<(String, &'a Entry, &'a Node)>>;
    let mut taken: Taken<'_> = BTreeMap::new();
    for entry in tree.entries("services") {
        for (i, port) in entry.node.find(&["ports"]).and_then(Node::list).unwrap_or_default().iter().enumerate() {
            let text = |key: &str| port.find(&[key]).and_then(Node::scalar).unwrap_or_default();
            let Ok(published) = text("published").parse::<u16>() else { continue };
            if published == 0 {
                continue;
            }
            let ip = text("host_ip");
            let others = taken.entry((published, text("protocol"))).or_default();
            let everywhere = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
            let meets = |other: &str| {
                let same_family = other.is_empty() || ip.is_empty() || other.contains(':') == ip.contains(':');
                same_family && (other == ip || everywhere(other) || everywhere(&ip))
            };
            if let Some((_, other, node)) = others.iter().find(|(other, ..)| meets(other)) {
                let what = format!("port {published} is already published by service {:?}, {}", other.key, node.at);
                return Err(Error::at(&port.at, &format!("services.{}.ports[{i}]", entry.key), what));
            }
            others.push((ip, entry, port));
        }
    }
    Ok(())
}

/// Secrets and configs come from somewhere, and what is external is not described.
fn resources(tree: &Node) -> Result<()> {
    for (kind, sources) in [("secrets", &["file", "environment"][..]), ("configs", &["file", "environment", "content"])]
    {
        for entry in tree.entries(kind) {
            let Some(map) = entry.node.map() else { continue };
            let key = format!("{kind}.{}", entry.key);
            let external = map.get("external").is_some_and(|node| node.value == Value::Bool(true));
            let of = sources.join("|");
            match sources.iter().filter(|source| map.has(source)).count() {
                0 if !external && !map.has("driver") => {
                    return Err(Error::at(&entry.at, &key, format_args!("one of {of} must be set")));
                }
                2.. => return Err(Error::at(&entry.at, &key, format_args!("{of} attributes are mutually exclusive"))),
                _ => {}
            }
        }
    }
    for kind in ["networks", "volumes", "secrets", "configs"] {
        for entry in tree.entries(kind) {
            let Some(map) = entry.node.map() else { continue };
            if map.get("external").is_none_or(|node| node.value != Value::Bool(true)) {
                continue;
            }
            let extra =
                |other: &&Entry| !matches!(other.key.as_str(), "name" | "external") && !other.key.starts_with("x-");
            if let Some(other) = map.0.iter().find(extra) {
                let what = format!("conflicting parameters \"external\" and {:?} specified", other.key);
                return Err(Error::at(&other.at, &format!("{kind}.{}", entry.key), what));
            }
        }
    }
    Ok(())
}

/// The dependencies of all services.
pub(crate) fn graph(tree: &Node) -> Dependencies {
    let of = |entry: &Entry| entry.node.entries("depends_on").iter().map(|entry| entry.key.clone()).collect();
    tree.entries("services").iter().map(|entry| (entry.key.clone(), of(entry))).collect()
}

fn cycles(tree: &Node) -> Result<()> {
    let Err(cycle) = start_order(&graph(tree)) else { return Ok(()) };
    let what = format!("dependency cycle detected: {}", cycle.join(" -> "));
    let [first, second, ..] = &cycle[..] else { return Ok(()) };
    let node = tree.find(&["services", first, "depends_on"]);
    let at = node.and_then(Node::map).and_then(|map| map.at(second)).unwrap_or(&tree.at);
    Err(Error::at(at, &format!("services.{first}.depends_on.{second}"), what))
}
