//! `kesako diff`.

use super::Verb;
use crate::output::say;
use crate::session::Session;
use engine::api::FilesystemChange;

/// Inspect changes to files or directories on a container's filesystem
#[derive(Debug, clap::Args)]
pub(super) struct Diff {
    #[arg(required = true)]
    container: String,
}

impl Verb for Diff {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = session.connect()?;
        // Null when there are none.
        let changes: Option<Vec<FilesystemChange>> =
            client.get(format!("/containers/{}/changes", self.container)).json().await?;
        for change in changes.unwrap_or_default() {
            let kind = match change.kind {
                0 => 'C',
                1 => 'A',
                _ => 'D',
            };
            say(format!("{kind} {}", change.path))?;
        }
        Ok(())
    }
}
