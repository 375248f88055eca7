//! The commands, one file each. [`COMMANDS`] is the one list of them: what they are called, what they take, what they
//! do. Finding a command, its help and its completion all read it.

mod attach;
mod build;
mod check;
mod commit;
mod completion;
mod compose;
mod cp;
mod create;
mod daemon;
mod df;
mod diff;
mod events;
mod exec;
mod export;
mod help;
mod history;
mod images;
mod import;
mod info;
mod inspect;
mod kill;
mod load;
mod login;
mod logs;
mod manifest;
mod network;
mod pause;
mod port;
mod prune;
mod ps;
mod pull;
mod push;
mod registry;
mod rename;
mod rm;
mod rmi;
mod run;
mod save;
mod search;
mod start;
mod stats;
mod stop;
mod tag;
mod top;
mod version;
mod volume;
mod wait;

pub use compose::{candidates as compose_candidates, words as compose_words};
pub use tag::split as split_tag;

use crate::failure::Exit;
use crate::output::{say, warn};
use crate::session::{self, Session};
use ::daemon::Client;
use clap::ArgMatches;
use std::rc::Rc;

/// A command: its arguments are the fields, and this is what it does.
trait Verb: clap::Args + 'static {
    async fn run(self, session: Session) -> anyhow::Result<()>;
}

/// A command that needs no engine to wait for.
trait Plain: clap::Args + 'static {
    fn run(self, session: Session) -> anyhow::Result<()>;
}

/// What the words after a command stand for, so that a shell can complete them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    Nothing,
    /// All containers, or only those in one of these states.
    Containers(&'static [&'static str]),
    Images,
    Networks,
    Volumes,
    /// All of them.
    Objects,
    Files,
    Shells,
}

/// A command as it is found.
#[derive(Debug)]
pub struct Entry {
    /// All its names; within a group the first is the proper one.
    pub paths: &'static [&'static str],
    /// What follows its name.
    usage: &'static str,
    pub about: &'static str,
    pub words: Words,
    pub hidden: bool,
    pub arguments: fn(&Entry) -> clap::Command,
    pub execute: fn(&ArgMatches, Session) -> anyhow::Result<()>,
}

const fn entry<V: Verb>(
    paths: &'static [&'static str],
    usage: &'static str,
    about: &'static str,
    words: Words,
) -> Entry {
    Entry { paths, usage, about, words, hidden: false, arguments: arguments::<V>, execute: execute::<V> }
}

const fn plain<P: Plain>(
    paths: &'static [&'static str],
    usage: &'static str,
    about: &'static str,
    words: Words,
) -> Entry {
    Entry { paths, usage, about, words, hidden: false, arguments: arguments::<P>, execute: execute_plain::<P> }
}

const fn hidden(entry: Entry) -> Entry {
    Entry { hidden: true, ..entry }
}

fn arguments<V: clap::Args>(entry: &Entry) -> clap::Command {
    // The display name carries the usage line to wherever an error must show it.
    V::augment_args(clap::Command::new("kesako").display_name(entry.usage)).about(entry.about)
}

fn execute<V: Verb>(matches: &ArgMatches, session: Session) -> anyhow::Result<()> {
    run_to_its_end(V::from_arg_matches(matches)?.run(session))
}

fn run_to_its_end(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            result = work => result,
            error = crate::terminal::out_of_patience() => Err(error),
        }
    });
    // A thread that still waits, for a key or for a container's end, must not hold up ours.
    runtime.shutdown_background();
    result
}

fn execute_plain<P: Plain>(matches: &ArgMatches, session: Session) -> anyhow::Result<()> {
    P::from_arg_matches(matches)?.run(session)
}

/// The groups, and what they are about.
pub const GROUPS: &[(&str, &str)] = &[
    ("builder", "Manage builds"),
    ("buildx", "Manage builds, for fingers that know Docker's"),
    ("container", "Manage containers"),
    ("image", "Manage images"),
    ("manifest", "Manage image manifests and manifest lists"),
    ("network", "Manage networks"),
    ("registry", "Serve images"),
    ("system", "Manage Kesako"),
    ("volume", "Manage volumes"),
];

