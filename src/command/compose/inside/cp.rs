//! `kesako compose cp`: to every container of a service, or from its first.

use crate::arguments::integer;
use crate::command::compose::report::Steps;
use crate::command::compose::{Context, Member, fail};
use crate::command::{Verb, cp};
use ::compose::containers::{self, Container, OneOff, Wanted};
use ::compose::steps::{Report, State, Step};
use anyhow::bail;

/// Copy files/folders between a service container and the local filesystem
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Copy {
    /// Include containers created by the run command
    #[arg(long)]
    all: bool,
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    archive: bool,
    /// Always follow symbol link in SRC_PATH
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    index: i64,
    #[arg(required = true)]
    source: String,
    #[arg(required = true)]
    destination: String,
}

impl Member for Copy {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        for (given, what) in [(&self.source, "source"), (&self.destination, "destination")] {
            if given.is_empty() {
                bail!("{what} can not be empty");
            }
        }
        match (cp::container_and_path(&self.source), cp::container_and_path(&self.destination)) {
            (Some(_), Some(_)) => bail!("copying between services is not supported"),
            (None, None) => bail!("unknown copy direction"),
            (Some((service, path)), None) => {
                let Some(first) = self.containers(context, service).await?.into_iter().next() else { return Ok(()) };
                let source = format!("{}:{path}", first.name);
                self.copy(context, vec![(first.name, source, self.destination.clone())]).await
            }
            (None, Some((service, path))) => {
                let all = self.containers(context, service).await?;
                if self.source == "-" && all.len() > 1 {
                    bail!("standard input can be copied to one container only: choose it by --index");
                }
                let into = |container: Container| {
                    let destination = format!("{}:{path}", container.name);
                    (container.name, self.source.clone(), destination)
                };
                self.copy(context, all.into_iter().map(into).collect()).await
            }
        }
    }
}

impl Copy {
    /// Those that are meant; at least one.
    async fn containers(&self, context: &Context, service: &str) -> anyhow::Result<Vec<Container>> {
        let client = context.connect()?;
        if self.index > 0 {
            return Ok(vec![context.one(&client, service, self.index, OneOff::Without, true).await?]);
        }
        let one_off = if self.all { OneOff::With } else { OneOff::Without };
        let (project, services) = (context.name()?, [service.to_owned()]);
        let wanted = Wanted { project: &project, services: &services, one_off, all: true };
        let there = containers::find(&client, wanted).await.map_err(fail)?;
        if there.is_empty() {
            bail!("no container found for service {service:?}");
        }
        Ok(there)
    }

    /// For each container: its name, from where, and to where.
    async fn copy(&self, context: &Context, each: Vec<(String, String, String)>) -> anyhow::Result<()> {
        let steps = Steps::new(context.progress()?, "copy");
        for (object, source, destination) in each {
            let details = format!("{source} to {destination}");
            let step = |text: &str, state| {
                steps.step(Step { object: object.clone(), text: text.to_owned(), details: details.clone(), state });
            };
            step("Copying", State::Working);
            cp::Copy::quiet(self.archive, self.follow_link, source, destination).run(context.session()).await?;
            step("Copied", State::Done);
        }
        Ok(())
    }
}
