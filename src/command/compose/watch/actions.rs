//! What a batch of changes leads to.

use super::Watching;
use super::rules::{Action, Change, Rule};
use super::sync::{code, exec};
use crate::command::compose::build;
use crate::command::compose::fail;
use crate::command::compose::making::Making;
use crate::command::compose::printer::{Printer, Style};
use crate::session;
use ::compose::containers::{self, OneOff, Wanted};
use ::compose::labels;
use ::compose::run::{self, Recreate, Start};
use anyhow::{Result, bail};
use engine::api::ImageSummary;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// More changes than a person makes.
const MANY: usize = 1000;

/// What is to be done, each thing once.
#[derive(Default)]
struct Todo<'a> {
    rebuild: BTreeSet<&'a str>,
    sync: BTreeMap<&'a str, BTreeSet<Change>>,
    restart: BTreeSet<&'a str>,
    exec: BTreeSet<(&'a str, &'a [String])>,
}

impl Watching<'_> {
    pub(super) async fn handle(&self, rules: &[Rule], batch: &BTreeSet<PathBuf>) -> Result<()> {
        if batch.len() > MANY {
            (self.log)("Large batch of file changes detected. If you just switched branches, this is expected.")?;
        }
        let mut todo = Todo::default();
        for rule in rules {
            for change in batch.iter().filter_map(|path| rule.change(path)) {
                todo.add(rule, change);
            }
        }
        if !todo.rebuild.is_empty() {
            self.rebuild(todo.rebuild.into_iter().map(str::to_owned).collect()).await?;
        }
        for (service, changes) in todo.sync {
            let count = changes.len();
            (self.log)(&format!("Syncing service {service:?} after {count} changes were detected"))?;
            self.sync(service, &changes.into_iter().collect::<Vec<_>>()).await?;
        }
        if !todo.restart.is_empty() {
            self.restart(todo.restart.into_iter().map(str::to_owned).collect()).await?;
        }
        for (service, command) in todo.exec {
            self.exec(service, command).await?;
        }
        Ok(())
    }

    /// New images, and containers of them.
    async fn rebuild(&self, services: Vec<String>) -> Result<()> {
        (self.log)(&format!("Rebuilding service(s) {services:?} after changes were detected..."))?;
        let steps = self.steps()?;
        let names: Vec<&str> = services.iter().map(String::as_str).collect();
        let built = build::build(self.context, self.client, self.model, &names, &self.builds, &steps).await;
        let built = match built {
            Ok(built) => built,
            Err(error) => {
                (self.log)(&format!("Build failed. Error: {}", session::message(&error)))?;
                return Err(error);
            }
        };
        (self.log)(&format!("service(s) {services:?} successfully built"))?;
        // The images are here now, whatever their policies say.
        let making = Making { pull: "missing".to_owned(), ..Making::default() };
        let mut how = making.creation(self.project, &services)?;
        (how.recreate, how.recreate_dependencies, how.ignore_orphans) = (Recreate::Always, Recreate::Never, true);
        if let Err(error) = making.run(self.context, self.client, self.project, self.model, &how, &steps).await {
            (self.log)(&format!("Failed to recreate services after update. Error: {}", session::message(&error)))?;
            return Err(error);
        }
        if let Err(error) = Start::of_model(self.client, self.model, &steps).run().await {
            (self.log)(&format!("Application failed to start after update. Error: {error}"))?;
        }
        if self.prune {
            self.prune(built.into_values().collect()).await?;
        }
        Ok(())
    }

    /// Removes the images that have lost their name to a new one.
    async fn prune(&self, built: BTreeSet<String>) -> Result<()> {
        let filters = BTreeMap::from([
            ("dangling", vec!["true".to_owned()]),
            ("label", vec![format!("{}={}", labels::PROJECT, self.model.name)]),
        ]);
        let images: Vec<ImageSummary> = self.client.get("/images/json").query_json("filters", &filters).json().await?;
        for image in images.iter().filter(|image| !built.contains(&image.id)) {
            if let Err(error) = self.client.delete(format!("/images/{}", image.id)).send().await {
                tracing::debug!("Failed to remove image {}: {error}", image.id);
            }
        }
        Ok(())
    }

    /// Those, and whoever is to be restarted with them.
    async fn restart(&self, services: Vec<String>) -> Result<()> {
        let mut all = services.clone();
        let mut at = 0;
        while let Some(name) = all.get(at).cloned() {
            at += 1;
            let waits = |other: &&::compose::model::Service| other.depends_on.get(&name).is_some_and(|on| on.restart);
            let more: Vec<String> =
                self.model.services.values().filter(waits).map(|other| other.name.clone()).collect();
            all.extend(more.into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
        }
        let wanted = Wanted { project: &self.model.name, services: &all, one_off: OneOff::Without, all: true };
        let found = containers::find(self.client, wanted).await.map_err(fail)?;
        run::restart(self.client, &found, &self.model.graph(), None, &self.steps()?).await.map_err(fail)?;
        (self.log)(&format!("service(s) {services:?} restarted"))
    }

    async fn exec(&self, service: &str, command: &[String]) -> Result<()> {
        let colours = self.context.flags.colours(&std::io::stdout());
        let printer = Printer::new(Style { colours, prefixes: true, timestamps: false, apart: true });
        let running = self.containers(service, false).await?;
        let one = async |container: &containers::Container| {
            let (output, id) = exec(self.client, &container.id, command.to_vec()).await?;
            printer.copy(container.mark(), output, false).await?;
            match code(self.client, &id).await? {
                0 => Ok(()),
                code => bail!("{}: {command:?}: exit code {code}", container.mark()),
            }
        };
        join_all(running.iter().map(one)).await.into_iter().collect()
    }
}

impl<'a> Todo<'a> {
    fn add(&mut self, rule: &'a Rule, change: Change) {
        let service = rule.service.as_str();
        let sync = || _ = self.sync.entry(service).or_default().insert(change);
        match rule.action {
            Action::Rebuild => _ = self.rebuild.insert(service),
            Action::Restart => _ = self.restart.insert(service),
            Action::Sync => sync(),
            Action::SyncAndRestart => {
                sync();
                self.restart.insert(service);
            }
            Action::SyncAndExec => {
                sync();
                self.exec.insert((service, &rule.command));
            }
        }
    }
}
