//! What Docker's engine has and Kesako's has not. It would say so itself, but only once it has made half of the project, and it
//! knows no files and lines.

use crate::error::{Error, Result};
use crate::tree::{Map, Node, Value};

/// Looks at all services, networks and volumes.
///
/// # Errors
/// The first thing that Kesako's engine would refuse.
pub(crate) fn suits(tree: &Node) -> Result<()> {
    for entry in tree.entries("services") {
        let Some(map) = entry.node.map() else { continue };
        let key = format!("services.{}", entry.key);
        service(map, &key)?;
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
