//! `kesako compose`: the flags that hold for the whole project, and then a command of its own.

mod config;

use super::Plain;
use crate::arguments;
use crate::failure::Exit;
use crate::output::warn;
use crate::session::Session;
use ::compose::{Request, Variables};
use clap::{ArgMatches, Args};

/// Define and run multi-container applications
#[derive(Debug, Args)]
#[command(after_help = commands())]
pub(super) struct Compose {
    #[command(flatten)]
    project: Flags,
    /// The command and what follows it
    #[arg(trailing_var_arg = true)]
    words: Vec<String>,
}

/// Which project.
#[derive(Debug, Args)]
struct Flags {
    /// Include all resources, even those not used by services
    #[arg(long)]
    all_resources: bool,
    /// Specify an alternate environment file
    #[arg(long = "env-file", value_name = "stringArray")]
    env_files: Vec<String>,
    /// Compose configuration files
    #[arg(short, long = "file", value_name = "stringArray")]
    files: Vec<String>,
    /// Specify a profile to enable
    #[arg(long = "profile", value_name = "stringArray")]
    profiles: Vec<String>,
    /// Specify an alternate working directory (default: the path of the, first specified, Compose file)
    #[arg(long)]
    project_directory: Option<String>,
    /// Project name
    #[arg(short, long, alias = "project")]
    project_name: Option<String>,
}

impl Flags {
    fn request(&self) -> anyhow::Result<Request> {
        // What is no text can be no variable of a file either.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment: Variables = std::env::vars_os().filter_map(text).collect();
        Ok(Request {
            files: self.files.clone(),
            project_directory: self.project_directory.clone(),
            project_name: self.project_name.clone(),
            env_files: self.env_files.clone(),
            profiles: self.profiles.clone(),
            environment,
            folder: std::env::current_dir()?,
        })
    }
}

/// A command of a project.
trait Member: Args {
    fn run(self, project: &Flags) -> anyhow::Result<()>;
}

struct Command {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    arguments: fn(clap::Command) -> clap::Command,
    execute: fn(&ArgMatches, &Flags) -> anyhow::Result<()>,
}

const fn command<M: Member>(name: &'static str, usage: &'static str, about: &'static str) -> Command {
    Command { name, usage, about, arguments: M::augment_args, execute: execute::<M> }
}

fn execute<M: Member>(matches: &ArgMatches, project: &Flags) -> anyhow::Result<()> {
    M::from_arg_matches(matches)?.run(project)
}

static COMMANDS: &[Command] = &[command::<config::Config>(
    "config",
    "[OPTIONS] [SERVICE...]",
    "Parse, resolve and render compose file in canonical format",
)];

/// The help of all.
fn overview() -> String {
    let about = clap::Command::new("kesako")
        .display_name("[OPTIONS] COMMAND")
        .about("Define and run multi-container applications");
    crate::help::command("kesako compose", &arguments::tune(Compose::augment_args(about)))
}

impl Plain for Compose {
    fn run(self, _: Session) -> anyhow::Result<()> {
        let Some((word, rest)) = self.words.split_first() else {
            // Not asked for, it is a remark.
            warn(overview());
            return Ok(());
        };
        let Some(command) = COMMANDS.iter().find(|command| command.name == word) else {
            return Err(super::unknown("kesako compose", word));
        };
        let path = format!("kesako compose {}", command.name);
        let arguments = clap::Command::new("kesako").display_name(command.usage);
        let matches = arguments::parse((command.arguments)(arguments).about(command.about), &path, rest)?;
        (command.execute)(&matches, &self.project)
    }
}

/// What there is, as the end of the help.
fn commands() -> String {
    let list: String = COMMANDS.iter().map(|command| format!("  {:<11} {}\n", command.name, command.about)).collect();
    format!("Commands:\n{list}\nRun 'kesako compose COMMAND --help' for more information on a command.")
}

/// An error of a project's files ends the command with 1, and its text is complete.
fn fail(error: ::compose::Error) -> anyhow::Error {
    Exit::with(1, error.to_string())
}
