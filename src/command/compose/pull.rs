//! `kesako compose pull`, and how all of compose pulls.

use super::images::{self, Image};
use super::report::{Mode, Steps};
use super::{Context, Member, fail};
use crate::command::build::is_dockerd;
use crate::command::pull;
use crate::output::warn;
use crate::session;
use ::compose::model::{Model, Service};
use ::compose::policy::Policy;
use ::compose::steps::{Part, Report, State, Step};
use ::daemon::Client;
use ::daemon::client::Request;
use ::registry::Reference;
use engine::api::Progress;
use futures_util::future::try_join_all;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Pull service images
#[derive(Debug, clap::Args)]
pub(super) struct Pull {
    /// Ignore images that can be built
    #[arg(long)]
    ignore_buildable: bool,
    /// Pull what it can and ignores images with pull failures
    #[arg(long)]
    ignore_pull_failures: bool,
    /// Also pull services declared as dependencies
    #[arg(long)]
    include_deps: bool,
    #[arg(long, hide = true)]
    no_parallel: bool,
    #[arg(long, hide = true)]
    parallel: bool,
    /// Apply pull policy ("missing"|"always")
    #[arg(long)]
    policy: Option<String>,
    /// Pull without printing progress information
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Pull {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        for (flag, given) in [("no-parallel", self.no_parallel), ("parallel", self.parallel)] {
            if given {
                warn(format!("option '--{flag}' is DEPRECATED and will be ignored."));
            }
        }
        let mut model = context.project_of_images(&self.services)?.model().map_err(fail)?;
        if !self.include_deps && !self.services.is_empty() {
            model.services.retain(|name, _| self.services.contains(name));
        }
        if let Some(policy) = self.policy.as_deref().filter(|policy| !policy.is_empty()) {
            if !matches!(policy, "missing" | "if_not_present" | "always" | "never" | "build") {
                anyhow::bail!("invalid --policy option {policy:?}");
            }
            model.services.values_mut().for_each(|service| service.pull_policy = policy.to_owned());
        }
        let client = context.connect()?;
        let mode = if self.quiet { Mode::Quiet } else { context.progress()? };
        let steps = Steps::new(mode, "pull");
        let failed = self.all(&client, &model, &steps).await;
        steps.end();
        let failed = failed?;
        if !failed.is_empty() {
            let services: Vec<&str> = failed.iter().map(|(service, _)| *service).collect();
            let services = services.join(" ");
            warn(format!(
                "WARNING: Some service image(s) must be built from source by running:\n    kesako compose build {services}"
            ));
        }
        match failed.into_iter().next() {
            Some((_, error)) if !self.ignore_pull_failures => Err(error),
            _ => Ok(()),
        }
    }
}

impl Pull {
    /// Pulls them, all at once. Returns the services that can be built instead.
    async fn all<'a>(
        &self,
        client: &Client,
        model: &'a Model,
        report: &dyn Report,
    ) -> anyhow::Result<Vec<(&'a str, anyhow::Error)>> {
        let mut images: BTreeMap<Image, &Service> = BTreeMap::new();
        for service in model.services.values() {
            let image = Image::of(model, service);
            let reason = match self.why_not(client, service, &image).await? {
                Some(reason) => reason,
                None => {
                    images.entry(image).or_insert(service);
                    continue;
                }
            };
            let object = match service.image.as_str() {
                "" => service.name.clone(),
                image => format!("Image {image}"),
            };
            report.step(Step { object, text: "Skipped".into(), details: reason.to_owned(), state: State::Done });
        }
        let wanted: BTreeMap<&Image, Fallback> = images
            .iter()
            .map(|(image, service)| match service.build {
                Some(_) => (image, Fallback::Build),
                None if self.ignore_pull_failures => (image, Fallback::Nothing),
                None => (image, Fallback::None),
            })
            .collect();
        let failed = pull(client, wanted, false, report).await?;
        let builds = failed.into_iter().filter(|(image, _)| images[*image].build.is_some());
        Ok(builds.map(|(image, error)| (images[image].name.as_str(), error)).collect())
    }

    /// Why an image needs not to be pulled. Who asks for a pull means an image without a policy, too; and one whose time has not come.
    async fn why_not(&self, client: &Client, service: &Service, image: &Image) -> anyhow::Result<Option<&'static str>> {
        if service.image.is_empty() {
            return Ok(Some("No image to be pulled"));
        }
        if !service.pull_policy.is_empty() {
            match images::policy(service)? {
                Policy::Never | Policy::Build => return Ok(Some("")),
                Policy::Missing if !is_latest(&service.image) && images::find(client, image).await?.is_some() => {
                    return Ok(Some("Image is already present locally"));
                }
                Policy::Always | Policy::Missing | Policy::Refresh(_) => {}
            }
        }
        Ok((self.ignore_buildable && service.build.is_some()).then_some("Image can be built"))
    }
}

