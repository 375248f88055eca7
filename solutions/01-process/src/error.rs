//! What can go wrong, in Docker's words where Docker has some.

use std::io;

use rustix::io::Errno;

use crate::report::Step;

/// This crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A step of making a container that failed. The text is runc's where runc has one; an engine puts in front of it what
/// Docker does (`failed to create task for container: …: OCI runtime create failed: runc create failed: `) and `:
/// unknown` behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call of the engine's own side.
    #[error("{step}: {source}")]
    System { step: String, source: io::Error },
    /// The command is in no folder of the container's `PATH`.
    #[error("unable to start container process: exec: {0:?}: executable file not found in $PATH")]
    CommandNotFound(String),
    /// The command was given with its folder, and is not there.
    #[error("unable to start container process: exec: {name:?}: stat {name}: {}", errno_text(*.errno))]
    CommandMissing { name: String, errno: Errno },
    /// The command is there, but is a folder or may not be executed.
    #[error("unable to start container process: exec: {name:?}: {}", errno_text(*.errno))]
    CommandDenied { name: String, errno: Errno },
    /// execve(2) refused: a foreign format, a missing interpreter, too long a list of arguments.
    #[error("unable to start container process: exec {name}: {}", errno_text(*.errno))]
    Exec { name: String, errno: Errno },
    /// A step between clone and exec.
    #[error("unable to start container process: {}{what}: {}", in_init(*.step), errno_text(*.errno))]
    Start { step: Step, what: String, errno: Errno },
    /// A mount that would stand in for what the kernel tells.
    #[error(
        "unable to start container process: error during container init: {label}: {destination:?} cannot be mounted because it is {why}"
    )]
    Disguise { label: String, destination: std::path::PathBuf, why: &'static str },
    /// A panic between clone and exec: a hole in a learner's chapter, mostly.
    #[error("{0}")]
    Panicked(String),
    /// A user that the image does not know.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    UnknownUser(String),
    /// A group that the image does not know.
    #[error("unable to find group {0}: no matching entries in group file")]
    UnknownGroup(String),
    /// `kill -s NONSENSE`
    #[error("Invalid signal: {0}")]
    InvalidSignal(String),
    /// A capability that no kernel has.
    #[error("invalid {option}: unknown capability: \"{name}\"")]
    UnknownCapability { option: &'static str, name: String },
    /// A capability that this host cannot give.
    #[error(
        "invalid {option}: capability not supported by your kernel or not available in the current environment: \"{name}\""
    )]
    UnavailableCapability { option: &'static str, name: String },
    /// A seccomp profile that cannot be read or compiled.
    #[error("{0}")]
    Seccomp(String),
    /// A limit that nothing on this host can enforce.
    #[error("cannot limit {limit}: {reason}")]
    Limit { limit: &'static str, reason: String },
    /// A file of a cgroup.
    #[error("cannot {action} {}: {source}", path.display())]
    Cgroup { action: &'static str, path: std::path::PathBuf, source: io::Error },
    /// SIGKILL was sent to all of them, and some are still there: the kernel holds them (a dead disk, a traced process), or a
    /// group does not let go.
    #[error("processes of {group} survive SIGKILL: {pids:?}")]
    Survivors { group: String, pids: Vec<i32> },
    /// `--ulimit`
    #[error("{0}")]
    Rlimit(String),
    /// `--sysctl`
    #[error("{0}")]
    Sysctl(String),
    /// What the specification asks for and this runtime, or this host, does not do.
    #[error("{0}")]
    Unsupported(String),
}

impl Error {
    pub(crate) fn system(step: impl Into<String>, errno: Errno) -> Self {
        Self::System { step: step.into(), source: errno.into() }
    }

    pub(crate) fn start(step: Step, what: impl Into<String>, errno: Errno) -> Self {
        Self::Start { step, what: what.into(), errno }
    }

    /// Whether a mount failed since one side of it is a folder and the other is none.
    pub fn is_folder_on_file(&self) -> bool {
        matches!(self, Self::Start { step: Step::Mount, errno: Errno::NOTDIR, .. })
    }

    /// The exit code that a container gets if it could not be started, as dockerd reads it from the text: 127 if the
    /// command (or a mount's source of the right kind) is missing, 126 if something may not be executed or used, else
    /// 128 (which `docker run` shows as 125).
    pub fn exit_code(&self) -> i32 {
        let errno = match self {
            Self::CommandNotFound(_) | Self::CommandMissing { .. } => return 127,
            Self::CommandDenied { .. } => return 126,
            Self::Exec { errno: Errno::NOENT, .. } => return 127,
            Self::Exec { .. } => return 126,
            Self::Start { errno, .. } => Some(*errno),
            Self::System { source, .. } => Errno::from_io_error(source),
            _ => None,
        };
        match errno {
            Some(Errno::NOTDIR) => 127,
            Some(Errno::ACCESS) => 126,
            _ => 128,
        }
    }
}

/// runc names the stage for all that happens before the container's process takes on its identity.
fn in_init(step: Step) -> &'static str {
    match step {
        Step::EnterNamespaces
        | Step::BoundingSet
        | Step::Groups
        | Step::Gid
        | Step::Uid
        | Step::Capabilities
        | Step::NoNewPrivileges
        | Step::Seccomp
        | Step::Cwd
        | Step::CwdOutside => "",
        _ => "error during container init: ",
    }
}

/// An errno in Go's spelling, which is Docker's: "no such file or directory".
pub(crate) fn errno_text(errno: Errno) -> String {
    let text = nix::errno::Errno::from_raw(errno.raw_os_error()).desc();
    let mut letters = text.chars();
    let keep = text.starts_with("RPC") || text.starts_with("RFS") || text.starts_with(".lib");
    match letters.next() {
        Some(first) if !keep => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
