//! The networks and volumes of a project: made where they are missing, and made anew where the file has changed.

use super::converge::{Converge, Recreate};
use super::{all, stop};
use crate::error::{Error, Result};
use crate::model::{Network, Volume};
use crate::{labels, request};
use engine::api::{NetworkDisconnect, VolumeList};
use std::collections::BTreeMap;
use tracing::warn;

type Labels = BTreeMap<String, String>;

fn label<'a>(labels: &'a Labels, name: &str) -> &'a str {
    labels.get(name).map_or("", String::as_str)
}

impl Converge<'_> {
    /// All networks and volumes that the file has.
    pub(super) async fn resources(&self) -> Result<()> {
        if !self.model.networks.is_empty() {
            let there: Vec<engine::api::Network> = self.client.get("/networks").json().await?;
            all(self.model.networks.iter().map(|(key, network)| self.network(key, network, &there))).await?;
        }
        if !self.model.volumes.is_empty() {
            let there: VolumeList = self.client.get("/volumes").json().await?;
            all(self.model.volumes.iter().map(|(key, volume)| self.volume(key, volume, &there))).await?;
        }
        Ok(())
    }

    async fn network(&self, key: &str, network: &Network, there: &[engine::api::Network]) -> Result<()> {
        let found = there.iter().find(|other| other.name == network.name);
        if network.external {
            let by_id = || there.iter().any(|other| other.id.starts_with(&network.name));
            return match found.is_some() || by_id() {
                true => Ok(()),
                false => {
                    Err(Error::Failed(format!("network {} declared as external, but could not be found", network.name)))
                }
            };
        }
        let Some(found) = found else { return self.create_network(key).await };
        let has = &found.labels;
        match (label(has, labels::PROJECT), label(has, labels::NETWORK)) {
            (project, of) if project == self.model.name && of == key => {}
            ("", "") => warn!(
                "a network with name {} exists but was not created by compose.\nSet `external: true` to use an existing network",
                network.name
            ),
            (project, of) if project == self.model.name => {
                let why = "incorrect label com.docker.compose.network set to";
                return Err(Error::Failed(format!(
                    "network {} was found but has {why} {of:?} (expected: {key:?})",
                    network.name
                )));
            }
            (project, _) => warn!(
                "a network with name {} exists but was not created for project {:?}, but for {project:?}.\nSet `external: true` to use an existing network",
                network.name, self.model.name
            ),
        }
        match label(has, labels::CONFIG_HASH) {
            "" => Ok(()),
            hash if hash == network.hash => Ok(()),
            _ if self.how.recreate == Recreate::Never => {
                warn!("network {} is not as the file has it, and --no-recreate leaves it so", network.name);
                Ok(())
            }
            _ => self.recreate_network(key, found).await,
        }
    }

    async fn create_network(&self, key: &str) -> Result<()> {
        let Some(request) = request::network(self.model, key) else { return Ok(()) };
        let object = format!("Network {}", request.name);
        self.report.working(&object, "Creating");
        let created = self.client.post("/networks/create").body_json(&request).send().await;
        self.told(&object, "Created", created)
    }

    /// Those on it are taken off it. Without it they are not as the file has them, and are replaced.
    async fn recreate_network(&self, key: &str, old: &engine::api::Network) -> Result<()> {
        let mut attached = self.containers().await?;
        attached.retain(|container| container.summary.network_settings.networks.contains_key(&old.name));
        all(attached.iter().map(|container| stop::one(self.client, container, self.how.timeout, self.report))).await?;
        for container in &attached {
            let request = NetworkDisconnect { container: container.id.clone(), force: true };
            self.client.post(format!("/networks/{}/disconnect", old.id)).body_json(&request).send().await?;
        }
        self.client.delete(format!("/networks/{}", old.id)).send().await?;
        self.report.done(&format!("Network {}", old.name), "Removed");
        self.create_network(key).await
    }

    async fn volume(&self, key: &str, volume: &Volume, there: &VolumeList) -> Result<()> {
        let found = there.volumes.iter().find(|other| other.name == volume.name);
        if volume.external {
            let missing = || Error::Failed(format!("external volume {:?} not found", volume.name));
            return found.map(drop).ok_or_else(missing);
        }
        let Some(found) = found else { return self.create_volume(key).await };
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
        self.client.delete(format!("/volumes/{}", volume.name)).send().await?;
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
