//! `kesako compose wait`.

use super::report::Steps;
use super::{Context, Member, fail};
use crate::failure::Exit;
use crate::output::say;
use ::compose::containers::{self, OneOff, Wanted};
use ::compose::run::Down;
use anyhow::bail;
use engine::api::WaitResponse;
use std::rc::Rc;
use tokio::task::JoinSet;

/// Block until containers of all (or specified) services stop.
#[derive(Debug, clap::Args)]
pub(super) struct Wait {
    /// Drops project when the first container stops
    #[arg(long)]
    down_project: bool,
    #[arg(value_name = "SERVICE", required = true)]
    services: Vec<String>,
}

impl Member for Wait {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let client = Rc::new(context.connect()?);
        let (_, name) = context.project_or_name(&self.services)?;
        let wanted = Wanted { project: &name, services: &self.services, one_off: OneOff::With, all: false };
        let there = containers::find(&client, wanted).await.map_err(fail)?;
        if there.is_empty() {
            bail!("no containers for project {name:?}");
        }
        let mut ends = JoinSet::new();
        for container in there {
            let client = client.clone();
            ends.spawn_local(async move {
                let answer: WaitResponse = client.post(format!("/containers/{}/wait", container.id)).json().await?;
                match answer.error {
                    Some(error) if !error.message.is_empty() => bail!(error.message),
                    _ => Ok((container.id, answer.status_code)),
                }
            });
        }
        let mut last = 0;
        while let Some(end) = ends.join_next().await {
            let (id, code) = end??;
            say(format_args!("container {id:?} exited with status code {code}"))?;
            last = code;
            if self.down_project {
                break;
            }
        }
        if self.down_project {
            let steps = Steps::new(context.progress()?, "down");
            let down = Down {
                client: &client,
                project: &name,
                model: None,
                services: &[],
                volumes: false,
                images: None,
                remove_orphans: true,
                timeout: None,
                report: &steps,
            };
            down.run().await.map_err(fail)?;
        }
        Exit::container(last)
    }
}
