//! `kesako compose create`, `start`, `stop`, `restart`, `rm`, `down` and `scale`.

use super::making::{self, Making};
use super::report::Steps;
use super::{Context, Member, confirmed, fail};
use crate::arguments::integer;
use crate::output::{say, warn};
use ::compose::containers::OneOff;
use ::compose::order::Dependencies;
use ::compose::run::{self, Down as Going, Images, Removal, Start as Starting, Waiting};
use anyhow::bail;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// Creates containers for a service
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    making: Making,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Start services
#[derive(Debug, clap::Args)]
pub(super) struct Start {
    /// Wait for services to be running|healthy. Implies detached mode.
    #[arg(long)]
    wait: bool,
    /// Maximum duration in seconds to wait for the project to be running|healthy
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    wait_timeout: i64,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Stop services
#[derive(Debug, clap::Args)]
pub(super) struct Stop {
    /// Specify a shutdown timeout in seconds
    #[arg(short, long, value_name = "int", value_parser = integer)]
    timeout: Option<i64>,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Restart service containers
#[derive(Debug, clap::Args)]
pub(super) struct Restart {
    /// Don't restart dependent services
    #[arg(long)]
    no_deps: bool,
    /// Specify a shutdown timeout in seconds
    #[arg(short, long, value_name = "int", value_parser = integer)]
    timeout: Option<i64>,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Removes stopped service containers
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// Don't ask to confirm removal
    #[arg(short, long, short_alias = 'y', alias = "yes")]
    force: bool,
    /// Stop the containers, if required, before removing
    #[arg(short, long)]
    stop: bool,
    /// Remove any anonymous volumes attached to containers
    #[arg(short, long)]
    volumes: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Stop and remove containers, networks
#[derive(Debug, clap::Args)]
pub(super) struct Down {
    /// Remove containers for services not defined in the Compose file
    #[arg(long)]
    remove_orphans: bool,
    /// Remove images used by services. "local" remove only images that don't have a custom tag ("local"|"all")
    #[arg(long)]
    rmi: Option<String>,
    /// Specify a shutdown timeout in seconds
    #[arg(short, long, value_name = "int", value_parser = integer)]
    timeout: Option<i64>,
    /// Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes attached to containers
    #[arg(short, long)]
    volumes: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Scale services
#[derive(Debug, clap::Args)]
pub(super) struct Scale {
    /// Don't start linked services
    #[arg(long)]
    no_deps: bool,
    #[arg(value_name = "SERVICE=REPLICAS", required = true)]
    replicas: Vec<String>,
}

impl Member for Create {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        self.making.check()?;
        let mut project = context.project(&self.services)?;
        let client = Rc::new(context.connect()?);
        let model = making::model(&client, &mut project, &self.making.scale)?;
        let how = self.making.creation(&project, &self.services)?;
        let steps = Steps::new(context.progress()?, "create");
        self.making.run(context, &client, &project, &model, &how, &steps).await
    }
}

impl Member for Start {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = Rc::new(context.connect()?);
        let there = context.containers(&client, &[], OneOff::Without, true).await?;
        let (_, name) = context.project_or_name(&self.services)?;
        let steps = Steps::new(context.progress()?, "start");
        let mut start = Starting::of_containers(&client, &name, &there, &steps);
        if !self.services.is_empty() {
            if let Some(missing) = self.services.iter().find(|name| !start.services.contains_key(*name)) {
                bail!("service {missing:?} has no container to start");
            }
            // And whom they wait for.
            let mut wanted: BTreeSet<String> = BTreeSet::new();
            let mut open = self.services.clone();
            while let Some(name) = open.pop() {
                let Some(on) = start.services.get(&name) else { continue };
                if wanted.insert(name) {
                    open.extend(on.keys().cloned());
                }
            }
            start.services.retain(|name, _| wanted.contains(name));
        }
        let timeout = (self.wait_timeout > 0).then(|| Duration::from_secs(self.wait_timeout.unsigned_abs()));
        start.waiting = self.wait.then_some(Waiting { timeout });
        start.run().await.map_err(fail)
    }
}

impl Member for Stop {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = Rc::new(context.connect()?);
        let there = context.containers(&client, &self.services, OneOff::Without, false).await?;
        let steps = Steps::new(context.progress()?, "stop");
        run::stop(&client, &there, self.timeout, &steps).await.map_err(fail)
    }
}

impl Member for Restart {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = Rc::new(context.connect()?);
        let (_, name) = context.project_or_name(&self.services)?;
        let mut there = context.containers(&client, &[], OneOff::Without, true).await?;
        // Only who is to be restarted with another one cares about its restart.
        let mut graph = Dependencies::new();
        for container in &there {
            let on = container.depends_on().into_iter().filter(|(_, on)| on.restart).map(|(name, _)| name);
            graph.entry(container.service.clone()).or_default().extend(on);
        }
        if !self.services.is_empty() {
            let mut wanted: BTreeSet<String> = self.services.iter().cloned().collect();
            while !self.no_deps
                && let Some((more, _)) =
                    graph.iter().find(|(name, on)| !wanted.contains(*name) && on.iter().any(|on| wanted.contains(on)))
            {
                wanted.insert(more.clone());
            }
            graph.retain(|name, _| wanted.contains(name));
            there.retain(|container| wanted.contains(&container.service));
        }
        if there.is_empty() {
            bail!("no container found for project {name:?}: not found");
        }
        let steps = Steps::new(context.progress()?, "restart");
        run::restart(&client, &there, &graph, self.timeout, &steps).await.map_err(fail)
    }
}

