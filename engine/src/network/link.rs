//! `--link`: one container knows another by a name of its own choosing. Older than networks with names, and kept for those who have
//! it in their scripts.
//!
//! On the default network, where there are no names, it is a line in `/etc/hosts` and variables that tell the other's ports and
//! environment (Docker's "legacy container links"). When the other is started again it may have another address: who links to
//! it is noted in its folder (`linked-by`), and is told. On a network of one's own it is one more name, which only the container
//! that links hears.

use super::attachments;
use crate::api::HostConfig;
use crate::container::id::ContainerId;
use crate::container::record::{Container, Record};
use crate::shim::{self, Request};
use crate::{Engine, Error, Kind, Result};
use network::Port;
use std::fs;
use std::net::IpAddr;

/// In the folder of a container that others link to: a file for each, called by its ID.
const LINKED_BY: &str = "linked-by";

/// `name:alias`, or only a name; also as `inspect` shows it, `/name:/parent/alias`.
///
/// # Errors
/// [`Kind::Invalid`]: it is neither.
pub fn parse(text: &str) -> Result<(String, String)> {
    let parts: Vec<_> = text.split(':').collect();
    let (name, alias) = match parts[..] {
        [""] => return Err(Error::new(Kind::Invalid, "empty string specified for links")),
        [name] => (name, name),
        [name, alias] if name.starts_with('/') => (&name[1..], alias.rsplit('/').next().unwrap_or(alias)),
        [name, alias] => (name, alias),
        _ => return Err(Error::new(Kind::Invalid, format!("bad format for links: {text}"))),
    };
    Ok((name.to_owned(), alias.to_owned()))
}

fn conflict<T>(what: &str) -> Result<T> {
    let text = format!("conflicting options: {what} can't be used with links. This would result in undefined behavior");
    Err(Error::new(Kind::Invalid, text))
}

/// A container that another links to.
struct Linked {
    alias: String,
    container: Container,
    record: Record,
}

impl Linked {
    /// Its address on the default network.
    fn address(&self) -> Option<IpAddr> {
        let attachments = attachments(&self.container);
        let bridge = attachments.iter().find(|attachment| attachment.network_name == "bridge")?;
        bridge.ips().into_iter().find(IpAddr::is_ipv4)
    }

    fn ports(&self) -> Vec<Port> {
        let exposed = self.record.config.exposed_ports.iter().flatten();
        let mut ports: Vec<Port> = exposed.filter_map(|(port, _)| port.parse().ok()).collect();
        ports.sort_by_key(|port| (port.number, port.protocol.to_string() != "tcp"));
        ports
    }
}

impl Engine {
    /// The links of a new container, as they are kept: `id:alias`.
    ///
    /// # Errors
    /// There is no such container, or a network on which there are no links.
    pub(crate) fn settle_links(&self, host: &HostConfig) -> Result<Option<Vec<String>>> {
        let Some(links) = host.links.as_ref().filter(|links| !links.is_empty()) else { return Ok(None) };
        let mode = host.network_mode.as_str();
        match mode {
            "host" => return conflict("host type networking"),
            "none" => return conflict("no networking at all"),
            _ if mode.starts_with("container:") => return conflict("container type network"),
            _ => {}
        }
        super::bridges::refuse_without_bridges(self)?;
        if !matches!(mode, "" | "default" | "bridge") {
            // There they are the network's matter.
            return Ok(None);
        }
        let settle = |link: &String| {
            let (name, alias) = parse(link)?;
            let lost = |e: Error| Error::new(Kind::Invalid, format!("could not get container for {name}: {e}"));
            let linked = self.find(&name).map_err(lost)?;
            if linked.record()?.host_config.network_mode == "host" {
                return conflict("host type networking");
            }
            Ok(format!("{}:{alias}", linked.id))
        };
        links.iter().map(settle).collect::<Result<_>>().map(Some)
    }

