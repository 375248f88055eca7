//! `kesako compose kill`, `pause` and `unpause`.

use super::report::Steps;
use super::{Context, Member, fail};
use crate::output::warn;
use ::compose::containers::{self, OneOff, Wanted};
use ::compose::run;

/// Force stop service containers
#[derive(Debug, clap::Args)]
pub(super) struct Kill {
    /// Remove containers for services not defined in the Compose file
    #[arg(long)]
    remove_orphans: bool,
    /// SIGNAL to send to the container
    #[arg(short, long, default_value = "SIGKILL")]
    signal: String,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Pause services
#[derive(Debug, clap::Args)]
pub(super) struct Pause {
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

/// Unpause services
#[derive(Debug, clap::Args)]
pub(super) struct Unpause {
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Kill {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = context.connect()?;
        let (project, name) = context.project_or_name(&self.services)?;
        let wanted = Wanted { project: &name, services: &self.services, one_off: OneOff::With, all: false };
        let mut there = containers::find(&client, wanted).await.map_err(fail)?;
        if let Some(known) = project.filter(|_| !self.remove_orphans).map(|project| project.names("services")) {
            there.retain(|container| known.contains(&container.service));
        }
        if there.is_empty() {
            warn("No container to kill");
            return Ok(());
        }
        let steps = Steps::new(context.progress()?, "kill");
        run::kill(&client, &there, &self.signal, &steps).await.map_err(fail)
    }
}

impl Member for Pause {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = context.connect()?;
        let there = context.containers(&client, &self.services, OneOff::Without, false).await?;
        let steps = Steps::new(context.progress()?, "pause");
        run::pause(&client, &there, &steps).await.map_err(fail)
    }
}

impl Member for Unpause {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = context.connect()?;
        let there = context.containers(&client, &self.services, OneOff::Without, false).await?;
        let steps = Steps::new(context.progress()?, "unpause");
        run::unpause(&client, &there, &steps).await.map_err(fail)
    }
}
