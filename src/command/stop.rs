//! `kesako stop` and `kesako restart`.

use super::{Verb, each};
use crate::arguments::integer;
use crate::session::Session;

/// What both take: how a container's end comes about.
#[derive(Debug, clap::Args)]
struct Ending {
    /// Signal to send to the container
    #[arg(short, long)]
    signal: Option<String>,
    /// Seconds to wait before killing the container
    #[arg(short, long, alias = "time", value_name = "int", value_parser = integer)]
    timeout: Option<i64>,
    #[arg(required = true)]
    containers: Vec<String>,
}

/// Stop one or more running containers
#[derive(Debug, clap::Args)]
pub(super) struct Stop {
    #[command(flatten)]
    ending: Ending,
}

/// Restart one or more containers
#[derive(Debug, clap::Args)]
pub(super) struct Restart {
    #[command(flatten)]
    ending: Ending,
}

impl Verb for Stop {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        self.ending.ask(&session, "stop").await
    }
}

impl Verb for Restart {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        self.ending.ask(&session, "restart").await
    }
}

impl Ending {
    async fn ask(self, session: &Session, what: &'static str) -> anyhow::Result<()> {
        each(session, &self.containers, |client, name| {
            let (signal, timeout) = (self.signal.clone(), self.timeout);
            async move {
                let request = client.post(format!("/containers/{name}/{what}"));
                request.query_opt("signal", signal).query_opt("t", timeout).send().await?;
                Ok(name)
            }
        })
        .await
    }
}
