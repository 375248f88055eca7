//! What can go wrong, in Docker's words where Docker has some.

use std::io;

/// This crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A step of making a container that failed. The text is runc's where runc has one; an engine puts in front of it what
/// Docker does (`failed to create task for container: …: OCI runtime create failed: runc create failed: `) and `: unknown` behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call of the engine's own side.
    #[error("{step}: {source}")]
    System { step: String, source: io::Error },
    /// A user or group that the image does not know.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    UnknownUser(String),
    /// As above.
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
    /// The exit code of a container that could not be started: 127 if the command does not exist, 126 if it may not or cannot
    /// be executed, else 128 (which `docker run` shows as 125).
    pub fn exit_code(&self) -> i32 {
        128
    }
}