    /// Notes with those that a container links to that it does.
    pub(crate) fn note_links(&self, record: &Record) -> Result<()> {
        for linked in self.linked(record) {
            let folder = linked.container.folder.join(LINKED_BY);
            let noted = fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(record.id.as_str()), ""));
            noted.map_err(|e| Error::system(format!("note a link in {}", folder.display()), e))?;
        }
        Ok(())
    }

    /// Those that a container links to, as far as they are still there.
    fn linked(&self, record: &Record) -> Vec<Linked> {
        let links = record.host_config.links.iter().flatten();
        let linked = links.filter_map(|link| {
            let (id, alias) = link.split_once(':')?;
            let container = self.container(&ContainerId::parse(id)?);
            let record = container.record().ok()?;
            Some(Linked { alias: alias.to_owned(), container, record })
        });
        linked.collect()
    }

    /// The lines of `/etc/hosts` for those that a container links to and that run.
    pub(crate) fn link_hosts(&self, record: &Record) -> String {
        let line = |linked: Linked| {
            let address = linked.address()?;
            let mut names = format!("{} {}", linked.alias, linked.record.config.hostname);
            if linked.alias != linked.record.name {
                names += &format!(" {}", linked.record.name);
            }
            Some(format!("{address}\t{names}\n"))
        };
        self.linked(record).into_iter().filter_map(line).collect()
    }

    /// The record of a container with the variables of its links, ahead of its own.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when one of them does not run, or is not on the default network.
    pub(crate) fn with_link_environment(&self, record: &Record) -> Result<Record> {
        let mut record = record.clone();
        let mut environment = Vec::new();
        for linked in self.linked(&record) {
            let name = format!("/{}/{}", record.name, linked.alias);
            if !linked.container.state()?.status.is_running() {
                let text = format!("Cannot link to a non running container: /{} AS {name}", linked.record.name);
                return Err(Error::new(Kind::System, text));
            }
            let Some(address) = linked.address() else {
                let text = format!("container {} not attached to default bridge network", linked.record.id);
                return Err(Error::new(Kind::System, text));
            };
            environment.extend(variables(&name, &linked, address));
        }
        if !environment.is_empty() {
            environment.extend(record.config.env.take().unwrap_or_default());
            record.config.env = Some(environment);
        }
        Ok(record)
    }

    /// A container has started: those that link to it learn its address.
    pub(crate) fn tell_linking(&self, container: &Container) {
        for parent in self.linking(container) {
            // Nothing to wait for: who does not run finds out when it starts.
            drop(shim::ask(&parent, Request::Networks));
        }
    }

    fn linking(&self, container: &Container) -> Vec<Container> {
        let noted = fs::read_dir(container.folder.join(LINKED_BY)).into_iter().flatten();
        let ids = noted.filter_map(|entry| ContainerId::parse(entry.ok()?.file_name().to_str()?));
        ids.map(|id| self.container(&id)).collect()
    }

    /// What `inspect` shows: `/db:/web/alias`.
    pub(crate) fn shown_links(&self, record: &Record) -> Option<Vec<String>> {
        let shown = |linked: Linked| format!("/{}:/{}/{}", linked.record.name, record.name, linked.alias);
        Some(self.linked(record).into_iter().map(shown).collect()).filter(|links: &Vec<_>| !links.is_empty())
    }

    /// All names of a container: its own, and those that links give it, `/web/alias`.
    pub(crate) fn all_names(&self, container: &Container, record: &Record) -> Vec<String> {
        let mut names = vec![format!("/{}", record.name)];
        for parent in self.linking(container) {
            let Ok(parent) = parent.record() else { continue };
            let links = parent.host_config.links.iter().flatten();
            let aliases = links.filter_map(|link| link.strip_prefix(record.id.as_str())?.strip_prefix(':'));
            names.extend(aliases.map(|alias| format!("/{}/{alias}", parent.name)));
        }
        names[1..].sort();
        names
    }

    /// `rm --link`: takes a link away, by the name that it gives.
    pub fn unlink(&self, parent: &str, alias: &str) -> Result<()> {
        let container = self.find(parent)?;
        let _lock = container.lock()?;
        let mut record = container.record()?;
        let links = record.host_config.links.get_or_insert_default();
        let before = links.len();
        links.retain(|link| link.split_once(':').is_none_or(|(_, known)| known != alias));
        if links.len() == before {
            return Err(Error::new(Kind::NotFound, format!("No such link: /{parent}/{alias}")));
        }
        container.save_record(&record)?;
        // Its hosts are written anew, if it runs.
        drop(shim::ask(&container, Request::Networks)?);
        Ok(())
    }
}

