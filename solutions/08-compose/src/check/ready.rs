//! What a file may say, and what yet cannot be run: of `config` it is no concern, but nothing is to be made of such a project.

use crate::error::{Error, Result};
use crate::interpolate::Variables;
use crate::tree::{Map, Node, Value};

/// Looks at all services that are to run.
///
/// # Errors
/// The first thing that would fail later.
pub(crate) fn ready(tree: &Node, variables: &Variables) -> Result<()> {
    for entry in tree.entries("services") {
        let Some(service) = entry.node.map() else { continue };
        let key = format!("services.{}", entry.key);
        namespace(service, &key)?;
        for kind in ["secrets", "configs"] {
            for (i, grant) in service.get(kind).and_then(Node::list).unwrap_or_default().iter().enumerate() {
                let source = grant.map().and_then(|map| map.text("source")).unwrap_or_default();
                if let Some(object) = tree.find(&[kind, source]).and_then(Node::map) {
                    let place = Place { kind, source, key: format!("{key}.{kind}[{i}]"), grant };
                    file(service, &place, object, variables)?;
                }
            }
        }
    }
    Ok(())
}

/// Who is in another container's network has no ports of its own.
fn namespace(service: &Map, key: &str) -> Result<()> {
    let mode = service.text("network_mode").unwrap_or_default();
    let Some(ports) = service.get("ports").filter(|ports| ports.list().is_some_and(|list| !list.is_empty())) else {
        return Ok(());
    };
    match mode.starts_with("service:") || mode.starts_with("container:") {
        true => {
            let what = format!("conflicting options: port publishing and the network of another ({mode})");
            Err(Error::at(&ports.at, &format!("{key}.ports"), what))
        }
        false => Ok(()),
    }
}

/// Where a secret or config is asked for.
struct Place<'a> {
    kind: &'a str,
    source: &'a str,
    key: String,
    grant: &'a Node,
}

fn file(service: &Map, place: &Place<'_>, object: &Map, variables: &Variables) -> Result<()> {
    let Place { kind, source, key, grant } = place;
    let kind_of_one = kind.trim_end_matches('s');
    let told = |what: String| Err(Error::at(&grant.at, key, what));
    let is = |map: &Map, key: &str| map.get(key).is_some_and(|node| node.value == Value::Bool(true));
    if is(object, "external") {
        return told(format!("unsupported external {kind_of_one} {source}"));
    }
    for unsupported in ["driver", "template_driver"] {
        if let Some(at) = object.at(unsupported) {
            let what = format!("{kind}.*.{unsupported} is not supported: only a cluster has it");
            return Err(Error::at(at, &format!("{kind}.{source}.{unsupported}"), what));
        }
    }
    if let Some(node) = object.get("environment") {
        let variable = node.text().unwrap_or_default();
        if !variables.contains_key(variable) {
            let what = format!("environment variable {variable:?} required by {kind_of_one} {source:?} is not set");
            return Err(Error::at(&node.at, &format!("{kind}.{source}.environment"), what));
        }
    }
    let ids = ["uid", "gid"].into_iter().filter_map(|key| Some((key, grant.find(&[key])?)));
    for (name, node) in ids.filter(|_| !object.has("file")) {
        let text = node.scalar().unwrap_or_default();
        if text.parse::<u32>().is_err() {
            return Err(Error::at(&node.at, &format!("{key}.{name}"), format!("must be a number, and not {text:?}")));
        }
    }
    let target = grant.map().and_then(|map| map.text("target")).unwrap_or_default();
    if !object.has("file") && target.split('/').any(|part| part == "..") {
        return told(format!("a {kind_of_one} cannot be put at {target:?}: `..` leads out of its folder"));
    }
    match !object.has("file") && is(service, "read_only") {
        true => told(format!(
            "cannot create {kind_of_one} {source:?} in a read-only service: `file` is the sole supported option"
        )),
        false => Ok(()),
    }
}
