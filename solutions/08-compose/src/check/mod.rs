//! Whether a project makes sense as a whole: everything that is named is there, and nothing is there twice.

mod agree;
mod kesako;
mod ready;
mod since;
mod unique;
mod values;

pub(crate) use kesako::suits as suits_kesako;
pub(crate) use ready::ready;
pub(crate) use since::since;
pub(crate) use unique::check as once;

use crate::canonical::nearest;
use crate::error::{Error, Result};
use crate::order::{Dependencies, start_order};
use crate::tree::{Entry, Map, Node, Value};
use std::collections::BTreeSet;

/// Looks at all services that take part; `disabled` are those that their profiles leave out.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn check(tree: &Node, project: &str, disabled: &BTreeSet<String>) -> Result<()> {
    let names: BTreeSet<&str> = tree.entries("services").iter().map(|entry| entry.key.as_str()).collect();
    for entry in tree.entries("services") {
        let Some(service) = entry.node.map() else { continue };
        let key = format!("services.{}", entry.key);
        source(entry, service, &key)?;
        references(tree, entry, service, &key)?;
        dependencies(&names, entry, service, &key, disabled)?;
        values::service(service, &key)?;
        agree::check(tree, service, &key)?;
        unique::mounts(service, &key)?;
    }
    unique::check(tree, project)?;
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
        let by = implied_by(service, &dependency.key).unwrap_or_else(|| format!("depends_on.{}", dependency.key));
        return Err(Error::at(&dependency.at, &format!("{key}.{by}"), what));
    }
    Ok(())
}

/// The key by which a service shares something of another one, and so waits for it.
fn implied_by(service: &Map, other: &str) -> Option<String> {
    let names = |key: &&&str| service.text(key).and_then(crate::model::Service::shared) == Some(other);
    if let Some(key) = ["network_mode", "ipc", "pid", "uts", "cgroup"].iter().find(names) {
        return Some((*key).to_owned());
    }
    ["links", "volumes_from"].iter().find_map(|key| {
        let list = service.get(key).and_then(Node::list).unwrap_or_default();
        let place =
            list.iter().position(|node| node.text().is_some_and(|text| text.split(':').next() == Some(other)))?;
        Some(format!("{key}[{place}]"))
    })
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
    for network in tree.entries("networks") {
        values::network(network)?;
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
