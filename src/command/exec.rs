//! `kesako exec`.

use super::Verb;
use crate::failure::Exit;
use crate::flags::environment;
use crate::session::Session;
use crate::terminal::{self, DetachKeys, End, Streams, size_of};
use engine::api::{ContainerInspect, ExecConfig, ExecInspect, ExecStart, IdResponse};
use std::io::IsTerminal;
use std::rc::Rc;

/// Execute a command in a running container
#[derive(Debug, clap::Args)]
pub(super) struct Exec {
    /// Detached mode: run command in the background
    #[arg(short, long)]
    pub(super) detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long)]
    pub(super) detach_keys: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_parser = environment::check_variable)]
    pub(super) env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long)]
    pub(super) env_file: Vec<String>,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    pub(super) interactive: bool,
    /// Give extended privileges to the command
    #[arg(long)]
    pub(super) privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub(super) tty: bool,
    /// Username or UID (format: "<name|uid>[:<group|gid>]")
    #[arg(short, long, default_value = "")]
    pub(super) user: String,
    /// Working directory inside the container
    #[arg(short, long, default_value = "")]
    pub(super) workdir: String,
    /// The container, and the command in it
    #[arg(required = true, num_args = 2.., trailing_var_arg = true)]
    pub(super) words: Vec<String>,
}

impl Verb for Exec {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let Some((container, command)) = self.words.split_first() else { return Ok(()) };
        let keys = DetachKeys::choose(self.detach_keys.as_deref())?;
        let env = environment::variables(&self.env_file, &self.env)?;
        let client = Rc::new(session.connect()?);
        // "No such container" comes before any complaint about terminals.
        let _: ContainerInspect = client.get(format!("/containers/{container}/json")).json().await?;
        let attach_stdin = self.interactive && !self.detach;
        terminal::check(attach_stdin, self.tty)?;

        let size = size_of(&std::io::stdout()).filter(|_| self.tty).map(|size| [size.height, size.width]);
        let config = ExecConfig {
            attach_stdin,
            attach_stdout: !self.detach,
            attach_stderr: !self.detach,
            detach_keys: keys.text.clone(),
            tty: self.tty,
            env: Some(env),
            cmd: Some(command.to_vec()),
            privileged: self.privileged,
            user: self.user,
            working_dir: self.workdir,
            console_size: size,
        };
        let exec: IdResponse = client.post(format!("/containers/{container}/exec")).body_json(&config).json().await?;
        let path = format!("/exec/{}", exec.id);
        let start = ExecStart { detach: self.detach, tty: self.tty, console_size: size };
        let request = client.post(format!("{path}/start")).body_json(&start);
        if self.detach {
            return Ok(request.send().await?);
        }
        let connection = request.hijack().await?;
        if self.tty && std::io::stdin().is_terminal() {
            terminal::follow_size(client.clone(), path.clone())?;
        }
        let streams = Streams { stdin: attach_stdin, stdout: true, stderr: true, tty: self.tty, keys };
        if terminal::copy(connection, &streams).await? == End::Detached {
            return Err(terminal::read_escape_sequence());
        }
        let ended: ExecInspect = client.get(format!("{path}/json")).json().await?;
        Exit::container(ended.exit_code.unwrap_or(0).into())
    }
}