/// What a link tells of the other container (Docker, `links.ToEnv`).
fn variables(name: &str, linked: &Linked, address: IpAddr) -> Vec<String> {
    let prefix = linked.alias.to_uppercase().replace('-', "_");
    let ports = linked.ports();
    let mut variables = Vec::new();
    if let Some(first) = ports.first() {
        variables.push(format!("{prefix}_PORT={}://{address}:{}", first.protocol, first.number));
    }
    for range in ports.chunk_by(|one, next| next.number <= one.number + 1).filter(|range| range.len() > 2) {
        let [start, .., end] = range else { continue };
        let port = format!("{prefix}_PORT_{}_{}", start.number, start.protocol.to_string().to_uppercase());
        variables.push(format!("{port}_START={}://{address}:{}", start.protocol, start.number));
        variables.push(format!("{port}_ADDR={address}"));
        variables.push(format!("{port}_PROTO={}", start.protocol));
        variables.push(format!("{port}_PORT_START={}", start.number));
        variables.push(format!("{port}_END={}://{address}:{}", start.protocol, end.number));
        variables.push(format!("{port}_PORT_END={}", end.number));
    }
    for Port { number, protocol } in ports {
        let port = format!("{prefix}_PORT_{number}_{}", protocol.to_string().to_uppercase());
        variables.push(format!("{port}={protocol}://{address}:{number}"));
        variables.push(format!("{port}_ADDR={address}"));
        variables.push(format!("{port}_PORT={number}"));
        variables.push(format!("{port}_PROTO={protocol}"));
    }
    variables.push(format!("{prefix}_NAME={name}"));
    for variable in linked.record.config.env.iter().flatten() {
        if let Some((key, value)) = variable.split_once('=')
            && !matches!(key, "HOME" | "PATH")
        {
            variables.push(format!("{prefix}_ENV_{key}={value}"));
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ContainerConfig;
    use crate::container::record::tests::{engine, record};

    #[test]
    fn the_forms_of_a_link() {
        let both = |text| parse(text).map_err(|error| error.message);
        let pair = |name: &str, alias: &str| Ok((name.to_owned(), alias.to_owned()));
        assert_eq!(
            [both("db"), both("db:base"), both("/db:/web/base")],
            [pair("db", "db"), pair("db", "base"), pair("db", "base")]
        );
        assert_eq!(both("a:b:c"), Err("bad format for links: a:b:c".to_owned()));
        assert_eq!(both(""), Err("empty string specified for links".to_owned()));
    }

    #[test]
    fn what_a_link_tells() {
        let (_folder, engine) = engine();
        let ports = ["80/tcp", "81/tcp", "82/tcp", "53/udp"].map(|port| (port.to_owned(), Default::default())).into();
        let env = Some(["PATH=/bin", "A=1", "B=x=y"].map(Into::into).into());
        let config = ContainerConfig { exposed_ports: Some(ports), env, ..Default::default() };
        let record = record("db", config, HostConfig::default());
        let linked = Linked { alias: "my-base".into(), container: engine.container(&record.id), record };
        insta::assert_snapshot!(variables("/web/my-base", &linked, [172, 17, 0, 2].into()).join("\n"), @r"
        MY_BASE_PORT=udp://172.17.0.2:53
        MY_BASE_PORT_80_TCP_START=tcp://172.17.0.2:80
        MY_BASE_PORT_80_TCP_ADDR=172.17.0.2
        MY_BASE_PORT_80_TCP_PROTO=tcp
        MY_BASE_PORT_80_TCP_PORT_START=80
        MY_BASE_PORT_80_TCP_END=tcp://172.17.0.2:82
        MY_BASE_PORT_80_TCP_PORT_END=82
        MY_BASE_PORT_53_UDP=udp://172.17.0.2:53
        MY_BASE_PORT_53_UDP_ADDR=172.17.0.2
        MY_BASE_PORT_53_UDP_PORT=53
        MY_BASE_PORT_53_UDP_PROTO=udp
        MY_BASE_PORT_80_TCP=tcp://172.17.0.2:80
        MY_BASE_PORT_80_TCP_ADDR=172.17.0.2
        MY_BASE_PORT_80_TCP_PORT=80
        MY_BASE_PORT_80_TCP_PROTO=tcp
        MY_BASE_PORT_81_TCP=tcp://172.17.0.2:81
        MY_BASE_PORT_81_TCP_ADDR=172.17.0.2
        MY_BASE_PORT_81_TCP_PORT=81
        MY_BASE_PORT_81_TCP_PROTO=tcp
        MY_BASE_PORT_82_TCP=tcp://172.17.0.2:82
        MY_BASE_PORT_82_TCP_ADDR=172.17.0.2
        MY_BASE_PORT_82_TCP_PORT=82
        MY_BASE_PORT_82_TCP_PROTO=tcp
        MY_BASE_NAME=/web/my-base
        MY_BASE_ENV_A=1
        MY_BASE_ENV_B=x=y
        ");
    }
}
