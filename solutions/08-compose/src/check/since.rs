//! What came into the engine's API later. An older engine takes no notice of most of it, and says nothing.

use crate::error::{Error, Result};
use crate::tree::{Node, Value};

type Version = (u32, u32);

/// What Kesako's engine calls itself. It knows some things of later versions, too.
const KESAKO: Version = (1, 44);

const OF_SERVICE: [(&[&str], Version); 3] =
    [(&["healthcheck", "start_interval"], (1, 44)), (&["annotations"], (1, 43)), (&["mac_address"], (1, 44))];
const OF_ENDPOINT: [(&[&str], Version); 3] =
    [(&["mac_address"], (1, 44)), (&["gw_priority"], (1, 48)), (&["interface_name"], (1, 49))];
const OF_MOUNT: [(&[&str], Version); 2] = [(&["bind", "recursive"], (1, 44)), (&["volume", "subpath"], (1, 45))];
const OF_NETWORK: [(&[&str], Version); 1] = [(&["enable_ipv4"], (1, 47))];

/// Looks at all services and networks.
///
/// # Errors
/// The first thing that an engine of this version does not know.
pub(crate) fn since(tree: &Node, engine: Version) -> Result<()> {
    if engine >= KESAKO {
        return Ok(());
    }
    for entry in tree.entries("services") {
        let key = format!("services.{}", entry.key);
        known(&entry.node, &key, &OF_SERVICE, engine)?;
        for network in entry.node.entries("networks") {
            known(&network.node, &format!("{key}.networks.{}", network.key), &OF_ENDPOINT, engine)?;
        }
        for (i, mount) in entry.node.find(&["volumes"]).and_then(Node::list).unwrap_or_default().iter().enumerate() {
            known(mount, &format!("{key}.volumes[{i}]"), &OF_MOUNT, engine)?;
        }
    }
    let mut networks = tree.entries("networks").iter();
    networks.try_for_each(|entry| known(&entry.node, &format!("networks.{}", entry.key), &OF_NETWORK, engine))
}

fn known(node: &Node, key: &str, keys: &[(&[&str], Version)], engine: Version) -> Result<()> {
    for (path, since) in keys.iter().filter(|(_, since)| engine < *since) {
        // (That a network has IPv4 is no news to any engine.)
        let news = |node: &&Node| !matches!(node.value, Value::Null | Value::Bool(true));
        let Some(found) = node.find(path).filter(news) else { continue };
        let key = format!("{key}.{}", path.join("."));
        let ((major, minor), (is_major, is_minor)) = (since, engine);
        let what = format!("this requires API version {major}.{minor}, and the engine has {is_major}.{is_minor}");
        return Err(Error::at(&found.at, &key, what));
    }
    Ok(())
}
