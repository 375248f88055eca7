//! `kesako compose watch`: containers that follow what is changed here.
//!
//! ```text
//!   inotify ── tree: batches of paths ── rules: what is to be done ─┬─ sync: into the containers
//!                                                                   ├─ rebuild: build, recreate, start
//!                                                                   └─ restart, exec
//! ```

mod actions;
mod rules;
mod sync;
mod tree;

use super::build::Builds;
use super::making::Making;
use super::report::{Mode, Steps};
use super::{Context, Member, fail};
use crate::failure::Exit;
use crate::output;
use crate::terminal::Claim;
use ::compose::Project;
use ::compose::model::Model;
use ::compose::run::Start;
use ::daemon::Client;
use anyhow::{Context as _, bail};
use rules::Action;
pub(super) use rules::Rule;
use std::fs::File;
use std::rc::Rc;
use tokio::signal::unix::{SignalKind, signal};
use tree::Tree;

/// Watch build context for service and rebuild/refresh containers when files are updated
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Do not build & start services before watching
    #[arg(long)]
    no_up: bool,
    /// Prune dangling images on rebuild
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    prune: bool,
    /// hide build output
    #[arg(long)]
    quiet: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Watch {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let project = context.project(&self.services)?;
        let mut model = project.model().map_err(fail)?;
        // Whoever is to be rebuilt is built now, too.
        for service in model.services.values_mut().filter(|s| s.build.is_some() && s.develop.is_some()) {
            service.pull_policy = "build".to_owned();
        }
        let client = Rc::new(context.connect()?);
        let watching = Watching {
            context,
            client: &client,
            project: &project,
            model: &model,
            builds: Builds { quiet: self.quiet, progress: "plain".to_owned(), ..Builds::default() },
            prune: self.prune,
            log: &|line: &str| output::say(line),
        };
        let rules = rules(&model, &self.services)?;
        let _lock = lock(context, &project.name)?;
        let (mut interrupts, mut terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let claim = Claim::new();
        let work = async {
            if !self.no_up {
                let steps = Steps::new(context.progress()?, "up");
                let making = Making {
                    pull: "policy".into(),
                    quiet_build: self.quiet,
                    quiet_pull: self.quiet,
                    ..Making::default()
                };
                let how = making.creation(&project, &self.services)?;
                making.run(context, &client, &project, &model, &how, &steps).await?;
                Start::of_model(&client, &model, &steps).run().await.map_err(fail)?;
            }
            watching.run(&rules).await
        };
        tokio::select! {
            result = work => return result,
            _ = interrupts.recv() => {}
            _ = terminations.recv() => {}
        }
        drop(claim);
        output::say("Watch disabled")?;
        Err(Exit::with(130, ""))
    }
}

/// Two that follow the same changes would undo each other's work.
pub(super) fn lock(context: &Context, project: &str) -> anyhow::Result<File> {
    let roots = engine::Roots::find(context.session.globals.root.as_deref())?;
    let folder = roots.run.join("compose");
    let path = folder.join(format!("{project}.watch"));
    let failed = || format!("cannot take exclusive lock for project {project:?}");
    std::fs::create_dir_all(&folder).with_context(failed)?;
    let file = File::options().create(true).append(true).open(&path).with_context(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => bail!("{}: somebody watches it already", failed()),
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(failed),
    }
}

/// What the services have under `develop`; with `services`, only those.
///
/// # Errors
/// None of them has anything there; or it makes no sense.
pub(super) fn rules(model: &Model, services: &[String]) -> anyhow::Result<Vec<Rule>> {
    let is_followed = |name: &str| services.is_empty() || services.iter().any(|other| other == name);
    let mut rules = Vec::new();
    for service in model.services.values().filter(|service| is_followed(&service.name)) {
        for trigger in service.develop.iter().flat_map(|develop| &develop.watch) {
            rules.extend(Rule::of(service, trigger)?);
        }
    }
    if rules.is_empty() {
        bail!("none of the selected services is configured for watch, consider setting a 'develop' section");
    }
    Ok(rules)
}

/// A project whose changes are followed.
pub(super) struct Watching<'a> {
    pub context: &'a Context,
    pub client: &'a Rc<Client>,
    pub project: &'a Project,
    pub model: &'a Model,
    pub builds: Builds,
    pub prune: bool,
    /// Who is told what is done.
    pub log: &'a dyn Fn(&str) -> anyhow::Result<()>,
}

impl Watching<'_> {
    /// Follows what happens beneath the rules' paths, until it is dropped.
    pub async fn run(&self, rules: &[Rule]) -> anyhow::Result<()> {
        // Watched before the first files are copied, none is missed.
        let mut tree = Tree::new(rules.iter().map(|rule| rule.path.clone()).collect())?;
        for rule in
            rules.iter().filter(|rule| rule.initial && matches!(rule.action, Action::Sync | Action::SyncAndRestart))
        {
            let changes: Vec<_> = tree::beneath(&rule.path).iter().filter_map(|path| rule.change(path)).collect();
            self.sync(&rule.service, &changes).await?;
        }
        (self.log)("Watch enabled")?;
        loop {
            let batch = tree.batch().await?;
            if let Err(error) = self.handle(rules, &batch).await {
                // What fails now may be put right by the next change.
                output::warn(format!("Error handling changed files: {}", crate::session::message(&error)));
            }
        }
    }

    fn steps(&self) -> anyhow::Result<Steps> {
        // Between the lines of a log nothing stays in its place.
        let mode = match self.context.progress()? {
            Mode::Tty => Mode::Plain,
            mode => mode,
        };
        Ok(Steps::new(mode, "watch"))
    }
}