impl Member for Remove {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = Rc::new(context.connect()?);
        let mut there = context.containers(&client, &self.services, OneOff::Without, true).await?;
        let steps = Steps::new(context.progress()?, "remove");
        if self.stop {
            run::stop(&client, &there, None, &steps).await.map_err(fail)?;
            there = context.containers(&client, &self.services, OneOff::Without, true).await?;
        }
        there.retain(|container| !container.is_up());
        if there.is_empty() {
            warn("No stopped containers");
            return Ok(());
        }
        let names: Vec<&str> = there.iter().map(|container| container.name.as_str()).collect();
        let what = format!("Going to remove {}", names.join(", "));
        if self.force {
            say(what)?;
        } else if !confirmed(&what)? {
            return Ok(());
        }
        let how = Removal { timeout: None, volumes: self.volumes };
        // It has ended: that it is asked to stop first would be wrong for one that was started again meanwhile.
        run::remove(&client, &there, how, &steps).await.map_err(fail)
    }
}

impl Member for Down {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let images = match self.rmi.as_deref() {
            None => None,
            Some("local") => Some(Images::Local),
            Some("all") => Some(Images::All),
            Some(other) => bail!("invalid value for --rmi: {other:?}"),
        };
        let (project, name) = context.project_or_name(&[])?;
        if let Some(project) = &project {
            project.has(&self.services).map_err(fail)?;
        }
        let model = project.map(|project| project.model()).transpose().map_err(fail)?;
        let client = Rc::new(context.connect()?);
        let steps = Steps::new(context.progress()?, "down");
        let going = Going {
            client: &client,
            project: &name,
            model: model.as_ref(),
            services: &self.services,
            volumes: self.volumes,
            images,
            remove_orphans: self.remove_orphans,
            timeout: self.timeout,
            report: &steps,
        };
        going.run().await.map_err(fail)
    }
}

impl Member for Scale {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let names: Vec<String> =
            self.replicas.iter().map(|text| text.split('=').next().unwrap_or_default().to_owned()).collect();
        let mut project = context.project(&names)?;
        let client = Rc::new(context.connect()?);
        let mut model = making::model(&client, &mut project, &self.replicas)?;
        if self.no_deps {
            model.services.retain(|name, _| names.contains(name));
        }
        let making = Making { pull: "policy".to_owned(), ..Making::default() };
        let how = making.creation(&project, &names)?;
        let steps = Steps::new(context.progress()?, "scale");
        making.run(context, &client, &project, &model, &how, &steps).await?;
        Starting::of_model(&client, &model, &steps).run().await.map_err(fail)
    }
}