/// A tag that is expected to move.
fn is_latest(image: &str) -> bool {
    Reference::parse(image).is_ok_and(|image| image.digest().is_none() && image.or_latest().tag() == Some("latest"))
}

/// What there is where an image cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    /// Nothing, and that is an error.
    None,
    /// Nothing, and so be it.
    Nothing,
    /// It can be built.
    Build,
}

/// Pulls images, all at once. Returns those that could not be had.
///
/// # Errors
/// One that there is no other way to cannot be had: the others are broken off.
pub(super) async fn pull<'a>(
    client: &Client,
    images: BTreeMap<&'a Image, Fallback>,
    quiet: bool,
    report: &dyn Report,
) -> anyhow::Result<Vec<(&'a Image, anyhow::Error)>> {
    let pulling: RefCell<BTreeSet<&Image>> = RefCell::new(images.keys().copied().collect());
    let each = async |(image, fallback): (&'a Image, Fallback)| {
        let pulled = one(client, image, fallback, quiet, report).await;
        pulling.borrow_mut().remove(image);
        match pulled {
            Err(error) if fallback == Fallback::None => Err(error),
            pulled => Ok((image, pulled)),
        }
    };
    let pulled = try_join_all(images.into_iter().map(each)).await;
    for image in pulling.take() {
        step(report, object(image), "Interrupted", State::Warning);
    }
    Ok(pulled?.into_iter().filter_map(|(image, pulled)| Some((image, pulled.err()?))).collect())
}

fn object(image: &Image) -> String {
    format!("Image {}", image.name)
}

fn step(report: &dyn Report, object: String, text: &str, state: State) {
    report.step(Step { object, text: text.to_owned(), details: String::new(), state });
}

/// Pulls one, and tells how that goes.
async fn one(
    client: &Client,
    image: &Image,
    fallback: Fallback,
    quiet: bool,
    report: &dyn Report,
) -> anyhow::Result<()> {
    let object = object(image);
    let reference = Reference::parse(&image.name)?.or_latest();
    if reference.canonical() == BUILT_IN && !is_dockerd(client).await? {
        report.step(Step { object, text: "Skipped".into(), details: "Image is built in".into(), state: State::Done });
        return Ok(());
    }
    report.working(&object, "Pulling");
    let parts = |progress: &Progress| {
        if let Some(part) = part(progress).filter(|_| !quiet) {
            report.part(&object, part);
        }
    };
    let platform = Some(image.platform.as_str()).filter(|platform| !platform.is_empty());
    let Err(error) = listen(pull::request(client, &reference, platform)?, &parts).await else {
        report.done(&object, "Pulled");
        return Ok(());
    };
    // The daemon's own words, as docker compose shows them here; the error has its mark.
    let text = match error.downcast_ref::<::daemon::Error>() {
        Some(answer) => answer.message.clone(),
        None => session::message(&error),
    };
    match fallback {
        Fallback::Build => step(report, object, &text, State::Warning),
        Fallback::None | Fallback::Nothing => report.failed(&object, &text),
    }
    Err(error)
}

/// What Kesako makes of the host's own tools is there without any registry.
const BUILT_IN: &str = "docker.io/library/workbench:latest";

/// Hears of a transfer until its end.
pub(super) async fn listen(request: Request<'_>, hear: &impl Fn(&Progress)) -> anyhow::Result<()> {
    let mut lines = request.lines().await?;
    while let Some(progress) = lines.next::<Progress>().await? {
        if let Some(error) = &progress.error {
            anyhow::bail!("{}", progress.error_detail.as_ref().map_or(error, |detail| &detail.message));
        }
        hear(&progress);
    }
    Ok(())
}

/// A layer that is on its way, in either direction.
pub(super) fn part(progress: &Progress) -> Option<Part> {
    let detail = progress.progress_detail.as_ref()?;
    let text = progress.status.clone()?;
    let ends = ["Download complete", "Already exists", "Pull complete", "Pushed", "Layer already exists"];
    Some(Part {
        id: progress.id.clone()?,
        done: ends.contains(&text.as_str()),
        text,
        current: detail.current.unwrap_or(0),
        total: detail.total.unwrap_or(0),
    })
}
