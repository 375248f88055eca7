//! The command.

use super::{Builds, build, check};
use crate::command::compose::report::{Mode, Steps};
use crate::command::compose::{Context, Member, fail, push};
use crate::flags::{environment, size};
use crate::output::warn;
use ::compose::model::Model;
use anyhow::bail;
use std::rc::Rc;

/// Build or rebuild services
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Build {
    /// Set build-time variables for services
    #[arg(long, value_name = "stringArray", value_parser = environment::check_variable)]
    build_arg: Vec<String>,
    /// Set builder to use
    #[arg(long, hide = true)]
    builder: Option<String>,
    /// Check build configuration
    #[arg(long)]
    check: bool,
    #[arg(long, hide = true)]
    compress: bool,
    #[arg(long, hide = true)]
    force_rm: bool,
    /// Set memory limit for the build container. Only of a dockerd's classic builder.
    #[arg(short, long, value_name = "bytes", value_parser = size::bytes)]
    memory: Option<i64>,
    /// Do not use cache when building the image
    #[arg(long)]
    no_cache: bool,
    #[arg(long, hide = true)]
    parallel: bool,
    /// Set type of ui output (auto, tty, plain, json, quiet)
    #[arg(long, hide = true)]
    progress: Option<String>,
    /// Always attempt to pull a newer version of the image
    #[arg(long)]
    pull: bool,
    /// Push service images
    #[arg(long)]
    push: bool,
    /// Suppress the build output
    #[arg(short, long)]
    quiet: bool,
    /// Set SSH authentications used when building service images. (use 'default' for using your default SSH Agent)
    #[arg(long)]
    ssh: Option<String>,
    /// Also build dependencies (transitively)
    #[arg(long)]
    with_dependencies: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Build {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        if self.builder.as_deref().is_some_and(|builder| !matches!(builder, "" | "default")) {
            bail!("--builder: not supported: there is one builder only");
        }
        let model = context.project_of_images(&self.services)?.model().map_err(fail)?;
        let services = self.chosen(&model);
        let client = Rc::new(context.connect()?);
        let how = Builds {
            args: self.build_arg.iter().map(|text| variable(text)).collect(),
            no_cache: self.no_cache,
            pull: self.pull,
            quiet: self.quiet,
            progress: self.progress.clone().unwrap_or_default(),
            ssh: self.ssh.clone().map(|ssh| if ssh.is_empty() { "default".to_owned() } else { ssh }),
            memory: self.memory.unwrap_or(0),
            all_platforms: true,
        };
        if self.check {
            return check(context, &client, &model, &services, &how).await;
        }
        let mode = if self.quiet { Mode::Quiet } else { context.progress()? };
        let steps = Steps::new(mode, "build");
        let built = build(context, &client, &model, &services, &how, &steps).await?;
        if built.is_empty() {
            warn("No services to build");
        }
        match self.push {
            true => push::push(&client, built.keys().map(|name| &model.services[name]), false, &steps).await,
            false => Ok(()),
        }
    }
}

impl Build {
    /// The services that are built.
    fn chosen<'a>(&self, model: &'a Model) -> Vec<&'a str> {
        let mut open = self.services.clone();
        if open.is_empty() {
            open = model.services.keys().cloned().collect();
        }
        let mut chosen = std::collections::BTreeSet::new();
        while let Some(name) = open.pop() {
            let Some((name, service)) = model.services.get_key_value(&name) else { continue };
            if chosen.insert(name.as_str()) && self.with_dependencies {
                open.extend(service.depends_on.keys().cloned());
            }
        }
        chosen.into_iter().filter(|name| model.services[*name].build.is_some()).collect()
    }
}

/// `NAME=value`; a bare name takes the value that the project has for it.
fn variable(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}
