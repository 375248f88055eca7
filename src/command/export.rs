//! `kesako export`.

use super::Verb;
use super::save::receive;
use crate::session::Session;

/// Export a container's filesystem as a tar archive
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Write to a file, instead of STDOUT
    #[arg(short, long)]
    pub(super) output: Option<String>,
    #[arg(required = true)]
    pub(super) container: String,
}

impl Verb for Export {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = session.connect()?;
        let request = client.get(format!("/containers/{}/export", self.container));
        receive(request, self.output.as_deref(), "export").await
    }
}
