//! What `up`, `create` and `scale` do alike: images, networks, volumes and containers, as the files say.

use super::build::Builds;
use super::report::Steps;
use super::{Context, confirmed, fail, images};
use ::compose::Project;
use ::compose::model::Model;
use ::compose::run::{Converge, Creation, Recreate};
use ::daemon::Client;
use anyhow::bail;
use std::rc::Rc;

/// How it is done.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Making {
    /// Build images before starting containers
    #[arg(long)]
    pub build: bool,
    /// Don't build an image, even if it's policy
    #[arg(long)]
    pub no_build: bool,
    /// Pull image before running ("always"|"missing"|"never"|"build")
    #[arg(long, default_value = "policy")]
    pub pull: String,
    /// Pull without printing progress information
    #[arg(long)]
    pub quiet_pull: bool,
    /// Suppress the build output
    #[arg(long)]
    pub quiet_build: bool,
    /// Recreate containers even if their configuration and image haven't changed
    #[arg(long)]
    pub force_recreate: bool,
    /// If containers already exist, don't recreate them. Incompatible with --force-recreate.
    #[arg(long)]
    pub no_recreate: bool,
    /// Remove containers for services not defined in the Compose file
    #[arg(long)]
    pub remove_orphans: bool,
    /// Scale SERVICE to NUM instances. Overrides the `scale` setting in the Compose file if present.
    #[arg(long, value_name = "stringArray")]
    pub scale: Vec<String>,
    /// Assume "yes" as answer to all prompts and run non-interactively
    #[arg(short, long)]
    pub yes: bool,
}

impl Making {
    pub fn check(&self) -> anyhow::Result<()> {
        if self.build && self.no_build {
            bail!("--build and --no-build are incompatible");
        }
        if self.force_recreate && self.no_recreate {
            bail!("--force-recreate and --no-recreate are incompatible");
        }
        if !matches!(self.pull.as_str(), "policy" | "always" | "missing" | "never" | "build") {
            bail!("invalid --pull option {:?}", self.pull);
        }
        Ok(())
    }

    pub fn creation(&self, project: &Project, services: &[String]) -> anyhow::Result<Creation> {
        let set = |name: &str| project.variables.get(name).is_some_and(|value| is_true(value));
        let remove_orphans = self.remove_orphans || set("COMPOSE_REMOVE_ORPHANS");
        let ignore_orphans = set("COMPOSE_IGNORE_ORPHANS");
        if remove_orphans && ignore_orphans {
            bail!("cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans");
        }
        let recreate = match (self.force_recreate, self.no_recreate) {
            (true, _) => Recreate::Always,
            (_, true) => Recreate::Never,
            _ => Recreate::Outdated,
        };
        let recreate_dependencies = if self.no_recreate { Recreate::Never } else { Recreate::Outdated };
        Ok(Creation {
            services: services.to_vec(),
            recreate,
            recreate_dependencies,
            inherit: true,
            remove_orphans,
            ignore_orphans,
            timeout: None,
        })
    }

    /// Makes everything; nothing is started.
    pub async fn run(
        &self,
        context: &Context,
        client: &Rc<Client>,
        project: &Project,
        model: &Model,
        how: &Creation,
        steps: &Steps,
    ) -> anyhow::Result<()> {
        let api = super::api(client).await?;
        project.suits(api).map_err(fail)?;
        let wanted = images::How {
            build: self.build,
            no_build: self.no_build,
            pull: Some(self.pull.clone()).filter(|pull| pull != "policy"),
            quiet_pull: self.quiet_pull,
            builds: Builds { quiet: self.quiet_build, ..Builds::default() },
        };
        let images = images::ensure(context, client, model, &wanted, steps).await?;
        let yes = self.yes;
        let converge = Converge {
            client,
            model,
            known: &project.all_services,
            images: &images,
            api,
            how,
            report: steps,
            confirm: &move |question: &str| {
                steps.end();
                yes || confirmed(question).unwrap_or(false)
            },
        };
        converge.run().await.map_err(fail)
    }
}

fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "1" | "t" | "true" | "y" | "yes" | "on")
}

/// The project as it is to be made, with `--scale web=3`: whatever is known to be wrong is told before anything is made of it.
pub(super) fn model(client: &Client, project: &mut Project, scale: &[String]) -> anyhow::Result<Model> {
    for text in scale {
        let wrong = || anyhow::anyhow!("invalid --scale option {text:?}. Should be SERVICE=NUM");
        let (name, number) = text.split_once('=').ok_or_else(wrong)?;
        project.scale(name, number.parse().map_err(|_| wrong())?).map_err(fail)?;
    }
    project.ready().map_err(fail)?;
    if client.host().is_none() {
        project.suits_kesako().map_err(fail)?;
    }
    project.model().map_err(fail)
}
