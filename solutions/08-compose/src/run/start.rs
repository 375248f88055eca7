//! Starting what has been made: each service as soon as those are ready that it waits for.

use super::all;
use super::conditions::{Until, Waiter};
use super::create::copy_files;
use super::walk::{Failed, Way, walk};
use crate::containers::{self, Container, OneOff, Wanted};
use crate::error::{Error, Result};
use crate::model::{Condition, Dependency, Model, Service};
use crate::order::Dependencies;
use crate::request;
use crate::steps::Report;
use daemon::Client;
use std::collections::BTreeMap;
use std::time::Duration;

/// `--wait`: until all are running, or healthy where they can tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting {
    /// No longer than this.
    pub timeout: Option<Duration>,
}

/// A start.
pub struct Start<'a> {
    pub client: &'a Client,
    pub project: &'a str,
    /// Whom each service waits for, and how. Only these services are started.
    pub services: BTreeMap<String, BTreeMap<String, Dependency>>,
    /// With its files; without them, the containers that are there are all that is known.
    pub model: Option<&'a Model>,
    pub waiting: Option<Waiting>,
    pub report: &'a dyn Report,
}

impl<'a> Start<'a> {
    /// All services of a project, as its files have them.
    pub fn of_model(client: &'a Client, model: &'a Model, report: &'a dyn Report) -> Self {
        let services =
            model.services.iter().map(|(name, service)| (name.clone(), service.depends_on.clone())).collect();
        Self { client, project: &model.name, services, model: Some(model), waiting: None, report }
    }

    /// Those services that have containers, as the containers remember them.
    pub fn of_containers(client: &'a Client, project: &'a str, there: &[Container], report: &'a dyn Report) -> Self {
        let services = there.iter().map(|container| (container.service.clone(), container.depends_on())).collect();
        Self { client, project, services, model: None, waiting: None, report }
    }

    /// Starts them.
    ///
    /// # Errors
    /// One cannot be started, or waits for one that will never be ready. What has been started runs on.
    pub async fn run(&self) -> Result<()> {
        let wanted = Wanted { project: self.project, services: &[], one_off: OneOff::Without, all: true };
        let there = containers::find(self.client, wanted).await?;
        let of = |name: &str| -> Vec<Container> { there.iter().filter(|c| c.service == name).cloned().collect() };
        let graph: Dependencies =
            self.services.iter().map(|(name, on)| (name.clone(), on.keys().cloned().collect())).collect();
        let failed = Failed::default();
        let waiter = Waiter { client: self.client, report: self.report, failed: &failed };
        let visit = async |name: &str| {
            self.wait_for_others(name, &self.services[name], &of, &waiter).await?;
            if failed.is_set() {
                return Ok(());
            }
            self.service(name, &of(name)).await
        };
        walk(&graph, Way::Up, &failed, visit).await?;
        match &self.waiting {
            Some(waiting) => self.wait_for_all(waiting, &of, &waiter).await,
            None => Ok(()),
        }
    }

    /// Waits until one more service could be started, which is none of these.
    ///
    /// # Errors
    /// It waits for one that will never be ready.
    pub async fn ready_for(&self, service: &Service) -> Result<()> {
        let wanted = Wanted { project: self.project, services: &[], one_off: OneOff::Without, all: true };
        let there = containers::find(self.client, wanted).await?;
        let of = |name: &str| -> Vec<Container> { there.iter().filter(|c| c.service == name).cloned().collect() };
        let waiter = Waiter { client: self.client, report: self.report, failed: &Failed::default() };
        self.wait_for_others(&service.name, &service.depends_on, &of, &waiter).await
    }

    /// How many containers a service is to have.
    fn scale(&self, name: &str) -> u32 {
        self.model.and_then(|model| model.services.get(name)).map_or(1, crate::model::Service::scale)
    }

    async fn wait_for_others(
        &self,
        name: &str,
        on: &BTreeMap<String, Dependency>,
        of: &impl Fn(&str) -> Vec<Container>,
        waiter: &Waiter<'_>,
    ) -> Result<()> {
        let wait = async |(other, on): (&String, &Dependency)| {
            let Some(until) = Until::of(on.condition) else { return Ok(()) };
            // Who takes no part is not waited for.
            if !self.services.contains_key(other) || self.scale(other) == 0 {
                return Ok(());
            }
            let containers = of(other);
            match (containers.is_empty(), on.required) {
                (true, true) => Err(Error::Failed(format!("{name} is missing dependency {other}"))),
                (true, false) => {
                    tracing::warn!("{name} is missing dependency {other}");
                    Ok(())
                }
                (false, _) => waiter.wait(other, *on, until, &containers).await,
            }
        };
        all(on.iter().map(wait)).await.map(drop)
    }

    async fn service(&self, name: &str, containers: &[Container]) -> Result<()> {
        if containers.is_empty() && self.scale(name) > 0 {
            return Err(Error::Failed(format!("service {name:?} has no container to start")));
        }
        all(containers
            .iter()
            .filter(|container| container.state() != "running")
            .map(|container| self.container(container)))
        .await
        .map(drop)
    }

    async fn container(&self, container: &Container) -> Result<()> {
        let object = format!("Container {}", container.name);
        self.report.working(&object, "Starting");
        let started = self.start(container).await;
        match &started {
            Ok(()) => self.report.done(&object, "Started"),
            Err(error) => self.report.failed(&object, &error.to_string()),
        }
        started
    }

    async fn start(&self, container: &Container) -> Result<()> {
        // Whoever made it may have been killed before its files were in it.
        if let Some(model) = self.model.filter(|_| container.state() == "created")
            && let Some(service) = model.services.get(&container.service)
        {
            copy_files(self.client, &request::copied(model, service)?, &container.id).await?;
        }
        let verb = if container.state() == "paused" { "unpause" } else { "start" };
        Ok(self.client.post(format!("/containers/{}/{verb}", container.id)).send().await?)
    }

    /// A service that others only wait for to end has to end, and all others have to run.
    async fn wait_for_all(
        &self,
        waiting: &Waiting,
        of: &impl Fn(&str) -> Vec<Container>,
        waiter: &Waiter<'_>,
    ) -> Result<()> {
        let is_one_shot = |name: &str| {
            let mut dependencies = self.services.values().filter_map(|on| on.get(name));
            dependencies.any(|on| on.condition == Condition::CompletedSuccessfully)
        };
        let wait = async |name: &String| {
            let until = if is_one_shot(name) { Until::Completed } else { Until::RunningOrHealthy };
            let on = Dependency { required: true, ..Dependency::default() };
            waiter.wait(name, on, until, &of(name)).await
        };
        let everything = all(self.services.keys().filter(|name| self.scale(name) > 0).map(wait));
        let Some(limit) = waiting.timeout else { return everything.await.map(drop) };
        let late = || Error::Failed(format!("application not healthy after {limit:?}"));
        tokio::time::timeout(limit, everything).await.map_err(|_| late())?.map(drop)
    }
}
