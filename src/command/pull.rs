//! `kesako pull`, and the pulling that `run` and `create` do.

use super::Verb;
use crate::output::{say, warn};
use crate::session::Session;
use crate::transfer::{To, Transfer};
use ::registry::credentials::{File, key};
use ::registry::{Credentials, Error, Reference};
use daemon::Client;
use daemon::client::Request;
use engine::api::Progress;

/// Download an image from a registry
#[derive(Debug, clap::Args)]
pub(super) struct Pull {
    /// Download all tagged images in the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Set platform if server is multi-platform capable
    #[arg(long)]
    platform: Option<String>,
    /// Suppress verbose output
    #[arg(short, long)]
    quiet: bool,
    #[arg(required = true)]
    name: String,
}

impl Verb for Pull {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let reference = Reference::parse(&self.name)?;
        if self.all_tags && !reference.is_name_only() {
            anyhow::bail!("tag can't be used with --all-tags/-a");
        }
        let reference = match reference.is_name_only() && !self.all_tags {
            true => {
                let reference = reference.or_latest();
                if !self.quiet {
                    say("Using default tag: latest")?;
                }
                reference
            }
            false => reference,
        };
        let client = session.connect()?;
        let transfer = (!self.quiet).then(|| Transfer::new(To::Stdout));
        pull(&client, &reference, self.platform.as_deref(), transfer).await?;
        say(reference.canonical())
    }
}

/// Pulls an image, or without tag and digest all of a repository.
pub(super) async fn pull(
    client: &Client,
    reference: &Reference,
    platform: Option<&str>,
    transfer: Option<Transfer>,
) -> anyhow::Result<()> {
    follow(request(client, reference, platform)?, transfer).await
}

/// Asks for it.
pub(super) fn request<'a>(
    client: &'a Client,
    reference: &Reference,
    platform: Option<&str>,
) -> anyhow::Result<Request<'a>> {
    let tag = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Some(digest.to_string()),
        (None, tag) => tag.map(str::to_owned),
    };
    let request = client
        .post("/images/create")
        .query("fromImage", reference.repository())
        .query_opt("tag", tag)
        .query_opt("platform", platform);
    Ok(request.header_opt("x-registry-auth", credentials(reference)?.map(|found| found.to_header())))
}

/// Shows a transfer until its end.
pub(super) async fn follow(request: Request<'_>, mut transfer: Option<Transfer>) -> anyhow::Result<()> {
    let mut lines = request.lines().await?;
    // Without a picture, its errors are heard all the same.
    let mut silent = Transfer::new(To::Stderr);
    while let Some(progress) = lines.next::<Progress>().await? {
        match &mut transfer {
            Some(transfer) => transfer.show(&progress)?,
            None if progress.error.is_some() => silent.show(&progress)?,
            None => {}
        }
    }
    Ok(())
}

/// Who we are to the registry of this image. Where that cannot be found out we are nobody in particular, as with Docker:
/// most registries let everybody read.
pub(super) fn credentials(reference: &Reference) -> anyhow::Result<Option<Credentials>> {
    // Without a home there is no file.
    let Ok(file) = File::of_user() else { return Ok(None) };
    match file.get(key(reference)) {
        Err(error @ Error::Helper { .. }) => {
            warn(format!("WARNING: {error}"));
            Ok(None)
        }
        found => Ok(found?),
    }
}
