//! `kesako compose`: the flags that hold for the whole project, and then a command of its own.

mod ansi;
mod build;
mod complete;
mod config;
mod foreground;
mod images;
mod inside;
mod life;
mod logs;
mod making;
mod printer;
mod pull;
mod push;
mod report;
mod run;
mod show;
mod signal;
mod standalone;
mod up;
mod wait;
mod watch;

pub use complete::candidates;
pub(super) use standalone::called;
pub use standalone::words;

use super::Plain;
use crate::arguments;
use crate::failure::Exit;
use crate::output::{self, warn};
use crate::session::Session;
use ::compose::containers::{self, Container, OneOff, Wanted};
use ::compose::{How, Project, Request, Variables};
use ::daemon::Client;
use clap::{ArgMatches, Args};

/// Define and run multi-container applications
#[derive(Debug, Args)]
#[command(after_help = commands())]
pub(super) struct Compose {
    #[command(flatten)]
    project: Flags,
    /// Show the Docker Compose version information
    #[arg(short = 'v', long, hide = true)]
    version: bool,
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
    /// Control when to print ANSI control characters ("never"|"always"|"auto") (default "auto")
    #[arg(long, value_parser = ansi::Ansi::parse)]
    ansi: Option<ansi::Ansi>,
    /// Specify an alternate environment file
    #[arg(long = "env-file", value_name = "stringArray")]
    env_files: Vec<String>,
    /// Compose configuration files
    #[arg(short, long = "file", value_name = "stringArray")]
    files: Vec<String>,
    /// Specify a profile to enable
    #[arg(long = "profile", value_name = "stringArray")]
    profiles: Vec<String>,
    /// Set type of progress output (auto, tty, plain, json, quiet)
    #[arg(long)]
    progress: Option<String>,
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

/// What a command is given: which project, and a way to the engine.
struct Context {
    flags: Flags,
    session: Session,
}

impl Context {
    /// How it is told what is being done.
    fn progress(&self) -> anyhow::Result<report::Mode> {
        report::Mode::choose(&self.progress_flag())
    }

    /// `--progress`; empty where nobody said.
    fn progress_flag(&self) -> String {
        let variable = || std::env::var("COMPOSE_PROGRESS").ok();
        self.flags.progress.clone().or_else(variable).unwrap_or_default()
    }

    fn connect(&self) -> anyhow::Result<Client> {
        self.session.connect()
    }

    /// The project, as its files say. With `services`, only those and whom they wait for.
    fn project(&self, services: &[String]) -> anyhow::Result<Project> {
        self.load(services, true)
    }

    /// As [`project`](Self::project), for who needs images and no containers: env files need not be there.
    fn project_of_images(&self, services: &[String]) -> anyhow::Result<Project> {
        self.load(services, false)
    }

    fn load(&self, services: &[String], resolve_environment: bool) -> anyhow::Result<Project> {
        let how = How {
            interpolate: true,
            resolve_paths: true,
            normalise: true,
            check: true,
            resolve_environment,
            all_resources: self.flags.all_resources,
        };
        Project::load(&self.flags.request()?, how, services).map_err(fail)
    }

    /// The project and its name; a name that was given needs no files, for what is there already. A service that is not in the file
    /// is refused; one that is named needs no profile.
    fn project_or_name(&self, services: &[String]) -> anyhow::Result<(Option<Project>, String)> {
        match &self.flags.project_name {
            Some(name) if self.flags.files.is_empty() => Ok((None, ::compose::name::checked(name).map_err(fail)?)),
            _ => {
                let how = How {
                    interpolate: true,
                    resolve_paths: true,
                    normalise: true,
                    check: true,
                    resolve_environment: false,
                    all_resources: true,
                };
                match (Project::load(&self.flags.request()?, how, services), name_by_variable()) {
                    (Err(::compose::Error::NoFile), Some(name)) => {
                        Ok((None, ::compose::name::checked(&name).map_err(fail)?))
                    }
                    (Err(error), _) => Err(fail(error)),
                    (Ok(project), _) => {
                        let name = project.name.clone();
                        Ok((Some(project), name))
                    }
                }
            }
        }
    }

    /// The name of the project, which needs files only if it is not given.
    fn name(&self) -> anyhow::Result<String> {
        match self.flags.project_name.clone().or_else(name_by_variable) {
            Some(name) => ::compose::name::checked(&name).map_err(fail),
            None => Ok(self.project_or_name(&[])?.1),
        }
    }

