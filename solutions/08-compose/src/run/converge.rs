//! From what is there to what the file says.

use super::create::Creation;
use super::resources::NetworkIds;
use super::walk::{Failed, Way, walk};
use super::{all, gone, stop};
use crate::containers::{self, Container, OneOff, Wanted};
use crate::error::Result;
use crate::labels;
use crate::model::{Model, Service};
use crate::plan::{Action, Existing, plan};
use crate::steps::Report;
use daemon::Client;
use engine::api::EndpointSettings;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// When a container that is there is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recreate {
    /// If it is not as the file has it.
    #[default]
    Outdated,
    Always,
    Never,
}

/// A project on its way to what its file says.
pub struct Converge<'a> {
    pub client: &'a Client,
    /// The services that take part.
    pub model: &'a Model,
    /// All services of the files: a container of any other is an orphan.
    pub known: &'a BTreeSet<String>,
    /// The ID of each service's image.
    pub images: &'a BTreeMap<String, String>,
    /// The version of the engine's API.
    pub api: (u32, u32),
    pub how: &'a Creation,
    pub report: &'a dyn Report,
    /// Asks before data is lost.
    pub confirm: &'a dyn Fn(&str) -> bool,
}

/// The containers as they are at the moment, service by service.
pub(super) type Now = RefCell<BTreeMap<String, Vec<Container>>>;

