//! `extra_hosts`: names with their addresses, as sorted `name=address` lines.

use crate::canonical::wrong;
use crate::error::{Error, Result};
use crate::schema::Scope;
use crate::tree::{At, Node, Value};

/// The lines.
pub(crate) fn list(value: Value, at: &At, scope: &Scope) -> Result<Vec<Node>> {
    let mut lines = Vec::new();
    match value {
        Value::Map(map) => {
            for entry in map.0 {
                let addresses = match entry.node.value {
                    Value::List(list) => list,
                    value => vec![Node::new(&entry.at, value)],
                };
                for node in addresses {
                    let address = node.text().ok_or_else(|| wrong(&node.at, scope, "an address, or a list of them"))?;
                    lines.push(line(&entry.key, address, &node.at, scope)?);
                }
            }
        }
        Value::List(list) => {
            for node in list {
                let text = node.text().ok_or_else(|| wrong(&node.at, scope, "a list of HOST=ADDRESS strings"))?;
                let Some((host, addresses)) = text.split_once('=').or_else(|| text.split_once(':')) else {
                    let what = format!("invalid additional host, missing IP: {text}");
                    return Err(Error::at(&node.at, &scope.key, what));
                };
                for address in addresses.split(',') {
                    lines.push(line(host, address, &node.at, scope)?);
                }
            }
        }
        _ => return Err(wrong(at, scope, "a mapping or a list of HOST=ADDRESS strings")),
    }
    lines.sort_by_key(Node::scalar);
    lines.dedup();
    Ok(lines)
}

fn line(host: &str, address: &str, at: &At, scope: &Scope) -> Result<Node> {
    if host.is_empty() || host.contains([':', '=']) {
        return Err(Error::at(at, &scope.key, format_args!("bad host name '{host}'")));
    }
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    Ok(Node::of_text(at, format!("{host}={bare}")))
}
