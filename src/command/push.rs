//! `kesako push`.

use super::{Verb, pull};
use crate::output::say;
use crate::session::Session;
use crate::transfer::{To, Transfer};
use ::registry::Reference;
use daemon::Client;
use daemon::client::Request;

/// Upload an image to a registry
#[derive(Debug, clap::Args)]
pub(super) struct Push {
    /// Push all tags of an image to the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Suppress verbose output
    #[arg(short, long)]
    quiet: bool,
    #[arg(required = true)]
    name: String,
}

impl Verb for Push {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let mut reference = Reference::parse(&self.name)?;
        if reference.digest().is_some() {
            anyhow::bail!("cannot push a digest reference");
        }
        if self.all_tags && !reference.is_name_only() {
            anyhow::bail!("tag can't be used with --all-tags/-a");
        }
        if !self.all_tags && reference.is_name_only() {
            reference = reference.or_latest();
            if !self.quiet {
                say("Using default tag: latest")?;
            }
        }
        let client = session.connect()?;
        pull::follow(request(&client, &reference)?, (!self.quiet).then(|| Transfer::new(To::Stdout))).await?;
        if self.quiet { say(reference.canonical()) } else { Ok(()) }
    }
}

/// Asks for it.
pub(super) fn request<'a>(client: &'a Client, reference: &Reference) -> anyhow::Result<Request<'a>> {
    let credentials = pull::credentials(reference)?.unwrap_or_default();
    Ok(client
        .post(format!("/images/{}/push", reference.repository()))
        .query_opt("tag", reference.tag())
        .header_opt("x-registry-auth", Some(credentials.to_header())))
}
