//! The networks and volumes of a project: made where they are missing, and made anew where the file has changed.

use super::converge::{Converge, Recreate};
use super::{all, gone, stop};
use crate::error::{Error, Result};
use crate::model::{Network, Volume};
use crate::tree::At;
use crate::{labels, request};
use engine::api::{NetworkCreated, NetworkDisconnect, VolumeList};
use std::collections::BTreeMap;
use tracing::warn;

type Labels = BTreeMap<String, String>;

/// The status of an answer: there is one of that name.
const CONFLICT: u16 = 409;

/// The ID of each network, by its key.
pub(super) type NetworkIds = BTreeMap<String, String>;

fn label<'a>(labels: &'a Labels, name: &str) -> &'a str {
    labels.get(name).map_or("", String::as_str)
}

fn find<'a>(network: &Network, there: &'a [engine::api::Network]) -> Option<&'a engine::api::Network> {
    let by_id = |other: &&engine::api::Network| network.external && other.id.starts_with(&network.name);
    there.iter().find(|other| other.name == network.name).or_else(|| there.iter().find(by_id))
}

fn placed(at: Option<&At>, key: &str, what: String) -> Error {
    match at {
        Some(at) => Error::at(at, key, what),
        None => Error::Failed(what),
    }
}

impl Converge<'_> {
    /// All networks and volumes that the file has. Nothing is made while one is missing that only others can make.
    pub(super) async fn resources(&self) -> Result<NetworkIds> {
        let networks: Vec<engine::api::Network> = match self.model.networks.is_empty() {
            true => Vec::new(),
            false => self.client.get("/networks").json().await?,
        };
        let volumes: VolumeList = match self.model.volumes.is_empty() {
            true => VolumeList::default(),
            false => self.client.get("/volumes").json().await?,
        };
        self.usable(&networks, &volumes)?;
        let ids = all(self.model.networks.iter().map(async |(key, network)| {
            let id = match self.network(key, network, &networks).await {
                // Another `up` has made it in the meantime.
                Err(Error::Engine(error)) if error.status == CONFLICT => {
                    let networks: Vec<engine::api::Network> = self.client.get("/networks").json().await?;
                    let id = self.network(key, network, &networks).await?;
                    self.report.done(&format!("Network {}", network.name), "Created");
                    id
                }
                other => other?,
            };
            Ok((key.clone(), id))
        }))
        .await?;
        all(self.model.volumes.iter().map(|(key, volume)| self.volume(key, volume, &volumes))).await?;
        Ok(ids.into_iter().collect())
    }

    /// Whether those are there that the project does not make, and those that it made are what they are to it.
    fn usable(&self, networks: &[engine::api::Network], volumes: &VolumeList) -> Result<()> {
        for (key, network) in &self.model.networks {
            let told = |what: String| Err(placed(network.at.as_ref(), &format!("networks.{key}"), what));
            let name = &network.name;
            match find(network, networks) {
                None if network.external => {
                    return told(format!("network {name} declared as external, but could not be found"));
                }
                Some(found) if !network.external && label(&found.labels, labels::PROJECT) == self.model.name => {
                    let of = label(&found.labels, labels::NETWORK);
                    if of != key {
                        let why = "incorrect label com.docker.compose.network set to";
                        return told(format!("network {name} was found but has {why} {of:?} (expected: {key:?})"));
                    }
                }
                _ => {}
            }
        }
        for (key, volume) in self.model.volumes.iter().filter(|(_, volume)| volume.external) {
            if !volumes.volumes.iter().any(|other| other.name == volume.name) {
                let what = format!("external volume {:?} not found", volume.name);
                return Err(placed(volume.at.as_ref(), &format!("volumes.{key}"), what));
            }
        }
        Ok(())
    }

    async fn network(&self, key: &str, network: &Network, there: &[engine::api::Network]) -> Result<String> {
        let Some(found) = find(network, there) else { return self.create_network(key).await };
        let id = || Ok(found.id.clone());
        if network.external {
            return id();
        }
        let has = &found.labels;
        match (label(has, labels::PROJECT), label(has, labels::NETWORK)) {
            (project, of) if project == self.model.name && of == key => {}
            ("", "") => warn!(
                "a network with name {} exists but was not created by compose.\nSet `external: true` to use an existing network",
                network.name
            ),
            // Another one of its own, which was told before.
            (project, _) if project == self.model.name => {}
            (project, _) => warn!(
                "a network with name {} exists but was not created for project {:?}, but for {project:?}.\nSet `external: true` to use an existing network",
                network.name, self.model.name
            ),
        }
        match label(has, labels::CONFIG_HASH) {
            "" => id(),
            hash if hash == network.hash => id(),
            _ if self.how.recreate == Recreate::Never => {
                warn!("network {} is not as the file has it, and --no-recreate leaves it so", network.name);
                id()
            }
            _ => self.recreate_network(key, found).await,
        }
    }

    async fn create_network(&self, key: &str) -> Result<String> {
        let Some(request) = request::network(self.model, key) else { return Ok(String::new()) };
        let object = format!("Network {}", request.name);
        self.report.working(&object, "Creating");
        let created = self.client.post("/networks/create").body_json(&request).json::<NetworkCreated>().await;
        if let Err(error) = &created
            && error.status == CONFLICT
        {
            // It may be there by now: that is seen before it is told.
            return Ok(created?.id);
        }
        Ok(self.told(&object, "Created", created)?.id)
    }

    /// Those on it are taken off it. Without it they are not as the file has them, and are replaced.
    async fn recreate_network(&self, key: &str, old: &engine::api::Network) -> Result<String> {
        let mut attached = self.containers().await?;
        attached.retain(|container| container.summary.network_settings.networks.contains_key(&old.name));
        all(attached.iter().map(|container| stop::one(self.client, container, self.how.timeout, self.report))).await?;
        for container in &attached {
            let request = NetworkDisconnect { container: container.id.clone(), force: true };
            gone(self.client.post(format!("/networks/{}/disconnect", old.id)).body_json(&request).send().await)?;
        }
        gone(self.client.delete(format!("/networks/{}", old.id)).send().await)?;
        self.report.done(&format!("Network {}", old.name), "Removed");
        self.create_network(key).await
    }

    async fn volume(&self, key: &str, volume: &Volume, there: &VolumeList) -> Result<()> {
        if volume.external {
            return Ok(());
        }
        let Some(found) = there.volumes.iter().find(|other| other.name == volume.name) else {
            return self.create_volume(key).await;
        };
        let none = Labels::new();
        let has = found.labels.as_ref().unwrap_or(&none);
        let hint = "Use `external: true` to use an existing volume";
        match label(has, labels::PROJECT) {
            "" => warn!("volume {:?} already exists but was not created by compose. {hint}", volume.name),
            other if other != self.model.name => warn!(
                "volume {:?} already exists but was created for project {other:?} (expected {:?}). {hint}",
                volume.name, self.model.name
            ),
            _ => {}
        }
        let hash = label(has, labels::CONFIG_HASH);
        let question = format!(
            "Volume {:?} exists but doesn't match configuration in compose file. Recreate (data will be lost)?",
            volume.name
        );
        if hash.is_empty() || hash == volume.hash || !(self.confirm)(&question) {
            return Ok(());
        }
        let mut users = self.containers().await?;
        users.retain(|container| container.summary.mounts.iter().any(|mount| mount.name == volume.name));
        all(users.iter().map(|user| stop::remove_one(self.client, user, self.how.timeout, false, self.report))).await?;
        gone(self.client.delete(format!("/volumes/{}", volume.name)).send().await)?;
        self.report.done(&format!("Volume {}", volume.name), "Removed");
        self.create_volume(key).await
    }

    async fn create_volume(&self, key: &str) -> Result<()> {
        let Some(request) = request::volume(self.model, key) else { return Ok(()) };
        let object = format!("Volume {}", request.name);
        self.report.working(&object, "Creating");
        let created = self.client.post("/volumes/create").body_json(&request).send().await;
        self.told(&object, "Created", created)
    }

    /// Tells how it went.
    fn told<T>(&self, object: &str, done: &str, outcome: daemon::client::Result<T>) -> Result<T> {
        match outcome {
            Ok(value) => {
                self.report.done(object, done);
                Ok(value)
            }
            Err(error) => {
                self.report.failed(object, &error.message);
                Err(error.into())
            }
        }
    }
}
