//! `kesako commit`.

use super::Verb;
use super::tag::split;
use crate::output::say;
use crate::session::Session;
use engine::api::IdResponse;

/// Create a new image from a container's changes
#[derive(Debug, clap::Args)]
pub(super) struct Commit {
    /// Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
    #[arg(short, long)]
    pub(super) author: Option<String>,
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long)]
    pub(super) change: Vec<String>,
    /// Commit message
    #[arg(short, long)]
    pub(super) message: Option<String>,
    /// Pause container during commit
    #[arg(short, long, default_value_t = true, action = clap::ArgAction::Set)]
    pub(super) pause: bool,
    #[arg(required = true)]
    pub(super) container: String,
    pub(super) reference: Option<String>,
}

impl Verb for Commit {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = session.connect()?;
        let (repository, tag) = self.reference.as_deref().map_or((None, None), |reference| {
            let (repository, tag) = split(reference);
            (Some(repository), tag)
        });
        let mut request = client
            .post("/commit")
            .query("container", &self.container)
            .query_opt("repo", repository)
            .query_opt("tag", tag)
            .query_opt("author", self.author)
            .query_opt("comment", self.message)
            .query("pause", u8::from(self.pause));
        for change in &self.change {
            request = request.query("changes", change);
        }
        let image: IdResponse = request.json().await?;
        say(image.id)?;
        Ok(())
    }
}