const ONE: &str = "[OPTIONS] CONTAINER";
const SOME: &str = "[OPTIONS] CONTAINER [CONTAINER...]";
const ANY: Words = Words::Containers(&[]);
const RUNNING: Words = Words::Containers(&["running"]);
const UP: Words = Words::Containers(&["running", "paused", "restarting"]);
const DOWN: Words = Words::Containers(&["created", "exited"]);
const PAUSED: Words = Words::Containers(&["paused"]);

/// Every command.
#[rustfmt::skip]
pub static COMMANDS: &[Entry] = &[
    entry::<run::Run>(&["container run", "run"], "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create and run a new container from an image", Words::Images),
    entry::<create::Create>(&["container create", "create"], "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container", Words::Images),
    entry::<start::Start>(&["container start", "start"], SOME, "Start one or more stopped containers", DOWN),
    entry::<stop::Stop>(&["container stop", "stop"], SOME, "Stop one or more running containers", UP),
    entry::<stop::Restart>(&["container restart", "restart"], SOME, "Restart one or more containers", ANY),
    entry::<kill::Kill>(&["container kill", "kill"], SOME, "Kill one or more running containers", UP),
    entry::<rm::Remove>(&["container rm", "container remove", "rm"], SOME, "Remove one or more containers", ANY),
    entry::<ps::List>(&["container ls", "container list", "container ps", "ps"], "[OPTIONS]", "List containers", Words::Nothing),
    entry::<logs::Logs>(&["container logs", "logs"], ONE, "Fetch the logs of a container", ANY),
    entry::<exec::Exec>(&["container exec", "exec"], "[OPTIONS] CONTAINER COMMAND [ARG...]", "Execute a command in a running container", RUNNING),
    entry::<attach::Attach>(&["container attach", "attach"], ONE, "Attach local standard input, output, and error streams to a running container", RUNNING),
    entry::<wait::Wait>(&["container wait", "wait"], "CONTAINER [CONTAINER...]", "Block until one or more containers stop, then print their exit codes", UP),
    entry::<inspect::Inspect>(&["inspect"], "[OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on Kesako objects", Words::Objects),
    entry::<inspect::Containers>(&["container inspect"], SOME, "Display detailed information on one or more containers", ANY),
    entry::<inspect::Images>(&["image inspect"], "[OPTIONS] IMAGE [IMAGE...]", "Display detailed information on one or more images", Words::Images),
    entry::<commit::Commit>(&["container commit", "commit"], "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]", "Create a new image from a container's changes", ANY),
    entry::<cp::Copy>(&["container cp", "cp"], "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tkesako cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH", "Copy files/folders between a container and the local filesystem", Words::Files),
    entry::<diff::Diff>(&["container diff", "diff"], "CONTAINER", "Inspect changes to files or directories on a container's filesystem", ANY),
    entry::<export::Export>(&["container export", "export"], ONE, "Export a container's filesystem as a tar archive", ANY),
    entry::<rename::Rename>(&["container rename", "rename"], "CONTAINER NEW_NAME", "Rename a container", ANY),
    entry::<stats::Statistics>(&["container stats", "stats"], "[OPTIONS] [CONTAINER...]", "Display a live stream of container(s) resource usage statistics", RUNNING),
    entry::<top::Top>(&["container top", "top"], "CONTAINER [ps OPTIONS]", "Display the running processes of a container", RUNNING),
    entry::<pause::Pause>(&["container pause", "pause"], "CONTAINER [CONTAINER...]", "Pause all processes within one or more containers", RUNNING),
    entry::<pause::Unpause>(&["container unpause", "unpause"], "CONTAINER [CONTAINER...]", "Unpause all processes within one or more containers", PAUSED),
    entry::<prune::Containers>(&["container prune"], "[OPTIONS]", "Remove all stopped containers", Words::Nothing),
    entry::<build::Build>(&["image build", "build", "builder build", "buildx build", "buildx b"], "[OPTIONS] PATH | URL | -", "Start a build", Words::Files),
    entry::<prune::Builds>(&["builder prune", "buildx prune"], "[OPTIONS]", "Remove build cache", Words::Nothing),
    entry::<images::List>(&["image ls", "image list", "images"], "[OPTIONS] [REPOSITORY[:TAG]]", "List images", Words::Images),
    entry::<history::History>(&["image history", "history"], "[OPTIONS] IMAGE", "Show the history of an image", Words::Images),
    entry::<tag::Tag>(&["image tag", "tag"], "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", Words::Images),
    entry::<rmi::Remove>(&["image rm", "image remove", "rmi"], "[OPTIONS] IMAGE [IMAGE...]", "Remove one or more images", Words::Images),
    entry::<prune::Images>(&["image prune"], "[OPTIONS]", "Remove unused images", Words::Nothing),
    entry::<load::Load>(&["image load", "load"], "[OPTIONS]", "Load an image from a tar archive or STDIN", Words::Nothing),
    entry::<save::Save>(&["image save", "save"], "[OPTIONS] IMAGE [IMAGE...]", "Save one or more images to a tar archive (streamed to STDOUT by default)", Words::Images),
    entry::<import::Import>(&["image import", "import"], "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]", "Import the contents from a tarball to create a filesystem image", Words::Files),
    entry::<pull::Pull>(&["image pull", "pull"], "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry", Words::Nothing),
    entry::<push::Push>(&["image push", "push"], "[OPTIONS] NAME[:TAG]", "Upload an image to a registry", Words::Images),
    entry::<login::Login>(&["login"], "[OPTIONS] [SERVER]", "Authenticate to a registry", Words::Nothing),
    entry::<login::Logout>(&["logout"], "[SERVER]", "Log out from a registry", Words::Nothing),
    plain::<manifest::Inspect>(&["manifest inspect"], "[OPTIONS] MANIFEST", "Display an image manifest, or manifest list", Words::Nothing),
    plain::<registry::Serve>(&["registry serve"], "[OPTIONS]", "Serve a registry", Words::Nothing),
    hidden(plain::<search::Search>(&["search"], "TERM", "Search Docker Hub for images", Words::Nothing)),
    entry::<volume::Create>(&["volume create"], "[OPTIONS] [VOLUME]", "Create a volume", Words::Nothing),
    entry::<volume::Inspect>(&["volume inspect"], "[OPTIONS] VOLUME [VOLUME...]", "Display detailed information on one or more volumes", Words::Volumes),
    entry::<volume::List>(&["volume ls", "volume list"], "[OPTIONS]", "List volumes", Words::Nothing),
    entry::<volume::Prune>(&["volume prune"], "[OPTIONS]", "Remove unused local volumes", Words::Nothing),
    entry::<volume::Remove>(&["volume rm", "volume remove"], "[OPTIONS] VOLUME [VOLUME...]", "Remove one or more volumes", Words::Volumes),
    entry::<port::Ports>(&["container port", "port"], "CONTAINER [PRIVATE_PORT[/PROTO]]", "List port mappings or a specific mapping for the container", RUNNING),
    entry::<network::Create>(&["network create"], "[OPTIONS] NETWORK", "Create a network", Words::Nothing),
    entry::<network::List>(&["network ls", "network list"], "[OPTIONS]", "List networks", Words::Nothing),
    entry::<inspect::Networks>(&["network inspect"], "[OPTIONS] NETWORK [NETWORK...]", "Display detailed information on one or more networks", Words::Networks),
    entry::<network::Remove>(&["network rm", "network remove"], "NETWORK [NETWORK...]", "Remove one or more networks", Words::Networks),
    entry::<network::Connect>(&["network connect"], "[OPTIONS] NETWORK CONTAINER", "Connect a container to a network", Words::Networks),
    entry::<network::Disconnect>(&["network disconnect"], "[OPTIONS] NETWORK CONTAINER", "Disconnect a container from a network", Words::Networks),
    entry::<prune::Networks>(&["network prune"], "[OPTIONS]", "Remove all unused networks", Words::Nothing),
    plain::<check::Check>(&["system check"], "[OPTIONS]", "Prove that everything Kesako keeps is whole", Words::Nothing),
    entry::<df::DiskFree>(&["system df"], "[OPTIONS]", "Show disk usage", Words::Nothing),
    entry::<info::Info>(&["system info", "info"], "[OPTIONS]", "Display system-wide information", Words::Nothing),
    entry::<events::Events>(&["system events", "events"], "[OPTIONS]", "Get real time events from the server", Words::Nothing),
    entry::<version::Version>(&["version"], "[OPTIONS]", "Show the Kesako version information", Words::Nothing),
    plain::<compose::Compose>(&["compose"], "[OPTIONS] COMMAND", "Define and run multi-container applications", Words::Nothing),
    plain::<daemon::Daemon>(&["daemon"], "[OPTIONS]", "Serve the Engine API on a socket", Words::Nothing),
    plain::<completion::Completion>(&["completion"], "bash|zsh|fish", "Generate the autocompletion script for the specified shell", Words::Shells),
    hidden(plain::<help::Help>(&["help"], "[COMMAND]", "Help about a command", Words::Nothing)),
    hidden(entry::<completion::Candidates>(&["__complete"], "[WORD...]", "What a word could be", Words::Nothing)),
];