    /// For a command of a container, which this one becomes.
    fn session(&self) -> Session {
        Session::new(self.session.globals.clone())
    }

    /// The container of a service with this number, or the first if that is 0.
    async fn one(
        &self,
        client: &Client,
        service: &str,
        index: i64,
        one_off: OneOff,
        all: bool,
    ) -> anyhow::Result<Container> {
        let (project, services) = (self.name()?, [service.to_owned()]);
        let wanted = Wanted { project: &project, services: &services, one_off, all };
        let containers = containers::find(client, wanted).await.map_err(fail)?;
        let found = containers.into_iter().find(|container| index <= 0 || i64::from(container.number) == index);
        found.ok_or_else(|| match index {
            ..=0 => anyhow::anyhow!("service {service:?} is not running"),
            _ => anyhow::anyhow!("service {service:?} is not running container #{index}"),
        })
    }

    /// The containers that are there of these services, or of all. A service that is not in the file is refused.
    async fn containers(
        &self,
        client: &Client,
        services: &[String],
        one_off: OneOff,
        all: bool,
    ) -> anyhow::Result<Vec<Container>> {
        let (_, project) = self.project_or_name(services)?;
        containers::find(client, Wanted { project: &project, services, one_off, all }).await.map_err(fail)
    }
}

/// `COMPOSE_PROJECT_NAME`.
fn name_by_variable() -> Option<String> {
    std::env::var("COMPOSE_PROJECT_NAME").ok().filter(|name| !name.is_empty())
}

/// A command of a project.
trait Member: Args {
    async fn run(self, context: &Context) -> anyhow::Result<()>;
}

struct Command {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    arguments: fn(clap::Command) -> clap::Command,
    execute: fn(&ArgMatches, &Context) -> anyhow::Result<()>,
}

const fn command<M: Member>(name: &'static str, usage: &'static str, about: &'static str) -> Command {
    Command { name, usage, about, arguments: M::augment_args, execute: execute::<M> }
}

fn execute<M: Member>(matches: &ArgMatches, context: &Context) -> anyhow::Result<()> {
    let member = M::from_arg_matches(matches)?;
    super::run_to_its_end(member.run(context))
}

#[rustfmt::skip]
static COMMANDS: &[Command] = &[
    command::<inside::attach::Attach>("attach", "[OPTIONS] SERVICE", "Attach local standard input, output, and error streams to a service's running container"),
    command::<build::Build>("build", "[OPTIONS] [SERVICE...]", "Build or rebuild services"),
    command::<inside::export::Commit>("commit", "[OPTIONS] SERVICE [REPOSITORY[:TAG]]", "Create a new image from a service container's changes"),
    command::<config::Config>("config", "[OPTIONS] [SERVICE...]", "Parse, resolve and render compose file in canonical format"),
    command::<inside::cp::Copy>("cp", "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\tkesako compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH", "Copy files/folders between a service container and the local filesystem"),
    command::<life::Create>("create", "[OPTIONS] [SERVICE...]", "Creates containers for a service"),
    command::<life::Down>("down", "[OPTIONS] [SERVICES]", "Stop and remove containers, networks"),
    command::<show::events::Events>("events", "[OPTIONS] [SERVICE...]", "Receive real time events from containers"),
    command::<inside::exec::Exec>("exec", "[OPTIONS] SERVICE COMMAND [ARGS...]", "Execute a command in a running container"),
    command::<inside::export::Export>("export", "[OPTIONS] SERVICE", "Export a service container's filesystem as a tar archive"),
    command::<show::images::Images>("images", "[OPTIONS] [SERVICE...]", "List images used by the created containers"),
    command::<signal::Kill>("kill", "[OPTIONS] [SERVICE...]", "Force stop service containers"),
    command::<logs::Logs>("logs", "[OPTIONS] [SERVICE...]", "View output from containers"),
    command::<show::ls::List>("ls", "[OPTIONS]", "List running compose projects"),
    command::<signal::Pause>("pause", "[SERVICE...]", "Pause services"),
    command::<show::port::Port>("port", "[OPTIONS] SERVICE PRIVATE_PORT", "Print the public port for a port binding"),
    command::<show::ps::List>("ps", "[OPTIONS] [SERVICE...]", "List containers"),
    command::<pull::Pull>("pull", "[OPTIONS] [SERVICE...]", "Pull service images"),
    command::<push::Push>("push", "[OPTIONS] [SERVICE...]", "Push service images"),
    command::<life::Restart>("restart", "[OPTIONS] [SERVICE...]", "Restart service containers"),
    command::<life::Remove>("rm", "[OPTIONS] [SERVICE...]", "Removes stopped service containers"),
    command::<run::Run>("run", "[OPTIONS] SERVICE [COMMAND] [ARGS...]", "Run a one-off command on a service"),
    command::<life::Scale>("scale", "[SERVICE=REPLICAS...]", "Scale services"),
    command::<life::Start>("start", "[OPTIONS] [SERVICE...]", "Start services"),
    command::<show::stats::Stats>("stats", "[OPTIONS] [SERVICE]", "Display a live stream of container(s) resource usage statistics"),
    command::<life::Stop>("stop", "[OPTIONS] [SERVICE...]", "Stop services"),
    command::<show::top::Top>("top", "[SERVICES...]", "Display the running processes"),
    command::<signal::Unpause>("unpause", "[SERVICE...]", "Unpause services"),
    command::<up::Up>("up", "[OPTIONS] [SERVICE...]", "Create and start containers"),
    command::<show::version::Version>("version", "[OPTIONS]", "Show the Docker Compose version information"),
    command::<show::volumes::Volumes>("volumes", "[OPTIONS] [SERVICE...]", "List volumes"),
    command::<wait::Wait>("wait", "[OPTIONS] SERVICE [SERVICE...]", "Block until containers of all (or specified) services stop."),
    command::<watch::Watch>("watch", "[SERVICE...]", "Watch build context for service and rebuild/refresh containers when files are updated"),
];

/// The flags before the command.
fn describe() -> clap::Command {
    let about = clap::Command::new("kesako")
        .display_name("[OPTIONS] COMMAND")
        .about("Define and run multi-container applications");
    arguments::tune(Compose::augment_args(about))
}

/// The help of all.
fn overview() -> String {
    crate::help::command(called(), &describe())
}

impl Plain for Compose {
    fn run(self, session: Session) -> anyhow::Result<()> {
        if self.version {
            return output::say(show::version::sentence());
        }
        let (word, rest) = match self.words.split_first() {
            // `help up` is `up --help`.
            Some((help, rest)) if help == "help" => match rest.first() {
                Some(word) => (word, &["--help".to_owned()][..]),
                None => return output::say(overview()),
            },
            Some((word, rest)) => (word, rest),
            None => {
                // Not asked for, it is a remark.
                warn(overview());
                return Ok(());
            }
        };
        let Some(command) = COMMANDS.iter().find(|command| command.name == word) else {
            return Err(super::unknown(called(), word));
        };
        let path = format!("{} {}", called(), command.name);
        let matches = arguments::parse(command.describe(), &path, rest)?;
        (command.execute)(&matches, &Context { flags: self.project, session })
    }
}

impl Command {
    fn describe(&self) -> clap::Command {
        let usage = self.usage.replace("kesako compose", called());
        (self.arguments)(clap::Command::new("kesako").display_name(usage)).about(self.about)
    }
}

/// What there is, as the end of the help.
fn commands() -> String {
    let list: String = COMMANDS.iter().map(|command| format!("  {:<11} {}\n", command.name, command.about)).collect();
    format!("Commands:\n{list}\nRun '{} COMMAND --help' for more information on a command.", called())
}

/// An error of a project's files ends the command with 1, and its text is complete.
fn fail(error: ::compose::Error) -> anyhow::Error {
    match error {
        ::compose::Error::Engine(answer) => answer.into(),
        error => Exit::with(1, error.to_string()),
    }
}

/// The version of the API that is spoken.
async fn api(client: &Client) -> anyhow::Result<(u32, u32)> {
    let version = client.api_version().await?;
    let parts = version.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    parts.ok_or_else(|| anyhow::anyhow!("the engine speaks an unknown version of the API: {version}"))
}

/// Asks; no answer is a no.
fn confirmed(question: &str) -> anyhow::Result<bool> {
    output::put(format_args!("{question} [yN] "))?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
