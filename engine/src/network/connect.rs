//! `network connect` and `disconnect`.

use crate::api::{EndpointSettings, NetworkConnect, NetworkDisconnect};
use crate::container::record::{Container, Record};
use crate::shim::Request;
use crate::{Engine, Error, Kind, Result};

impl Engine {
    /// Puts a container on one network more, at once if it runs.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] when it is on it already, or is on a network that allows no other.
    pub fn network_connect(&self, given: &str, request: NetworkConnect) -> Result<()> {
        super::bridges::refuse_without_bridges(self)?;
        let network = self.find_network(given)?;
        let container = self.find(&request.container)?;
        let _lock = container.lock()?;
        let mut record = container.record()?;
        alone(&record, &network.name)?;
        if record.networks.contains_key(&network.name) {
            let text = format!("endpoint with name {} already exists in network {}", record.name, network.name);
            return Err(Error::new(Kind::Forbidden, text));
        }
        let settings = request.endpoint_config.unwrap_or_default();
        let settings = EndpointSettings { network_id: network.id.to_string(), ..settings };
        self.check_endpoint(&network, &settings)?;
        let before = record.clone();
        record.networks.insert(network.name.clone(), settings);
        self.change_networks(&container, &record, &before)?;
        self.tell_network("connect", &network, &container);
        Ok(())
    }

    /// Takes a container off a network, at once if it runs.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] when it is not on it.
    pub fn network_disconnect(&self, given: &str, request: &NetworkDisconnect) -> Result<()> {
        let network = self.find_network(given)?;
        let container = self.find(&request.container)?;
        let _lock = container.lock()?;
        let mut record = container.record()?;
        if network.driver == "host" {
            return Err(Error::new(
                Kind::Forbidden,
                "container cannot be disconnected from host network or connected to host network",
            ));
        }
        let before = record.clone();
        if record.networks.remove(&network.name).is_none() {
            let text = format!("container {} is not connected to network {}", record.id, network.name);
            return Err(Error::new(Kind::Forbidden, text));
        }
        self.change_networks(&container, &record, &before)?;
        self.tell_network("disconnect", &network, &container);
        Ok(())
    }

    /// Writes the record, and tells the shim. What the shim refuses is not so.
    fn change_networks(&self, container: &Container, record: &Record, before: &Record) -> Result<()> {
        container.save_record(record)?;
        if !container.state()?.status.is_running() {
            return Ok(());
        }
        match crate::shim::call(container, Request::Networks) {
            Ok(_) => Ok(()),
            Err(error) => {
                container.save_record(before)?;
                Err(error)
            }
        }
    }

    fn tell_network(&self, action: &str, network: &super::store::NetworkRecord, container: &Container) {
        let attributes = [("container", container.id.as_str()), ("name", &network.name), ("type", &network.driver)];
        self.tell("network", action, network.id.as_str(), &attributes);
    }
}

/// A container on the host's network, or another's, or none, is on no other.
fn alone(record: &Record, network: &str) -> Result<()> {
    let mode = record.host_config.network_mode.as_str();
    let text = match mode {
        _ if mode.starts_with("container:") => {
            "container sharing network namespace with another container or host cannot be connected to any other network"
        }
        "host" => {
            "container sharing network namespace with another container or host cannot be connected to any other network"
        }
        "none" => "container cannot be connected to multiple networks with one of the networks in private (none) mode",
        _ if network == "none" => {
            "container cannot be connected to multiple networks with one of the networks in private (none) mode"
        }
        _ if network == "host" => "container cannot be disconnected from host network or connected to host network",
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Forbidden, text))
}
