//! `kesako rm`.

use super::{Verb, each};
use crate::output::warn;
use crate::session::{self, Session};

/// Remove one or more containers
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    force: bool,
    /// Remove the specified link
    #[arg(short, long)]
    link: bool,
    /// Remove anonymous volumes associated with the container
    #[arg(short, long)]
    volumes: bool,
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Verb for Remove {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let (force, volumes, link) = (self.force, self.volumes, self.link);
        each(&session, &self.containers, move |client, name| async move {
            let plain = name.trim_matches('/');
            if plain.is_empty() {
                anyhow::bail!("container name cannot be empty");
            }
            let mut request = client.delete(format!("/containers/{plain}"));
            for (flag, given) in [("force", force), ("v", volumes), ("link", link)] {
                if given {
                    request = request.query(flag, 1);
                }
            }
            match request.send().await {
                // With force, what is not there is as good as removed; it is said all the same.
                Err(error) if force && error.is_not_found() => {
                    warn(session::message(&error.into()));
                    Ok(None)
                }
                Err(error) => Err(error.into()),
                Ok(()) => Ok(Some(name)),
            }
        })
        .await
    }
}
