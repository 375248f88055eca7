//! `kesako start`, and how `run` and `start -a` stay with a container until it ends.

use super::Verb;
use crate::failure::Exit;
use crate::output::{say, warn};
use crate::session::{self, Session};
use crate::terminal::{self, DetachKeys, End, Streams};
use daemon::Client;
use engine::api::{ContainerInspect, WaitResponse};
use std::io::IsTerminal;
use std::rc::Rc;
use tokio::task::JoinHandle;

/// Start one or more stopped containers
#[derive(Debug, clap::Args)]
pub(super) struct Start {
    /// Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    attach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Attach container's STDIN
    #[arg(short, long)]
    interactive: bool,
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Verb for Start {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = Rc::new(session.connect()?);
        if !self.attach && !self.interactive {
            return start_all(&client, &self.containers).await;
        }
        let [name] = self.containers.as_slice() else {
            anyhow::bail!("you cannot start and attach multiple containers at once");
        };
        let keys = DetachKeys::choose(self.detach_keys.as_deref())?;
        let container: ContainerInspect = client.get(format!("/containers/{name}/json")).json().await?;
        let tty = container.config.tty;
        if !tty {
            terminal::proxy(client.clone(), container.id.clone())?;
        }
        let stdin = self.interactive && container.config.open_stdin;
        let streams = Streams { stdin, stdout: true, stderr: true, tty, keys };
        attached(&client, &container.id, &streams, container.host_config.auto_remove, |error| {
            Exit::with(1, session::message(error))
        })
        .await
    }
}

async fn start_all(client: &Client, names: &[String]) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for name in names {
        match client.post(format!("/containers/{name}/start")).send().await {
            Ok(()) => say(name)?,
            Err(error) => {
                warn(session::message(&error.into()));
                failed.push(name.as_str());
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Exit::with(1, format!("Error: failed to start containers: {}", failed.join(", ")))),
    }
}

/// Attaches, starts, and stays until the end; the container's exit code becomes ours. The order matters: attached before
/// the start no output is missed, and waiting before the start no end is.
pub(super) async fn attached(
    client: &Rc<Client>,
    id: &str,
    streams: &Streams,
    removes_itself: bool,
    failed: impl Fn(&anyhow::Error) -> anyhow::Error,
) -> anyhow::Result<()> {
    let connection = attach(client, id, streams).await?;
    let condition = if removes_itself { "removed" } else { "next-exit" };
    let waiting = client.post(format!("/containers/{id}/wait")).query("condition", condition).response().await?;
    let exit: JoinHandle<_> = tokio::task::spawn_local(async move { waiting.json::<WaitResponse>().await });

    if let Err(error) = client.post(format!("/containers/{id}/start")).send().await {
        drop(connection);
        if removes_itself {
            // The start's own error is the one to be told.
            let _ = exit.await;
        }
        return Err(failed(&error.into()));
    }
    if streams.tty && std::io::stdout().is_terminal() {
        terminal::follow_size(client.clone(), format!("/containers/{id}"))?;
    }
    match stay(terminal::copy(connection, streams), exit, streams).await? {
        Some(code) => Exit::container(code),
        None => Ok(()),
    }
}

/// Joins our streams to a container's.
pub(super) async fn attach(
    client: &Client,
    id: &str,
    streams: &Streams,
) -> Result<daemon::client::Hijacked, daemon::Error> {
    let mut request = client.post(format!("/containers/{id}/attach")).query("stream", 1);
    for (name, wanted) in [("stdin", streams.stdin), ("stdout", streams.stdout), ("stderr", streams.stderr)] {
        if wanted {
            request = request.query(name, 1);
        }
    }
    let keys = Some(&streams.keys.text).filter(|text| !text.is_empty());
    request.query_opt("detachKeys", keys).hijack().await
}

/// The exit code, once both the output and the container have ended; None when the user detached.
async fn stay(
    copying: impl Future<Output = anyhow::Result<End>>,
    exit: JoinHandle<daemon::client::Result<WaitResponse>>,
    streams: &Streams,
) -> anyhow::Result<Option<i64>> {
    let mut copying = std::pin::pin!(copying);
    let mut exit = exit;
    tokio::select! {
        end = &mut copying => {
            if end? == End::Detached {
                return Ok(None);
            }
            status(exit.await?).map(Some)
        }
        answer = &mut exit => {
            // What is still on its way is waited for; how the copying then ends is no news.
            if streams.stdout || streams.stderr {
                let _ = copying.await;
            }
            status(answer?).map(Some)
        }
    }
}

fn status(answer: daemon::client::Result<WaitResponse>) -> anyhow::Result<i64> {
    let complaint = match answer {
        Ok(WaitResponse { error: Some(error), .. }) if !error.message.is_empty() => error.message,
        Ok(answer) => return Ok(answer.status_code),
        Err(error) => error.message,
    };
    Err(Exit::with(125, format!("error waiting for container: {complaint}")))
}
