//! `kesako attach`.

use super::Verb;
use super::start::attach;
use crate::failure::Exit;
use crate::session::Session;
use crate::terminal::{self, DetachKeys, End, Streams, size_of};
use daemon::Client;
use engine::api::{ContainerInspect, WaitResponse};
use std::io::IsTerminal;
use std::rc::Rc;

/// Attach local standard input, output, and error streams to a running container
#[derive(Debug, clap::Args)]
pub(super) struct Attach {
    /// Override the key sequence for detaching a container
    #[arg(long)]
    pub(super) detach_keys: Option<String>,
    /// Do not attach STDIN
    #[arg(long)]
    pub(super) no_stdin: bool,
    /// Proxy all received signals to the process
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    pub(super) sig_proxy: bool,
    #[arg(required = true)]
    pub(super) container: String,
}

impl Verb for Attach {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let keys = DetachKeys::choose(self.detach_keys.as_deref())?;
        let client = Rc::new(session.connect()?);
        let container = running(&client, &self.container).await?;
        let tty = container.config.tty;
        terminal::check(!self.no_stdin, tty)?;
        let id = container.id;
        let waiting = client.post(format!("/containers/{id}/wait")).response().await?;

        if self.sig_proxy && !tty {
            terminal::proxy(client.clone(), id.clone())?;
        }
        let stdin = !self.no_stdin && container.config.open_stdin;
        let streams = Streams { stdin, stdout: true, stderr: true, tty, keys };
        let connection = attach(&client, &id, &streams).await?;
        // It may have ended since we looked; then nothing would ever come.
        running(&client, &id).await?;
        if tty && std::io::stdout().is_terminal() {
            redraw(&client, &id).await;
            terminal::follow_size(client.clone(), format!("/containers/{id}"))?;
        }
        if terminal::copy(connection, &streams).await? == End::Detached {
            return Err(terminal::read_escape_sequence());
        }
        let answer: WaitResponse = waiting.json().await?;
        match answer.error {
            Some(error) if !error.message.is_empty() => Err(anyhow::anyhow!(error.message)),
            _ => Exit::container(answer.status_code),
        }
    }
}

async fn running(client: &Client, name: &str) -> anyhow::Result<ContainerInspect> {
    let container: ContainerInspect = client.get(format!("/containers/{name}/json")).json().await?;
    let state = &container.state;
    if !state.running {
        anyhow::bail!("You cannot attach to a stopped container, start it first");
    }
    if state.paused {
        anyhow::bail!("You cannot attach to a paused container, unpause it first");
    }
    if state.restarting {
        anyhow::bail!("You cannot attach to a restarting container, wait until it is running");
    }
    Ok(container)
}

/// A program paints its screen anew when the size changes, and so shows itself to who comes later: make it change.
async fn redraw(client: &Client, id: &str) {
    if let Some(size) = size_of(&std::io::stdout()) {
        let request = client.post(format!("/containers/{id}/resize")).query("h", size.height + 1);
        // Without it, the screen stays empty until a key is pressed; that is all.
        let _ = request.query("w", size.width + 1).send().await;
    }
}