/// The command that these words begin with, its full name, and the words that follow it.
pub fn find(words: &[String]) -> anyhow::Result<(&'static Entry, String, &[String])> {
    let Some((first, rest)) = words.split_first() else {
        return Err(Exit::with(0, crate::help::overview(&crate::globals::describe())));
    };
    let by_path = |path: &str| COMMANDS.iter().find(|entry| entry.paths.contains(&path));
    if let Some((name, about)) = GROUPS.iter().find(|(name, _)| name == first) {
        let Some((second, rest)) = rest.split_first().filter(|(word, _)| !matches!(word.as_str(), "--help" | "-h"))
        else {
            return Err(group_help(name, about, rest.is_empty()));
        };
        let Some(entry) = by_path(&format!("{name} {second}")) else {
            return Err(unknown(&format!("kesako {name}"), second));
        };
        // `container ps` is properly `container ls`.
        return Ok((entry, format!("kesako {}", entry.paths[0]), rest));
    }
    match by_path(first) {
        Some(entry) if first == "compose" => Ok((entry, compose::called().to_owned(), rest)),
        Some(entry) => Ok((entry, format!("kesako {first}"), rest)),
        None => Err(unknown("kesako", first)),
    }
}

/// Asked for, it is the answer; otherwise it is a remark.
fn group_help(name: &str, about: &str, unasked: bool) -> anyhow::Error {
    let text = crate::help::group(name, about);
    if unasked {
        warn(text);
        return Exit::with(0, "");
    }
    Exit::with(0, text)
}