impl Converge<'_> {
    /// Makes and removes networks, volumes and containers until they are what the file says. Nothing is started.
    ///
    /// # Errors
    /// The first thing that could not be done. What was done stays: the next time goes on from there.
    pub async fn run(&self) -> Result<()> {
        let networks = self.resources().await?;
        let containers = self.containers().await?;
        let (ours, orphans): (Vec<_>, Vec<_>) =
            containers.into_iter().partition(|container| self.known.contains(&container.service));
        let mut now: BTreeMap<String, Vec<Container>> = BTreeMap::new();
        ours.into_iter().for_each(|container| now.entry(container.service.clone()).or_default().push(container));
        let now: Now = RefCell::new(now);
        let visit = async |name: &str| self.service(&self.model.services[name], &networks, &now).await;
        walk(&self.model.graph(), Way::Up, &Failed::default(), visit).await?;
        self.orphans(&orphans).await
    }

    pub(super) async fn containers(&self) -> Result<Vec<Container>> {
        let wanted = Wanted { project: &self.model.name, services: &[], one_off: OneOff::Without, all: true };
        containers::find(self.client, wanted).await
    }

    async fn orphans(&self, orphans: &[Container]) -> Result<()> {
        if orphans.is_empty() || self.how.ignore_orphans {
            return Ok(());
        }
        if !self.how.remove_orphans {
            let names: Vec<&str> = orphans.iter().map(|container| container.name.as_str()).collect();
            tracing::warn!(
                "Found orphan containers ([{}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.",
                names.join(" ")
            );
            return Ok(());
        }
        let remove = |orphan| stop::remove_one(self.client, orphan, self.how.timeout, false, self.report);
        all(orphans.iter().map(remove)).await.map(drop)
    }

    async fn service(&self, service: &Service, networks: &NetworkIds, now: &Now) -> Result<()> {
        let there = now.borrow().get(&service.name).cloned().unwrap_or_default();
        let hash = self.hash(service, now);
        let existing = |container: &Container| Existing {
            number: container.number,
            outdated: self.outdated(service, &hash, networks, container),
        };
        let actions = plan(&there.iter().map(existing).collect::<Vec<_>>(), service.scale());
        // Names first become free: a container that a broken off replacement left may hold one.
        all(actions.iter().filter_map(|action| match action {
            Action::Remove(i) => Some(stop::remove_one(self.client, &there[*i], self.how.timeout, false, self.report)),
            _ => None,
        }))
        .await?;
        let kept =
            all(actions.iter().filter(|action| !matches!(action, Action::Remove(_))).map(
                async |action| match *action {
                    Action::Keep(i) => self.keep(service, &there[i]).await,
                    Action::Replace(i) => self.replace(service, &there[i], now).await,
                    Action::Create(number) => self.create(service, number, now).await,
                    Action::Remove(_) => unreachable!("they were left out"),
                },
            ))
            .await?;
        now.borrow_mut().insert(service.name.clone(), kept);
        Ok(())
    }

    /// Whether a container has to be replaced.
    fn outdated(&self, service: &Service, hash: &str, networks: &NetworkIds, container: &Container) -> bool {
        let targeted = self.how.services.is_empty() || self.how.services.contains(&service.name);
        match if targeted { self.how.recreate } else { self.how.recreate_dependencies } {
            Recreate::Never => return false,
            Recreate::Always => return true,
            Recreate::Outdated => {}
        }
        let image = self.images.get(&service.name).map_or("", String::as_str);
        container.label(labels::CONFIG_HASH) != hash
            || container.label(labels::IMAGE) != image
            || self.lacks_network(service, networks, container)
            || self.lacks_volume(service, container)
    }

    /// Whether it is not on one of its networks. Another one that has the same name by now is not the one that it was on; an engine
    /// that gives no ID before the first start will find it by its name.
    fn lacks_network(&self, service: &Service, networks: &NetworkIds, container: &Container) -> bool {
        let has = &container.summary.network_settings.networks;
        let lacks = |key: &String| {
            let (Some(id), Some(network)) = (networks.get(key), self.model.networks.get(key)) else { return false };
            let is = |(name, of): (&String, &EndpointSettings)| match of.network_id.as_str() {
                "" => *name == network.name,
                of => of == id,
            };
            !has.iter().any(is)
        };
        service.network_mode.is_empty() && service.networks.keys().any(lacks)
    }

    fn lacks_volume(&self, service: &Service, container: &Container) -> bool {
        let names = service.volumes.iter().filter(|mount| mount.r#type == "volume");
        let mut names = names.filter_map(|mount| Some(&self.model.volumes.get(&mount.source)?.name));
        names.any(|name| !container.summary.mounts.iter().any(|mount| mount.name == *name))
    }

    /// It stays. If it came to replace another, and that was broken off, it gets its name now.
    async fn keep(&self, service: &Service, container: &Container) -> Result<Container> {
        let name = service.container_name(&self.model.name, container.number);
        let mut container = container.clone();
        if container.name != name && !container.label(labels::REPLACE).is_empty() {
            self.rename(&container.id, &name).await?;
            container.name = name;
        }
        if container.state() == "running" {
            self.report.done(&format!("Container {}", container.name), "Running");
        }
        Ok(container)
    }

    /// The new one is made before the old one goes: what cannot be made replaces nothing.
    async fn replace(&self, service: &Service, old: &Container, now: &Now) -> Result<Container> {
        let name = service.container_name(&self.model.name, old.number);
        let object = format!("Container {}", old.name);
        self.report.working(&object, "Recreate");
        let short = &old.id[..old.id.len().min(12)];
        let made = self.make(service, &format!("{short}_{name}"), old.number, Some(old), now).await;
        let mut new = made.inspect_err(|error| self.report.failed(&object, &error.to_string()))?;
        self.stop_dependents(service, now).await?;
        let timeout = self.how.timeout;
        gone(self.client.post(format!("/containers/{}/stop", old.id)).query_opt("t", timeout).send().await)?;
        // Its anonymous volumes are the new one's now, if they are not to be forgotten.
        let forget = !self.how.inherit;
        let remove = self.client.delete(format!("/containers/{}", old.id)).query("force", true);
        gone(remove.query("v", forget).send().await)?;
        if forget {
            stop::forget_volumes(self.client, old).await?;
        }
        self.rename(&new.id, &name).await?;
        new.name = name;
        self.report.done(&object, "Recreated");
        Ok(new)
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        Ok(self.client.post(format!("/containers/{id}/rename")).query("name", name).send().await?)
    }

    /// Who is to be restarted with a service must not see it go.
    async fn stop_dependents(&self, service: &Service, now: &Now) -> Result<()> {
        let waits = |other: &&Service| other.depends_on.get(&service.name).is_some_and(|on| on.restart);
        let names = self.model.services.values().filter(waits).map(|other| &other.name);
        let containers: Vec<Container> = {
            let now = now.borrow();
            names.filter_map(|name| now.get(name)).flatten().filter(|container| container.is_up()).cloned().collect()
        };
        let stop = |container| stop::one(self.client, container, self.how.timeout, self.report);
        all(containers.iter().map(stop)).await.map(drop)
    }
}
