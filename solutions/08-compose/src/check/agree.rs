//! Keys that say the same thing, and keys that need one another.

use crate::error::{Error, Result};
use crate::tree::{Map, Node};

/// Pairs of keys for one limit.
const SAME: [(&str, &[&str]); 4] = [
    ("cpus", &["resources", "limits", "cpus"]),
    ("mem_limit", &["resources", "limits", "memory"]),
    ("mem_reservation", &["resources", "reservations", "memory"]),
    ("pids_limit", &["resources", "limits", "pids"]),
];

pub(super) fn check(tree: &Node, service: &Map, key: &str) -> Result<()> {
    limits(service, key)?;
    platforms(service, key)?;
    contexts(tree, service, key)?;
    watch(service, key)
}

fn limits(service: &Map, key: &str) -> Result<()> {
    let Some(deploy) = service.get("deploy") else { return Ok(()) };
    for (name, path) in SAME {
        let (Some(here), Some(there)) = (service.get(name), deploy.find(path)) else { continue };
        if here != there {
            let what = format!("can't set distinct values on '{name}' and 'deploy.{}'", path.join("."));
            return Err(Error::at(&here.at, &format!("{key}.{name}"), what));
        }
    }
    Ok(())
}

fn platforms(service: &Map, key: &str) -> Result<()> {
    let built = service.get("build").and_then(|build| build.find(&["platforms"])).and_then(Node::list);
    let (Some(built), Some(platform)) = (built.filter(|list| !list.is_empty()), service.get("platform")) else {
        return Ok(());
    };
    if built.contains(platform) {
        return Ok(());
    }
    let what = format!("build.platforms must include {:?}", platform.scalar().unwrap_or_default());
    Err(Error::at(&platform.at, &format!("{key}.platform"), what))
}

/// Another service's image can be built from, if it is built.
fn contexts(tree: &Node, service: &Map, key: &str) -> Result<()> {
    let Some(build) = service.get("build") else { return Ok(()) };
    for context in build.entries("additional_contexts") {
        let Some(other) = context.node.text().and_then(crate::model::Service::shared) else { continue };
        let why = match tree.find(&["services", other]) {
            None => "unknown",
            Some(node) if node.find(&["build"]).is_none() => "non-buildable",
            Some(_) => continue,
        };
        let key = format!("{key}.build.additional_contexts.{}", context.key);
        return Err(Error::at(&context.at, &key, format_args!("{why} service {other:?}")));
    }
    Ok(())
}

/// What is copied has to go somewhere.
fn watch(service: &Map, key: &str) -> Result<()> {
    let triggers = service.get("develop").and_then(|develop| develop.find(&["watch"])).and_then(Node::list);
    for (i, trigger) in triggers.unwrap_or_default().iter().enumerate() {
        let key = format!("{key}.develop.watch[{i}]");
        let text = |name: &str| trigger.find(&[name]).and_then(Node::text).unwrap_or_default();
        for name in ["path", "action"] {
            if text(name).is_empty() {
                return Err(Error::at(&trigger.at, &format!("{key}.{name}"), "this is required"));
            }
        }
        if text("action").starts_with("sync") && text("target").is_empty() {
            let what = format!("target is required for {}", text("action"));
            return Err(Error::at(&trigger.at, &key, what));
        }
    }
    Ok(())
}
