//! `kesako network create`.

use crate::command::Verb;
use crate::flags::environment;
use crate::output::say;
use crate::session::Session;
use anyhow::{Result, bail};
use engine::Subnet;
use engine::api::{Ipam, IpamConfig, NetworkCreate, NetworkCreated};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Create a network
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Create {
    /// Enable manual container attachment
    #[arg(long)]
    attachable: bool,
    /// Auxiliary IPv4 or IPv6 addresses used by Network driver
    #[arg(long, value_name = "map")]
    aux_address: Vec<String>,
    /// Driver to manage the Network
    #[arg(short, long, default_value = "bridge")]
    driver: String,
    /// IPv4 or IPv6 Gateway for the master subnet
    #[arg(long, value_name = "ipSlice", value_delimiter = ',')]
    gateway: Vec<IpAddr>,
    /// Restrict external access to the network
    #[arg(long)]
    internal: bool,
    /// Allocate container ip from a sub-range
    #[arg(long, value_name = "ipNetSlice", value_delimiter = ',')]
    ip_range: Vec<String>,
    /// IP Address Management Driver
    #[arg(long, default_value = "default")]
    ipam_driver: String,
    /// Enable or disable IPv6 address assignment
    #[arg(long)]
    ipv6: bool,
    /// Set metadata on a network
    #[arg(long, value_parser = environment::check_label)]
    label: Vec<String>,
    /// Set driver specific options
    #[arg(short, long, value_name = "map")]
    opt: Vec<String>,
    /// Control the network's scope
    #[arg(long, default_value = "")]
    scope: String,
    /// Subnet in CIDR format that represents a network segment
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    subnet: Vec<String>,
    #[arg(value_name = "NETWORK")]
    name: String,
}

impl Verb for Create {
    async fn run(self, session: Session) -> Result<()> {
        let request = NetworkCreate {
            ipam: Some(Ipam { driver: self.ipam_driver.clone(), options: None, config: self.config()? }),
            name: self.name,
            driver: self.driver,
            scope: self.scope,
            enable_ipv6: Some(self.ipv6),
            internal: self.internal,
            attachable: self.attachable,
            options: self.opt.iter().map(|option| environment::pair(option)).collect(),
            labels: environment::labels(&[], &self.label)?.into_iter().collect(),
            ..NetworkCreate::default()
        };
        let created: NetworkCreated = session.connect()?.post("/networks/create").body_json(&request).json().await?;
        say(created.id)
    }
}

impl Create {
    /// Each range, gateway and address goes to the subnet that it lies in.
    fn config(&self) -> Result<Vec<IpamConfig>> {
        if self.subnet.len() < self.ip_range.len() || self.subnet.len() < self.gateway.len() {
            bail!("every ip-range or gateway must have a corresponding subnet");
        }
        let invalid = |text: &str| anyhow::anyhow!("invalid subnet: invalid CIDR address: {text}");
        let mut subnets: Vec<(Subnet, IpamConfig)> = Vec::new();
        for text in &self.subnet {
            let subnet: Subnet = text.parse().map_err(|_| invalid(text))?;
            if subnets.iter().any(|(other, _)| other.overlaps(subnet)) {
                bail!("multiple overlapping subnet configuration is not supported");
            }
            subnets.push((subnet, IpamConfig { subnet: text.clone(), ..IpamConfig::default() }));
        }
        for text in &self.ip_range {
            let range: Subnet = text.parse().map_err(|_| invalid(text))?;
            let Some((_, config)) = subnets.iter_mut().find(|(subnet, _)| subnet.contains(range.address)) else {
                bail!("no matching subnet for range {text}");
            };
            if !config.ip_range.is_empty() {
                bail!(
                    "cannot configure multiple ranges ({text}, {}) on the same subnet ({})",
                    config.ip_range,
                    config.subnet
                );
            }
            config.ip_range.clone_from(text);
        }
        for gateway in &self.gateway {
            let Some((_, config)) = subnets.iter_mut().find(|(subnet, _)| subnet.contains(*gateway)) else {
                bail!("no matching subnet for gateway {gateway}");
            };
            if !config.gateway.is_empty() {
                bail!(
                    "cannot configure multiple gateways ({gateway}, {}) for the same subnet ({})",
                    config.gateway,
                    config.subnet
                );
            }
            config.gateway = gateway.to_string();
        }
        let others: BTreeMap<_, _> = self.aux_address.iter().map(|text| environment::pair(text)).collect();
        for (name, text) in others {
            let address: IpAddr = text.parse().map_err(|_| anyhow::anyhow!("invalid IP address: {text}"))?;
            let Some((_, config)) = subnets.iter_mut().find(|(subnet, _)| subnet.contains(address)) else {
                bail!("no matching subnet for aux-address {text}");
            };
            config.auxiliary_addresses.insert(name, text);
        }
        Ok(subnets.into_iter().map(|(_, config)| config).collect())
    }
}
