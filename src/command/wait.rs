//! `kesako wait`.

use super::{Verb, each};
use crate::session::Session;
use engine::api::WaitResponse;

/// Block until one or more containers stop, then print their exit codes
#[derive(Debug, clap::Args)]
pub(super) struct Wait {
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Verb for Wait {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        each(&session, &self.containers, |client, name| async move {
            let answer: WaitResponse = client.post(format!("/containers/{name}/wait")).json().await?;
            match answer.error {
                Some(error) if !error.message.is_empty() => anyhow::bail!(error.message),
                _ => Ok(answer.status_code.to_string()),
            }
        })
        .await
    }
}
