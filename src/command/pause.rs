//! `kesako pause` and `kesako unpause`.

use super::{Verb, each};
use crate::session::Session;

/// Pause all processes within one or more containers
#[derive(Debug, clap::Args)]
pub(super) struct Pause {
    #[arg(required = true)]
    containers: Vec<String>,
}

/// Unpause all processes within one or more containers
#[derive(Debug, clap::Args)]
pub(super) struct Unpause {
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Verb for Pause {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        tell(&session, &self.containers, "pause").await
    }
}

impl Verb for Unpause {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        tell(&session, &self.containers, "unpause").await
    }
}

async fn tell(session: &Session, containers: &[String], what: &'static str) -> anyhow::Result<()> {
    each(session, containers, move |client, name| async move {
        client.post(format!("/containers/{name}/{what}")).send().await?;
        Ok(name)
    })
    .await
}
