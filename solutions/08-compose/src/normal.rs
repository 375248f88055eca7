//! What is meant where nothing is said.

use crate::environment::services;
use crate::tree::{Map, Node, Value};
use std::path::Path;

/// Values that one set of files implies, whichever project it becomes a part of.
pub(crate) fn defaults(tree: &mut Node, base: &Path, resolve_paths: bool) {
    let base = if resolve_paths { base.to_string_lossy().into_owned() } else { ".".to_owned() };
    for service in services(tree) {
        if let Some(build) = service.get_mut("build") {
            let at = build.at.clone();
            if let Some(map) = build.map_mut() {
                map.set_default("context", Node::of_text(&at, base.as_str()));
            }
        }
        for port in mappings(service, "ports") {
            let at = port.at.clone();
            if let Some(map) = port.map_mut() {
                map.set_default("protocol", Node::of_text(&at, "tcp"));
                map.set_default("mode", Node::of_text(&at, "ingress"));
            }
        }
        for secret in mappings(service, "secrets") {
            let at = secret.at.clone();
            if let Some(map) = secret.map_mut() {
                let target = format!("/run/secrets/{}", map.text("source").unwrap_or_default());
                map.set_default("target", Node::of_text(&at, target));
            }
        }
        for volume in mappings(service, "volumes") {
            let at = volume.at.clone();
            if let Some(bind) = volume.map_mut().and_then(|map| map.get_mut("bind")).and_then(Node::map_mut) {
                bind.set_default("create_host_path", Node::of_bool(&at, true));
            }
        }
    }
}

fn mappings<'a>(service: &'a mut Map, key: &str) -> &'a mut [Node] {
    match service.get_mut(key).map(|node| &mut node.value) {
        Some(Value::List(list)) => list,
        _ => &mut [],
    }
}

/// Values that the project implies: its default network, the names of what it makes, the services that are waited for because
/// something of theirs is shared.
pub(crate) fn normalise(tree: &mut Node, project: &str) {
    let mut uses_default = false;
    for service in services(tree) {
        uses_default |= join_default(service);
        if let Some(policy) = service.get_mut("pull_policy").filter(|node| node.text() == Some("if_not_present")) {
            policy.value = Value::Text("missing".to_owned());
        }
        if let Some(build) = service.get_mut("build") {
            let at = build.at.clone();
            if let Some(map) = build.map_mut().filter(|map| !map.has("dockerfile_inline")) {
                map.set_default("dockerfile", Node::of_text(&at, "Dockerfile"));
            }
        }
        implied_dependencies(service);
    }
    let at = tree.at.clone();
    let Some(file) = tree.map_mut() else { return };
    if uses_default {
        file.set_default("networks", Node::new(&at, Value::Map(Map::default())));
        if let Some(networks) = file.get_mut("networks").and_then(Node::map_mut) {
            networks.set_default("default", Node::new(&at, Value::Null));
        }
    }
    for kind in ["networks", "volumes", "configs", "secrets"] {
        let Some(resources) = file.get_mut(kind).and_then(Node::map_mut) else { continue };
        for entry in &mut resources.0 {
            if entry.node.value == Value::Null {
                entry.node.value = Value::Map(Map::default());
            }
            let Some(map) = entry.node.map_mut() else { continue };
            let external = map.get("external").is_some_and(|node| node.value == Value::Bool(true));
            let name = if external { entry.key.clone() } else { format!("{project}_{}", entry.key) };
            map.set_default("name", Node::of_text(&entry.at, name));
        }
    }
}

/// A service that names no network is in the default one. Whether it is.
fn join_default(service: &mut Map) -> bool {
    if service.has("network_mode") {
        return false;
    }
    let named = service.get("networks").and_then(Node::map).filter(|networks| !networks.0.is_empty());
    if let Some(networks) = named {
        return networks.has("default");
    }
    let Some(at) = service.0.first().map(|entry| entry.at.clone()) else { return false };
    service.set("networks", Node::of_map(&at, [("default".to_owned(), Node::new(&at, Value::Null))]));
    true
}

/// Who uses another's namespace, volumes or name waits for it.
fn implied_dependencies(service: &mut Map) {
    let mut found: Vec<(String, bool, Node)> = Vec::new();
    let lists = |key: &str| service.get(key).and_then(Node::list).unwrap_or_default();
    for link in lists("links") {
        let name = link.text().unwrap_or_default().split(':').next().unwrap_or_default();
        found.push((name.to_owned(), true, link.clone()));
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some((name, node)) =
            service.get(key).and_then(|node| Some((node.text()?.strip_prefix("service:")?, node)))
        {
            found.push((name.to_owned(), true, node.clone()));
        }
    }
    for from in lists("volumes_from") {
        let text = from.text().unwrap_or_default();
        if !text.starts_with("container:") {
            found.push((text.split(':').next().unwrap_or_default().to_owned(), false, from.clone()));
        }
    }
    for (name, restart, node) in found {
        let at = &node.at;
        service.set_default("depends_on", Node::new(at, Value::Map(Map::default())));
        let Some(map) = service.get_mut("depends_on").and_then(Node::map_mut) else { continue };
        let dependency = [
            ("condition".to_owned(), Node::of_text(at, "service_started")),
            ("restart".to_owned(), Node::of_bool(at, restart)),
            ("required".to_owned(), Node::of_bool(at, true)),
        ];
        map.set_default(&name, Node::of_map(at, dependency));
    }
}
