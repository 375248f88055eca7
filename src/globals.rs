//! The flags before the command.

use crate::arguments;
use crate::failure::Exit;
use clap::{CommandFactory, FromArgMatches, Parser};
use std::path::PathBuf;

/// What holds for every command.
#[derive(Clone, Debug, Default, Parser)]
#[command(display_name = "[OPTIONS] COMMAND [ARG...]")]
pub struct Globals {
    /// Run the daemon
    #[arg(short = 'd', long)]
    daemon: bool,
    /// Tell more: what is noticed on the way, and is no warning
    #[arg(short = 'D', long)]
    pub debug: bool,
    /// Tell what is done while it is done: the man page and the shell command for each step
    #[arg(long)]
    pub explain: bool,
    /// Daemon socket to connect to; without one, the engine runs in this process
    #[arg(short = 'H', long = "host", value_name = "list")]
    pub hosts: Vec<String>,
    /// Folder for everything the engine keeps
    #[arg(long)]
    pub root: Option<PathBuf>,
    /// Print version information and quit
    #[arg(short = 'v', long)]
    version: bool,
    /// The command and what follows it
    #[arg(trailing_var_arg = true)]
    words: Vec<String>,
}

/// The flags, for their help.
pub fn describe() -> clap::Command {
    arguments::tune(Globals::command())
}

/// Takes the global flags off the front; what remains is the command.
pub fn parse(words: &[String]) -> anyhow::Result<(Globals, Vec<String>)> {
    // The help of all is not that of one command.
    let front = words.iter().take_while(|word| word.starts_with('-'));
    if front.clone().any(|word| word == "--help" || word == "-h") {
        return Err(Exit::with(0, crate::help::overview(&describe())));
    }
    let matches = arguments::parse(Globals::command(), "kesako", words)?;
    let mut globals = Globals::from_arg_matches(&matches)?;
    if globals.version {
        return Err(Exit::with(0, format!("Kesako version {}", env!("CARGO_PKG_VERSION"))));
    }
    let mut rest = std::mem::take(&mut globals.words);
    if globals.daemon {
        if let Some(word) = rest.first() {
            let text =
                format!("kesako: -d runs the daemon, and takes no command: {word}\n\nSee 'kesako daemon --help'");
            return Err(Exit::with(125, text));
        }
        rest = vec!["daemon".to_owned()];
    }
    globals.root = globals.root.or_else(|| variable("KESAKO_ROOT").map(PathBuf::from));
    Ok((globals, rest))
}

impl Globals {
    /// The daemon to talk to, by flag or environment; None is the engine in this process.
    pub fn host(&self) -> anyhow::Result<Option<String>> {
        match self.hosts.as_slice() {
            [] => Ok(variable("KESAKO_HOST").or_else(|| variable("DOCKER_HOST"))),
            [host] => Ok(Some(host.clone())),
            _ => anyhow::bail!("specify only one -H"),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