fn unknown(path: &str, word: &str) -> anyhow::Error {
    if let Some(flag) = word.strip_prefix("--") {
        let usage = format!("{path} COMMAND");
        return Exit::with(
            125,
            format!("unknown flag: --{flag}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information"),
        );
    }
    let usage = if path == "kesako" { String::new() } else { format!("Usage:  {path}\n\n") };
    Exit::with(1, format!("kesako: unknown command: {path} {word}\n\n{usage}Run '{path} --help' for more information"))
}

/// Does something to several objects at once, printing each one's name when it is done and, at the end, what failed.
async fn each<W, F, L>(session: &Session, names: &[String], work: W) -> anyhow::Result<()>
where
    W: Fn(Rc<Client>, String) -> F,
    F: Future<Output = anyhow::Result<L>> + 'static,
    L: Into<Option<String>> + 'static,
{
    let client = Rc::new(session.connect()?);
    let tasks: Vec<_> = names.iter().map(|name| tokio::task::spawn_local(work(client.clone(), name.clone()))).collect();
    let mut failures = Vec::new();
    for task in tasks {
        match task.await? {
            Ok(line) => {
                if let Some(line) = line.into() {
                    say(line)?;
                }
            }
            Err(error) => failures.push(session::message(&error)),
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Exit::with(1, failures.join("\n"))),
    }
}
