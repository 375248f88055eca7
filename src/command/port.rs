//! `kesako port`.

use super::Verb;
use crate::output::say;
use crate::session::Session;
use engine::Port;
use engine::api::{ContainerInspect, PortBinding};

/// List port mappings or a specific mapping for the container
#[derive(Debug, clap::Args)]
pub(super) struct Ports {
    container: String,
    private_port: Option<String>,
}

impl Verb for Ports {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let path = format!("/containers/{}/json", self.container);
        let container: ContainerInspect = session.connect()?.get(path).json().await?;
        let ports = container.network_settings.ports;
        let mut lines: Vec<String> = match &self.private_port {
            Some(port) => {
                let port: Port = port.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
                let found = ports.get(&port.to_string()).and_then(Option::as_ref).filter(|found| !found.is_empty());
                let Some(found) = found else {
                    anyhow::bail!("Error: No public port '{port}' published for {}", self.container);
                };
                found.iter().map(place).collect()
            }
            None => {
                let published = ports.iter().flat_map(|(port, bindings)| {
                    bindings.iter().flatten().map(move |binding| format!("{port} -> {}", place(binding)))
                });
                published.collect()
            }
        };
        lines.sort_by_key(|line| (line.split('/').next().and_then(|number| number.parse::<u32>().ok()), line.clone()));
        if lines.is_empty() { Ok(()) } else { say(lines.join("\n")) }
    }
}

/// An IPv6 address goes in brackets.
fn place(binding: &PortBinding) -> String {
    match binding.host_ip.contains(':') {
        true => format!("[{}]:{}", binding.host_ip, binding.host_port),
        false => format!("{}:{}", binding.host_ip, binding.host_port),
    }
}
