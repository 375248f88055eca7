//! `network ls`, `inspect`, `rm` and `prune`.

use super::Attachment;
use super::store::NetworkRecord;
use crate::api::{self, Ipam, IpamConfig, NetworkContainer, NetworksPruned};
use crate::filters::{boolean, has_labels, labels_allow, matches, only, until, values};
use crate::{Engine, Error, Filters, Kind, Result, words};
use std::net::IpAddr;

impl Engine {
    /// The networks that fit, without their containers.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a filter that does not exist.
    pub fn network_list(&self, filters: &Filters) -> Result<Vec<api::Network>> {
        only(filters, &["dangling", "driver", "id", "label", "name", "scope", "type"])?;
        let dangling = boolean(filters, "dangling")?;
        for kind in values(filters, "type") {
            if !matches!(kind.as_str(), "builtin" | "custom") {
                return Err(Error::new(Kind::Invalid, format!("invalid filter: 'type'='{kind}'")));
            }
        }
        let any = |key: &str, fits: &dyn Fn(&String) -> bool| {
            let wanted = values(filters, key);
            wanted.is_empty() || wanted.iter().any(fits)
        };
        let mut found = Vec::new();
        for network in self.networks()? {
            let kind = if network.is_predefined() { "builtin" } else { "custom" };
            let fits = any("driver", &|driver| *driver == network.driver)
                && any("id", &|id| network.id.as_str().starts_with(id.as_str()))
                && matches(values(filters, "name"), &network.name)
                && any("scope", &|scope| scope == "local")
                && any("type", &|wanted| wanted == kind)
                && has_labels(values(filters, "label"), &network.labels);
            let wanted = match dangling {
                _ if !fits => false,
                None => true,
                Some(dangling) => !network.is_predefined() && self.users_of(&network)?.is_empty() == dangling,
            };
            if wanted {
                found.push(self.show_network(&network, false)?);
            }
        }
        Ok(found)
    }

    /// One network, with the containers that are on it.
    pub fn network_inspect(&self, given: &str) -> Result<api::Network> {
        let network = self.find_network(given)?;
        self.show_network(&network, true)
    }

    /// Removes a network that nobody is on.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] when it is predefined, or somebody is.
    pub fn network_remove(&self, given: &str) -> Result<()> {
        let network = self.find_network(given)?;
        if network.is_predefined() {
            let text = format!("{} is a pre-defined network and cannot be removed", network.name);
            return Err(Error::new(Kind::Forbidden, text));
        }
        let _lock = self.lock_networks()?;
        // Somebody else may have been quicker.
        let network = self.find_network(network.id.as_str())?;
        let users = self.users_of(&network)?;
        if !users.is_empty() {
            let list: Vec<_> = users
                .iter()
                .map(|user| format!("name:\"{}\" id:\"{}\"", user.container_name, &user.endpoint[..12]))
                .collect();
            let text = format!("network {} has active endpoints ({})", network.name, list.join(", "));
            return Err(Error::new(Kind::Forbidden, format!("error while removing network: {text}")));
        }
        self.remove_bridge(&network.id, &self.rules_name()?)?;
        self.forget_network(&network)?;
        self.tell("network", "destroy", network.id.as_str(), &[("name", &network.name), ("type", &network.driver)]);
        Ok(())
    }

    /// Removes the networks that no container, running or not, is on.
    pub fn network_prune(&self, filters: &Filters) -> Result<NetworksPruned> {
        only(filters, &["label", "label!", "until"])?;
        let until = until(filters)?;
        let mut pruned = NetworksPruned::default();
        let in_use: Vec<String> = self
            .entries()?
            .iter()
            .flat_map(|entry| {
                entry.record.networks.values().map(|endpoint| endpoint.network_id.clone()).collect::<Vec<_>>()
            })
            .collect();
        for network in self.networks()? {
            let young = until.is_some_and(|until| words::seconds(&network.created) >= until.as_second());
            let used = in_use.iter().any(|id| id == network.id.as_str()) || !self.users_of(&network)?.is_empty();
            if network.is_predefined() || young || used || !labels_allow(filters, &network.labels) {
                continue;
            }
            match self.network_remove(network.id.as_str()) {
                Ok(()) => pruned.networks_deleted.get_or_insert_default().push(network.name),
                Err(error) => tracing::warn!("could not remove network {}: {error}", network.name),
            }
        }
        self.tell("network", "prune", "", &[("reclaimed", "0")]);
        Ok(pruned)
    }

    /// Who is on it now.
    fn users_of(&self, network: &NetworkRecord) -> Result<Vec<Attachment>> {
        let mut users: Vec<Attachment> = Vec::new();
        for (_, attachment) in self.leases(network).all::<Attachment>()? {
            if !users.iter().any(|user| user.endpoint == attachment.endpoint) {
                users.push(attachment);
            }
        }
        Ok(users)
    }

    fn show_network(&self, network: &NetworkRecord, verbose: bool) -> Result<api::Network> {
        let mut containers = std::collections::BTreeMap::new();
        if verbose {
            for user in self.users_of(network)? {
                let address = |ipv4: bool| {
                    let found = user.addresses.iter().find(|address| address.is_ipv4() == ipv4);
                    found.map(ToString::to_string).unwrap_or_default()
                };
                let (ipv4_address, ipv6_address) = (address(true), address(false));
                containers.insert(
                    user.container.to_string(),
                    NetworkContainer {
                        name: user.container_name,
                        endpoint_id: user.endpoint,
                        mac_address: user.mac,
                        ipv4_address,
                        ipv6_address,
                    },
                );
            }
        }
        let others = |range: &network::Range| {
            let of_it = |(_, address): &(&String, &IpAddr)| range.subnet.contains(**address);
            network.others.iter().filter(of_it).map(|(name, address)| (name.clone(), address.to_string())).collect()
        };
        let config = network.ranges.iter().map(|range| IpamConfig {
            subnet: range.subnet.to_string(),
            ip_range: range.handed_out.map(|range| range.to_string()).unwrap_or_default(),
            gateway: range.gateway.to_string(),
            auxiliary_addresses: others(range),
        });
        Ok(api::Network {
            name: network.name.clone(),
            id: network.id.to_string(),
            created: network.created.clone(),
            scope: "local".to_owned(),
            driver: network.driver.clone(),
            enable_ipv4: true,
            enable_ipv6: network.ipv6,
            ipam: Ipam { driver: "default".to_owned(), options: None, config: config.collect() },
            internal: network.internal,
            attachable: network.attachable,
            containers,
            options: network.options.clone(),
            labels: network.labels.clone(),
            ..api::Network::default()
        })
    }
}
