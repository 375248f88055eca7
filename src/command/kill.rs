//! `kesako kill`.

use super::{Verb, each};
use crate::session::Session;

/// Kill one or more running containers
#[derive(Debug, clap::Args)]
pub(super) struct Kill {
    /// Signal to send to the container
    #[arg(short, long)]
    signal: Option<String>,
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Verb for Kill {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        each(&session, &self.containers, |client, name| {
            let signal = self.signal.clone();
            async move {
                client.post(format!("/containers/{name}/kill")).query_opt("signal", signal).send().await?;
                Ok(name)
            }
        })
        .await
    }
}
