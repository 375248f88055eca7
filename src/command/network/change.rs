//! `kesako network rm`, `connect` and `disconnect`.

use crate::command::{Verb, each};
use crate::session::Session;
use engine::api::{EndpointIpamConfig, EndpointSettings, NetworkConnect, NetworkDisconnect};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Remove one or more networks
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Remove {
    /// Do not error if the network does not exist
    #[arg(short, long)]
    force: bool,
    #[arg(required = true)]
    networks: Vec<String>,
}

impl Verb for Remove {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let force = self.force;
        each(&session, &self.networks, move |client, name| async move {
            match client.delete(format!("/networks/{name}")).send().await {
                Err(error) if force && error.is_not_found() => Ok(None),
                Err(error) => Err(error.into()),
                Ok(_) => Ok(Some(name)),
            }
        })
        .await
    }
}

/// Connect a container to a network
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Connect {
    /// Add network-scoped alias for the container
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    alias: Vec<String>,
    /// Highest gw-priority provides the default gateway. Accepts positive and negative values.
    #[arg(long, value_name = "int", default_value = "0", value_parser = crate::arguments::integer)]
    gw_priority: i64,
    /// IPv4 address (e.g., "172.30.100.104")
    #[arg(long, value_name = "ip")]
    ip: Option<Ipv4Addr>,
    /// IPv6 address (e.g., "2001:db8::33")
    #[arg(long, value_name = "ip")]
    ip6: Option<Ipv6Addr>,
    /// Add link to another container
    #[arg(long, value_parser = crate::flags::network::link)]
    link: Vec<String>,
    network: String,
    container: String,
}

impl Verb for Connect {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let text = |address: Option<String>| address.unwrap_or_default();
        let endpoint = EndpointSettings {
            ipam_config: Some(EndpointIpamConfig {
                ipv4_address: text(self.ip.map(|ip| ip.to_string())),
                ipv6_address: text(self.ip6.map(|ip| ip.to_string())),
            }),
            aliases: Some(self.alias),
            links: Some(self.link).filter(|links| !links.is_empty()),
            gw_priority: self.gw_priority,
            ..EndpointSettings::default()
        };
        let request = NetworkConnect { container: self.container, endpoint_config: Some(endpoint) };
        session.connect()?.post(format!("/networks/{}/connect", self.network)).body_json(&request).send().await?;
        Ok(())
    }
}

/// Disconnect a container from a network
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Disconnect {
    /// Force the container to disconnect from a network
    #[arg(short, long)]
    force: bool,
    network: String,
    container: String,
}

impl Verb for Disconnect {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let request = NetworkDisconnect { container: self.container, force: self.force };
        session.connect()?.post(format!("/networks/{}/disconnect", self.network)).body_json(&request).send().await?;
        Ok(())
    }
}
