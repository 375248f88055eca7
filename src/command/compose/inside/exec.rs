//! `kesako compose exec`.

use super::name;
use crate::arguments::integer;
use crate::command::Verb;
use crate::command::compose::{Context, Member};
use crate::command::exec;
use std::io::IsTerminal;

/// Execute a command in a running container
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Exec {
    /// Detached mode: Run command in the background
    #[arg(short, long)]
    detach: bool,
    /// Set environment variables
    #[arg(short, long, value_name = "stringArray")]
    env: Vec<String>,
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    index: i64,
    /// Keep STDIN open even if not attached
    #[arg(short, long, hide = true, default_value_t = true, action = clap::ArgAction::Set)]
    interactive: bool,
    /// Disable pseudo-TTY allocation. By default there is one when this is a terminal.
    #[arg(short = 'T', long, alias = "no-TTY")]
    no_tty: bool,
    /// Give extended privileges to the process
    #[arg(long)]
    privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long, hide = true)]
    tty: bool,
    /// Run the command as this user
    #[arg(short, long, default_value = "")]
    user: String,
    /// Path to workdir directory for this command
    #[arg(short, long, default_value = "")]
    workdir: String,
    /// The service, and the command in its container
    #[arg(required = true, num_args = 2.., trailing_var_arg = true)]
    words: Vec<String>,
}

impl Member for Exec {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let Some((service, command)) = self.words.split_first() else { return Ok(()) };
        let mut words = vec![name(context, service, self.index).await?];
        words.extend(command.iter().cloned());
        let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        let exec = exec::Exec {
            detach: self.detach,
            detach_keys: None,
            env: resolved(self.env, context)?,
            env_file: Vec::new(),
            interactive: self.interactive,
            privileged: self.privileged,
            tty: !self.no_tty && (self.tty || (is_terminal && !self.detach)),
            user: self.user,
            workdir: self.workdir,
            words,
        };
        exec.run(context.session()).await
    }
}

/// `-e NAME` stands for what NAME is here, or in the project's `.env`.
fn resolved(mut flags: Vec<String>, context: &Context) -> anyhow::Result<Vec<String>> {
    let is_open = |flag: &String| !flag.contains('=') && std::env::var_os(flag).is_none();
    if flags.iter().any(is_open)
        && let (Some(project), _) = context.project_or_name(&[])?
    {
        for flag in flags.iter_mut().filter(|flag| is_open(flag)) {
            if let Some(value) = project.variables.get(flag.as_str()) {
                *flag = format!("{flag}={value}");
            }
        }
    }
    Ok(flags)
}
