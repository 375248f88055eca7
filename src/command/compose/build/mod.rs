//! `kesako compose build`, and how all of compose builds.

mod command;
mod targets;

pub(super) use command::Build;

use super::Context;
use crate::command::build::{Job, Target, build_classic, follow, is_dockerd, report, told};
use crate::progress::{Mode, Progress};
use crate::terminal::{Claim, end_unless_claimed};
use ::compose::model::Model;
use ::compose::steps::Report;
use ::daemon::Client;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How images are built, besides what their services say.
#[derive(Clone, Debug, Default)]
pub(super) struct Builds {
    /// `--build-arg`
    pub args: BTreeMap<String, Option<String>>,
    pub no_cache: bool,
    /// `build --pull`
    pub pull: bool,
    /// Only what fails is told.
    pub quiet: bool,
    /// `--progress`; empty is `auto`.
    pub progress: String,
    /// `--ssh`
    pub ssh: Option<String>,
    /// Bytes that a command of the build may use; 0 is no limit.
    pub memory: i64,
    /// For all platforms that a service names, not only for the one it runs on.
    pub all_platforms: bool,
}

impl Builds {
    fn mode(&self, context: &Context) -> anyhow::Result<Mode> {
        let asked = match self.progress.as_str() {
            "" => context.progress_flag(),
            own => own.to_owned(),
        };
        match asked.as_str() {
            _ if self.quiet => Ok(Mode::Quiet),
            // What is told between two pictures would be drawn over.
            "" | "auto" if context.session.globals.explain => Mode::choose("plain"),
            "" => Mode::choose("auto"),
            "json" => Mode::choose("rawjson"),
            progress => Mode::choose(progress),
        }
    }
}

/// Builds the images of these services, and what they are made of. Returns their IDs by service.
pub(super) async fn build(
    context: &Context,
    client: &Rc<Client>,
    model: &Model,
    services: &[&str],
    how: &Builds,
    report: &dyn Report,
) -> anyhow::Result<BTreeMap<String, String>> {
    if services.is_empty() {
        return Ok(BTreeMap::new());
    }
    let is_dockerd = is_dockerd(client).await?;
    let (model, order) = targets::order(context, model, services)?;
    let mut targets = Vec::new();
    for name in &order {
        targets.push(targets::target(client, &model, &model.services[name], how, is_dockerd).await?);
    }
    let objects = order.iter().map(|name| format!("Image {}", model.services[name].image_name(&model.name)));
    let objects: Vec<String> = objects.collect();
    if is_dockerd {
        return one_by_one(targets, &objects, how, report).await;
    }
    let mut progress = Progress::new(how.mode(context)?);
    // It cancels the builds; what comes after them can be ended as ever.
    end_unless_claimed()?;
    let claim = Claim::new();
    objects.iter().for_each(|object| report.working(object, "Building"));
    let built = follow(targets, &mut progress).await;
    drop(claim);
    progress.end(context.session.globals.debug).await?;
    let built = built.map_err(|end| told(end, ""))?;
    objects.iter().for_each(|object| report.done(object, "Built"));
    Ok(built)
}

/// `--check`: only warns, of one service after the other.
pub(super) async fn check(
    context: &Context,
    client: &Rc<Client>,
    model: &Model,
    services: &[&str],
    how: &Builds,
) -> anyhow::Result<()> {
    if is_dockerd(client).await? {
        anyhow::bail!("--check: not supported by the classic builder of dockerd");
    }
    let (model, order) = targets::order(context, model, services)?;
    let mut found = Ok(());
    for name in &order {
        let mut target = targets::target(client, &model, &model.services[name], how, false).await?;
        target.job.options.check = true;
        let mut progress = Progress::new(how.mode(context)?);
        let checked = follow(vec![target], &mut progress).await;
        progress.end(context.session.globals.debug).await?;
        checked.map_err(|end| told(end, ""))?;
        found = found.and(report(&progress));
    }
    found
}

/// By a classic builder: the words of several would mix.
async fn one_by_one(
    targets: Vec<Target>,
    objects: &[String],
    how: &Builds,
    report: &dyn Report,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut images = BTreeMap::new();
    for (Target { name, job, .. }, object) in targets.into_iter().zip(objects) {
        report.working(object, "Building");
        images.insert(name, build_classic(job, true, how.quiet).await?);
        report.done(object, "Built");
    }
    Ok(images)
}
