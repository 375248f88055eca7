//! What the environment and env files give to services.

use crate::error::{Error, Result};
use crate::files::read;
use crate::interpolate::Variables;
use crate::tree::{Map, Node, Value};
use crate::{dotenv, tree};
use std::path::Path;

/// Variables without a value, of services and of builds, get the environment's; those of a build that has none are left out.
pub(crate) fn resolve(tree: &mut Node, variables: &Variables) {
    for service in services(tree) {
        if let Some(map) = service.get_mut("environment").and_then(Node::map_mut) {
            inherit(map, variables);
        }
        let build = service.get_mut("build").and_then(Node::map_mut);
        if let Some(args) = build.and_then(|build| build.get_mut("args")).and_then(Node::map_mut) {
            inherit(args, variables);
            args.0.retain(|entry| entry.node.value != Value::Null);
        }
    }
}

/// The services' mappings.
pub(crate) fn services(tree: &mut Node) -> impl Iterator<Item = &mut Map> {
    let services = tree.map_mut().and_then(|map| map.get_mut("services")).and_then(Node::map_mut);
    services.into_iter().flat_map(|map| &mut map.0).filter_map(|entry| entry.node.map_mut())
}

fn inherit(map: &mut Map, variables: &Variables) {
    for entry in map.0.iter_mut().filter(|entry| entry.node.value == Value::Null) {
        if let Some(value) = variables.get(&entry.key) {
            entry.node.value = Value::Text(value.clone());
        }
    }
}

/// Takes the env files and label files in, beneath what the service says itself.
pub(crate) fn read_files(tree: &mut Node, variables: &Variables) -> Result<()> {
    let names: Vec<String> = tree.entries("services").iter().map(|entry| entry.key.clone()).collect();
    for (name, service) in names.iter().zip(services(tree)) {
        let key = |key: &str| format!("services.{name}.{key}");
        let files = service.remove("env_file");
        if let Some(files) = files.as_ref().and_then(Node::list) {
            let own = variables_of(service);
            let mut found = Variables::new();
            for file in files {
                env_file(file, &key("env_file"), variables, &own, &mut found)?;
            }
            beneath(service, "environment", found, files);
        }
        let files = service.remove("label_file");
        if let Some(files) = files.as_ref().and_then(Node::list) {
            let mut found = Variables::new();
            for file in files {
                let path = file.text().unwrap_or_default();
                let text = read(Path::new(path)).map_err(|why| Error::at(&file.at, &key("label_file"), why))?;
                found.extend(dotenv::parse(Path::new(path), &text, &found.clone(), false)?);
            }
            beneath(service, "labels", found, files);
        }
    }
    Ok(())
}

/// The variables that a service has a value for.
fn variables_of(service: &Map) -> Variables {
    let entries = service.get("environment").and_then(Node::map).map_or(&[][..], |map| &map.0);
    entries.iter().filter_map(|entry| Some((entry.key.clone(), entry.node.text()?.to_owned()))).collect()
}

fn env_file(file: &Node, key: &str, outer: &Variables, own: &Variables, found: &mut Variables) -> Result<()> {
    let Some(map) = file.map() else { return Ok(()) };
    let path = Path::new(map.text("path").unwrap_or_default());
    let required = map.get("required").is_none_or(|node| node.value != Value::Bool(false));
    if !path.exists() && !required {
        return Ok(());
    }
    let raw = match map.text("format") {
        None | Some("") => false,
        Some("raw") => true,
        Some(other) => {
            return Err(Error::at(&file.at, key, format_args!("unsupported env_file format {other:?}")));
        }
    };
    if !path.exists() {
        return Err(Error::at(&file.at, key, format_args!("env file {} not found", path.display())));
    }
    let text = read(path).map_err(|why| Error::at(&file.at, key, why))?;
    let mut known = found.clone();
    known.extend(own.clone());
    known.extend(outer.clone());
    found.extend(dotenv::parse(path, &text, &known, raw)?);
    Ok(())
}

/// Puts what is not there yet. A variable that the service names without a value, and that has none outside, takes the file's.
fn beneath(service: &mut Map, key: &str, found: Variables, files: &[Node]) {
    let Some(at) = files.first().map(|node| node.at.clone()) else { return };
    service.set_default(key, Node::new(&at, Value::Map(tree::Map::default())));
    let Some(map) = service.get_mut(key).and_then(Node::map_mut) else { return };
    for (name, value) in found {
        let node = Node::of_text(&at, value);
        match map.get_mut(&name) {
            Some(own) if own.value == Value::Null => *own = node,
            Some(_) => {}
            None => map.set(&name, node),
        }
    }
}
