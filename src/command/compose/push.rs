//! `kesako compose push`.

use super::pull::{listen, part};
use super::report::{Mode, Steps};
use super::{Context, Member, fail};
use crate::command::push::request;
use crate::session;
use ::compose::model::Service;
use ::compose::steps::{Report, State, Step};
use ::daemon::Client;
use ::registry::Reference;
use engine::api::Progress;
use futures_util::future::try_join_all;

/// Push service images
#[derive(Debug, clap::Args)]
pub(super) struct Push {
    /// Push what it can and ignores images with push failures
    #[arg(long)]
    ignore_push_failures: bool,
    /// Also push images of services declared as dependencies
    #[arg(long)]
    include_deps: bool,
    /// Push without printing progress information
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Push {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let mut model = context.project_of_images(&self.services)?.model().map_err(fail)?;
        if !self.include_deps && !self.services.is_empty() {
            model.services.retain(|name, _| self.services.contains(name));
        }
        let client = context.connect()?;
        let mode = if self.quiet { Mode::Quiet } else { context.progress()? };
        let steps = Steps::new(mode, "push");
        push(&client, model.services.values(), self.ignore_push_failures, &steps).await
    }
}

/// Pushes what these services build, if it has a name of its own: all at once.
pub(super) async fn push<'a>(
    client: &Client,
    services: impl Iterator<Item = &'a Service>,
    ignore_failures: bool,
    report: &dyn Report,
) -> anyhow::Result<()> {
    let mut tags: Vec<&str> = Vec::new();
    for service in services {
        match &service.build {
            Some(build) if !service.image.is_empty() => {
                tags.extend(std::iter::once(&service.image).chain(&build.tags).map(String::as_str));
            }
            _ => report.done(&service.name, "Skipped"),
        }
    }
    let one = async |tag: &str| {
        report.working(tag, "Pushing");
        let parts = |progress: &Progress| {
            if let Some(part) = part(progress) {
                report.part(tag, part);
            }
        };
        let reference = Reference::parse(tag)?.or_latest();
        let Err(error) = listen(request(client, &reference)?, &parts).await else {
            report.done(tag, "Pushed");
            return Ok(());
        };
        let state = if ignore_failures { State::Warning } else { State::Failed };
        let (object, text) = (tag.to_owned(), session::message(&error));
        report.step(Step { object, text, details: String::new(), state });
        if ignore_failures { Ok(()) } else { Err(error) }
    };
    try_join_all(tags.into_iter().map(one)).await.map(drop)
}
