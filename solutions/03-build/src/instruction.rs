//! What a Dockerfile says, as types. Nothing in them is expanded yet: `$NAME` means something only where a step is reached.
//!
//! Dockerfile reference, "Dockerfile format"; the names are its own.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A Dockerfile, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Dockerfile {
    /// `ARG`s before the first `FROM`: known to the FROM lines, and to a stage that says `ARG NAME` again.
    pub meta_args: Vec<Step>,
    /// In the order of the file; never empty.
    pub stages: Vec<Stage>,
}

/// From one `FROM` to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// An image, `scratch`, or the name or number of a stage above; with variables of the meta ARGs.
    pub from: String,
    /// `--platform`.
    pub platform: Option<String>,
    /// `AS name`, in lower case.
    pub name: Option<String>,
    /// The lines of the FROM.
    pub lines: RangeInclusive<usize>,
    /// Its text, on one line, as progress shows it: `FROM alpine AS first`.
    pub text: String,
    pub steps: Vec<Step>,
}

/// One instruction, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub instruction: Instruction,
    /// The lines it stands on, from 1.
    pub lines: RangeInclusive<usize>,
    /// Its text, on one line, as progress and history show it: `RUN echo a`.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    Add(Copy),
    /// Name, and default if there is one.
    Arg(Vec<(String, Option<String>)>),
    Cmd(Command),
    Copy(Copy),
    Entrypoint(Command),
    Env(Vec<(String, String)>),
    Expose(Vec<String>),
    Healthcheck(Healthcheck),
    Label(Vec<(String, String)>),
    Maintainer(String),
    /// The instruction that is kept for later, as it is written.
    Onbuild(String),
    Run(Run),
    Shell(Vec<String>),
    Stopsignal(String),
    User(String),
    Volume(Vec<String>),
    Workdir(String),
}

/// A command, in one of its two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `["a", "b"]`: executed as it is.
    Exec(Vec<String>),
    /// `a b`: given to the shell.
    Shell(String),
}

/// `RUN`.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// With the lines of its heredocs: `RUN <<EOF` is what stands in them, and `RUN python3 <<EOF` has them after it, for the
    /// shell to read.
    pub command: Command,
    /// One, if the command is nothing but a heredoc that begins with `#!`: a program, which the command `<<EOF` stands for.
    pub heredocs: Vec<Heredoc>,
    pub mounts: Vec<Mount>,
    pub network: Network,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    #[default]
    Default,
    None,
    Host,
}

/// `--mount`. Paths are as written. If it has variables, only its `from` is known before they are expanded (it has none).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mount {
    /// All of it, as it is written.
    pub written: String,
    pub kind: MountKind,
    /// `target`, `dst`, `destination`.
    pub target: Option<String>,
    /// `source`, `src`.
    pub source: Option<String>,
    /// A stage, an image or a named context.
    pub from: Option<String>,
    pub id: Option<String>,
    /// None: what the kind has by default.
    pub readonly: Option<bool>,
    pub sharing: Sharing,
    pub required: bool,
    /// Of a tmpfs, in bytes.
    pub size: Option<u64>,
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// `env=NAME` of a secret.
    pub env: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MountKind {
    #[default]
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
}

/// Of a cache mount that two steps want at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    #[default]
    Shared,
    Private,
    Locked,
}

/// `COPY` and `ADD`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Copy {
    pub sources: Vec<String>,
    pub heredocs: Vec<Heredoc>,
    pub destination: String,
    /// `--from`, COPY only.
    pub from: Option<String>,
    pub chown: Option<String>,
    pub chmod: Option<String>,
    pub link: bool,
    pub parents: bool,
    pub exclude: Vec<String>,
    /// `--checksum`, ADD only.
    pub checksum: Option<String>,
    /// `--unpack`, ADD only; None: archives of the context are unpacked, those of URLs are not.
    pub unpack: Option<bool>,
    /// `--keep-git-dir`, ADD only.
    pub keep_git_dir: bool,
}

/// `<<EOF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word after `<<`: the file's name, where a COPY makes a file of it.
    pub name: String,
    /// Tabs are already taken off where it says `<<-`.
    pub content: String,
    /// Whether variables in it are expanded (COPY, ADD): the word was not quoted.
    pub expand: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Healthcheck {
    None,
    Command {
        command: Command,
        interval: Option<Duration>,
        timeout: Option<Duration>,
        start_period: Option<Duration>,
        start_interval: Option<Duration>,
        retries: Option<u32>,
    },
}
