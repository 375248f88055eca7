//! What Docker's engine has and Kesako's has not. It would say so itself, but only once it has made half of the project, and it
//! knows no files and lines.

use crate::error::{Error, Result};
use crate::tree::{Entry, Map, Node, Value};
use std::io::ErrorKind;
use std::path::Path;

/// Looks at all services, networks and volumes, and for the files that are to be mounted, which are on this machine.
///
/// # Errors
/// The first thing that Kesako's engine would refuse.
pub(crate) fn suits(tree: &Node) -> Result<()> {
    for entry in tree.entries("services") {
        let Some(map) = entry.node.map() else { continue };
        let key = format!("services.{}", entry.key);
        service(map, &key)?;
        files(tree, map, &key)?;
        for network in entry.node.entries("networks") {
            let key = format!("{key}.networks.{}", network.key);
            none_of(&network.node, &["driver_opts", "interface_name"], &key)?;
        }
        if let Some(driver) = entry.node.find(&["logging", "driver"]) {
            only(driver, &["", "json-file", "none"], &format!("{key}.logging.driver"))?;
        }
    }
    for entry in tree.entries("networks") {
        let key = format!("networks.{}", entry.key);
        name(entry, "networks")?;
        if let Some(driver) = entry.node.find(&["driver"]) {
            only(driver, &["", "default", "bridge"], &format!("{key}.driver"))?;
        }
        if let Some(node) = entry.node.find(&["enable_ipv4"]).filter(|node| node.value == Value::Bool(false)) {
            return refuse(node, &format!("{key}.enable_ipv4"), "a network without IPv4");
        }
        if let Some(ipam) = entry.node.find(&["ipam"]) {
            none_of(ipam, &["options"], &format!("{key}.ipam"))?;
            ipam.find(&["driver"])
                .map_or(Ok(()), |node| only(node, &["", "default"], &format!("{key}.ipam.driver")))?;
        }
    }
    for entry in tree.entries("volumes") {
        name(entry, "volumes")?;
        if let Some(driver) = entry.node.find(&["driver"]) {
            only(driver, &["", "local"], &format!("volumes.{}.driver", entry.key))?;
        }
    }
    Ok(())
}

fn service(service: &Map, key: &str) -> Result<()> {
    let keys = ["annotations", "storage_opt", "mem_swappiness", "cpu_rt_period", "cpu_rt_runtime", "cgroup_parent"];
    for name in keys {
        if let Some(node) = service.get(name).filter(|node| says_something(node)) {
            return refuse(node, &format!("{key}.{name}"), "this");
        }
    }
    for (name, namespace) in [("ipc", "IPC"), ("pid", "PID")] {
        let Some(node) = service.get(name) else { continue };
        let mode = node.text().unwrap_or_default();
        if mode.starts_with("service:") || mode.starts_with("container:") {
            return refuse(node, &format!("{key}.{name}"), &format!("the {namespace} namespace of another container"));
        }
    }
    Ok(())
}

/// What is mounted is there, if it is not to be made.
fn files(tree: &Node, service: &Map, key: &str) -> Result<()> {
    let list = |kind: &str| service.get(kind).and_then(Node::list).unwrap_or_default().iter().enumerate();
    let is_there = |path: &str, node: &Node, key: String| match Path::new(path).symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Error::at(&node.at, &key, format_args!("bind source path does not exist: {path}")))
        }
        _ => Ok(()),
    };
    for kind in ["secrets", "configs"] {
        for (i, grant) in list(kind) {
            let source = grant.map().and_then(|map| map.text("source")).unwrap_or_default();
            let file = tree.find(&[kind, source, "file"]).and_then(Node::text);
            file.map_or(Ok(()), |file| is_there(file, grant, format!("{key}.{kind}[{i}]")))?;
        }
    }
    for (i, mount) in list("volumes") {
        let Some(map) = mount.map().filter(|map| map.text("type") == Some("bind")) else { continue };
        let is_made = mount.find(&["bind", "create_host_path"]).is_some_and(|node| node.value == Value::Bool(true));
        if !is_made {
            is_there(map.text("source").unwrap_or_default(), mount, format!("{key}.volumes[{i}]"))?;
        }
    }
    Ok(())
}

/// What the engine is to call a network or volume that is made.
fn name(entry: &Entry, kind: &str) -> Result<()> {
    let Some(node) = entry.node.find(&["name"]) else { return Ok(()) };
    let external = entry.node.find(&["external"]).is_some_and(|node| node.value == Value::Bool(true));
    let text = node.text().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    match external || text.chars().all(allowed) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => {
            let what = format!("{text:?} is no name: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
            Err(Error::at(&node.at, &format!("{kind}.{}.name", entry.key), what))
        }
    }
}

fn none_of(node: &Node, names: &[&str], key: &str) -> Result<()> {
    let found = names.iter().find_map(|name| Some((name, node.find(&[name]).filter(|node| says_something(node))?)));
    found.map_or(Ok(()), |(name, node)| refuse(node, &format!("{key}.{name}"), "this"))
}

fn only(node: &Node, known: &[&str], key: &str) -> Result<()> {
    let text = node.scalar().unwrap_or_default();
    if known.contains(&text.as_str()) { Ok(()) } else { refuse(node, key, &format!("{text:?}")) }
}

fn refuse(node: &Node, key: &str, what: &str) -> Result<()> {
    Err(Error::at(&node.at, key, format_args!("Kesako does not have {what}")))
}

/// What is empty or zero asks for nothing.
fn says_something(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => !map.0.is_empty(),
        Value::List(list) => !list.is_empty(),
        _ => !matches!(node.scalar().as_deref(), None | Some("" | "0")),
    }
}
