//! `ports:` in its short form, `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, where each port may be a range.

use crate::canonical::wrong;
use crate::error::{Error, Result};
use crate::schema::Scope;
use crate::tree::{At, Node, Value};
use std::net::IpAddr;

/// How many ports a service may publish: ranges are quickly written.
const PORTS: usize = 65_535;

/// Each line as its mappings.
pub(crate) fn ports(node: Node, scope: &Scope) -> Result<Node> {
    let Value::List(list) = node.value else { return Ok(node) };
    let mut all = Vec::new();
    for (i, entry) in list.into_iter().enumerate() {
        let key = format!("{}[{i}]", scope.key);
        match &entry.value {
            Value::Map(map) => {
                let target = map.get("target").ok_or_else(|| Error::at(&entry.at, &key, "target: this is required"))?;
                if let Some(ip) = map.text("host_ip").filter(|ip| !ip.contains('$') && ip.parse::<IpAddr>().is_err()) {
                    return Err(Error::at(&entry.at, &key, format_args!("invalid ip address: {ip}")));
                }
                if target.scalar().and_then(|text| text.parse::<u32>().ok()).is_some_and(|port| port > 65_535) {
                    return Err(Error::at(&target.at, &key, "target: this is no port"));
                }
                all.push(entry);
            }
            Value::Text(_) | Value::Int(_) => {
                let text = entry.scalar().unwrap_or_default();
                if scope.raw && text.contains('$') {
                    all.push(entry);
                    continue;
                }
                let ports = published(&text).map_err(|what| Error::at(&entry.at, &key, what))?;
                all.extend(ports.into_iter().map(|port| port.node(&entry.at)));
            }
            _ => return Err(wrong(&entry.at, scope, "a list of ports")),
        }
        if all.len() > PORTS {
            return Err(Error::at(&node.at, &scope.key, format_args!("these are more than {PORTS} ports")));
        }
    }
    Ok(Node { value: Value::List(all), ..node })
}

/// One port of a service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    host_ip: String,
    /// A port, or a range of which the engine takes one that is free; empty for any at all.
    host: String,
    target: u16,
    protocol: String,
}

/// What a line of `ports:` means.
///
/// # Errors
/// In Docker's words, what it is not.
pub(crate) fn published(text: &str) -> std::result::Result<Vec<Published>, String> {
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let (front, target) = rest.rsplit_once(':').map_or((None, rest), |(front, target)| (Some(front), target));
    let (ip, host) = match front {
        None => ("", ""),
        Some(front) => front.rsplit_once(':').unwrap_or(("", front)),
    };
    let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address: {ip}"));
    }
    if target.is_empty() {
        return Err(format!("no port specified: {text}<empty>"));
    }
    let (first, last) = range(target).ok_or_else(|| format!("invalid containerPort: {target}"))?;
    let hosts = match host {
        "" => None,
        host => Some(range(host).ok_or_else(|| format!("invalid hostPort: {host}"))?),
    };
    let of = |target: u16, host: String| Published { host_ip: ip.to_owned(), host, target, protocol: protocol.clone() };
    match hosts {
        Some((a, b)) if b - a != last - first && first != last => {
            Err(format!("invalid ranges specified for container and host Ports: {target} and {host}"))
        }
        Some((a, b)) if first == last && a != b => Ok(vec![of(first, format!("{a}-{b}"))]),
        Some((a, _)) => Ok((first..=last).map(|port| of(port, (a + (port - first)).to_string())).collect()),
        None => Ok((first..=last).map(|port| of(port, String::new())).collect()),
    }
}

pub(crate) fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

impl Published {
    fn node(self, at: &At) -> Node {
        let mut map = vec![
            ("mode".to_owned(), Node::of_text(at, "ingress")),
            ("target".to_owned(), Node::new(at, Value::Int(self.target.into()))),
            ("protocol".to_owned(), Node::of_text(at, self.protocol)),
        ];
        for (key, text) in [("host_ip", self.host_ip), ("published", self.host)] {
            if !text.is_empty() {
                map.push((key.to_owned(), Node::of_text(at, text)));
            }
        }
        Node::of_map(at, map)
    }
}
