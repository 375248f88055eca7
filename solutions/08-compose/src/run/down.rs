//! A project that goes: its containers, its networks, and, if that is wanted, its volumes and images.

use super::all;
use super::stop::{Removal, remove_and};
use crate::containers::{self, Container, OneOff, Wanted};
use crate::error::Result;
use crate::labels;
use crate::model::Model;
use crate::steps::Report;
use daemon::Client;
use engine::api::{ImageSummary, Network, VolumeList};
use std::collections::{BTreeMap, BTreeSet};

/// `--rmi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// Those that were built without a name of their own.
    Local,
    All,
}

/// What goes.
pub struct Down<'a> {
    pub client: &'a Client,
    pub project: &'a str,
    /// With its files. All services are in it, also those of profiles.
    pub model: Option<&'a Model>,
    /// Only these, and only their containers.
    pub services: &'a [String],
    pub volumes: bool,
    pub images: Option<Images>,
    pub remove_orphans: bool,
    pub timeout: Option<i64>,
    pub report: &'a dyn Report,
}

impl Down<'_> {
    /// Removes it.
    ///
    /// # Errors
    /// Something cannot be removed. What was not is found by the next one.
    pub async fn run(&self) -> Result<()> {
        let one_off = if self.remove_orphans { OneOff::With } else { OneOff::Without };
        let wanted = Wanted { project: self.project, services: self.services, one_off, all: true };
        let mut there = containers::find(self.client, wanted).await?;
        if let Some(model) = self.model.filter(|_| !self.remove_orphans) {
            there.retain(|container| model.services.contains_key(&container.service));
        }
        let how = Removal { timeout: self.timeout, volumes: self.volumes };
        let mut gone = remove_and(self.client, &there, how, self.report, self.networks()).await?;
        gone |= !there.is_empty();
        if let Some(images) = self.images {
            gone |= self.images(images, &there).await?;
        }
        if self.volumes {
            gone |= self.all_volumes().await?;
        }
        if !gone {
            tracing::warn!("No resource found to remove for project {:?}.", self.project);
        }
        Ok(())
    }

    fn of_project(&self) -> BTreeMap<&str, Vec<String>> {
        BTreeMap::from([("label", vec![format!("{}={}", labels::PROJECT, self.project)])])
    }

    /// With some services named, only networks that no other one uses can go: the engine refuses the others, and they stay.
    async fn networks(&self) -> Result<bool> {
        let there: Vec<Network> = self.client.get("/networks").query_json("filters", &self.of_project()).json().await?;
        let ours = |network: &&Network| match self.model {
            Some(model) => model.networks.values().any(|own| !own.external && own.name == network.name),
            None => true,
        };
        let remove = async |network: &Network| {
            self.resource("Network", &network.name, format!("/networks/{}", network.id)).await
        };
        Ok(!all(there.iter().filter(ours).map(remove)).await?.is_empty())
    }

    async fn all_volumes(&self) -> Result<bool> {
        let there: VolumeList = self.client.get("/volumes").query_json("filters", &self.of_project()).json().await?;
        let mut names: BTreeSet<String> = there.volumes.into_iter().map(|volume| volume.name).collect();
        if let Some(model) = self.model {
            names.retain(|name| model.volumes.values().any(|own| !own.external && own.name == *name));
        }
        let remove = async |name: &String| self.resource("Volume", name, format!("/volumes/{name}")).await;
        Ok(!all(names.iter().map(remove)).await?.is_empty())
    }

    async fn images(&self, which: Images, removed: &[Container]) -> Result<bool> {
        let filters = self.of_project();
        let built: Vec<ImageSummary> = self.client.get("/images/json").query_json("filters", &filters).json().await?;
        let mut names: BTreeSet<String> = built.iter().flat_map(|image| image.repo_tags.clone()).collect();
        for service in self.model.iter().flat_map(|model| model.services.values()) {
            let name = service.image_name(self.project);
            // With a name of its own, it is not only this project's.
            let goes = which == Images::All || service.build.is_some() && service.image.is_empty();
            let name = tagged(name);
            if goes {
                names.insert(name)
            } else {
                names.remove(&name)
            };
        }
        if which == Images::All {
            names.extend(removed.iter().map(|container| tagged(container.summary.image.clone())));
        }
        let remove = async |name: &String| self.resource("Image", name, format!("/images/{name}")).await;
        Ok(!all(names.iter().map(remove)).await?.is_empty())
    }

    /// What others still use stays, with a word; what is gone already is none's concern.
    async fn resource(&self, kind: &str, name: &str, path: String) -> Result<()> {
        let object = format!("{kind} {name}");
        self.report.working(&object, "Removing");
        match self.client.delete(path).send().await {
            Ok(()) => self.report.done(&object, "Removed"),
            Err(error) if error.is_not_found() => self.report.done(&object, "Warning: No resource found to remove"),
            // A network in use is a 403.
            Err(error) if matches!(error.status, 403 | 409) => self.report.warning(&object, "Resource is still in use"),
            Err(error) => {
                self.report.failed(&object, &error.message);
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// An image's name with its tag, or as it is, if it has a digest or is an ID: so each is there once.
fn tagged(name: String) -> String {
    let is_whole = name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if is_whole { name } else { name + ":latest" }
}
