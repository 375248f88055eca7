//! The published ports of a container: bound on the host before anything else is begun.

use crate::container::record::Record;
use crate::{Error, Kind, Result};
use network::Reserved;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::rc::Rc;

/// A port of the host that leads to one of the container's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedPort {
    pub host: IpAddr,
    pub host_port: u16,
    pub container_port: u16,
    pub protocol: network::Protocol,
}

/// The ports of the host that a container has. An ordinary user's shim can reserve them only once, before it goes where the containers
/// are; so it keeps them while the container is started again.
#[derive(Debug, Default)]
pub(crate) struct HostPorts {
    kept: Vec<(Rc<Reserved>, PublishedPort)>,
}

impl HostPorts {
    /// Reserves them.
    ///
    /// # Errors
    /// Docker's words for a port that somebody has.
    pub(super) fn reserve(&mut self, record: &Record) -> Result<(Vec<Rc<Reserved>>, Vec<PublishedPort>)> {
        if !crate::ordinary::network::is_inside() {
            let (reserved, ports) = reserve(record)?;
            let all: Vec<_> = reserved.into_iter().map(Rc::new).zip(ports).collect();
            if !crate::info::in_user_namespace() {
                return Ok(all.into_iter().unzip());
            }
            self.kept = all;
        }
        Ok(self.kept.iter().cloned().unzip())
    }
}

fn reserve(record: &Record) -> Result<(Vec<Reserved>, Vec<PublishedPort>)> {
    let host = &record.host_config;
    let mut wanted: Vec<(String, String, String)> = Vec::new();
    for (port, bindings) in host.port_bindings.iter().flatten() {
        for binding in bindings.iter().flatten() {
            wanted.push((port.clone(), binding.host_ip.clone(), binding.host_port.clone()));
        }
    }
    if host.publish_all_ports {
        for port in record.config.exposed_ports.iter().flatten().map(|(port, _)| port) {
            if !wanted.iter().any(|(known, ..)| known == port) {
                wanted.push((port.clone(), String::new(), String::new()));
            }
        }
    }
    if wanted.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    // Who names no address gets those of IPv4 and of IPv6; what comes to one of which the container has none is passed on by us.
    let (mut reserved, mut published) = (Vec::new(), Vec::new());
    for (port, address, host_port) in wanted {
        let port: network::Port = port.parse()?;
        let mut addresses = network::addresses(&address)?;
        if address.is_empty() && port.protocol == network::Protocol::Sctp {
            // That is passed on by rules alone.
            addresses.retain(IpAddr::is_ipv4);
        }
        let refused = |error: network::Error| {
            let text = format!(
                "failed to set up container networking: driver failed programming external connectivity on endpoint {} ({}): {error}",
                record.name, record.id
            );
            Error::new(Kind::System, text)
        };
        for socket in network::reserve(port.protocol, &addresses, &host_port, rand::rng().random()).map_err(refused)? {
            published.push(PublishedPort {
                host: socket.address.ip(),
                host_port: socket.address.port(),
                container_port: port.number,
                protocol: port.protocol,
            });
            reserved.push(socket);
        }
    }
    Ok((reserved, published))
}
