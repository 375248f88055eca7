//! `kesako run`: create, attach, start, wait.

use super::Verb;
use super::create::{self, create};
use super::start::attached;
use crate::flags::container::ContainerFlags;
use crate::output::say;
use crate::session::Session;
use crate::terminal::{self, DetachKeys, Streams};
use std::rc::Rc;

/// Create and run a new container from an image
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long)]
    detach_keys: Option<String>,
    /// Proxy received signals to the process
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    sig_proxy: bool,
    #[command(flatten)]
    container: ContainerFlags,
}

impl Verb for Run {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let request = self.container.request(self.detach).map_err(|error| create::with_help(&error, "run", 125))?;
        let config = request.config.clone();
        if self.detach && !self.container.attach.is_empty() {
            anyhow::bail!("conflicting options: cannot specify both --attach and --detach");
        }
        if !self.detach {
            terminal::check(config.attach_stdin, config.tty)?;
        }
        let keys = DetachKeys::choose(self.detach_keys.as_deref())?;
        let client = Rc::new(session.connect()?);
        let id = create(&client, &self.container, request).await.map_err(|error| failed(&error))?;

        if !(config.attach_stdin || config.attach_stdout || config.attach_stderr) {
            client.post(format!("/containers/{id}/start")).send().await.map_err(|error| failed(&error.into()))?;
            say(id)?;
            return Ok(());
        }
        if self.sig_proxy {
            terminal::proxy(client.clone(), id.clone())?;
        }
        let streams = Streams {
            stdin: config.attach_stdin,
            stdout: config.attach_stdout,
            stderr: config.attach_stderr,
            tty: config.tty,
            keys,
        };
        attached(&client, &id, &streams, self.container.rm, failed).await
    }
}

/// The exit code tells whose fault it was: 127 when there is no such program in the container, 126 when it may not be
/// run, 125 for anything else that the engine refused.
fn failed(error: &anyhow::Error) -> anyhow::Error {
    let text = error.to_string();
    let says = |words: &str| text.to_lowercase().contains(words);
    let code = if says("executable file not found") || says("no such file or directory") {
        127
    } else if says("permission denied") || says("is a directory") {
        126
    } else {
        125
    };
    create::with_help(error, "run", code)
}
