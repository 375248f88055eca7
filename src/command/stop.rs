//! `kesako stop`.

use super::{Verb, each};
use crate::arguments::integer;
use crate::session::Session;

/// Stop one or more running containers
#[derive(Debug, clap::Args)]
pub(super) struct Stop {
    /// Signal to send to the container
    #[arg(short, long)]
    signal: Option<String>,
    /// Seconds to wait before killing the container
    #[arg(short, long, alias = "time", value_name = "int", value_parser = integer)]
    timeout: Option<i64>,
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Verb for Stop {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        each(&session, &self.containers, |client, name| {
            let (signal, timeout) = (self.signal.clone(), self.timeout);
            async move {
                let request = client.post(format!("/containers/{name}/stop"));
                request.query_opt("signal", signal).query_opt("t", timeout).send().await?;
                Ok(name)
            }
        })
        .await
    }
}
