//! How a RUN step gets its process: this crate knows what is to be run, and somebody else knows how to contain it.

use crate::instruction::Network;
use crate::progress::Stream;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Whoever can contain a process: the engine, and in tests a plain one.
pub trait Run: Sync {
    /// A folder that lies below all layers while a command runs, so that what is mounted into every container finds its
    /// place in an image that has none: nothing of it gets into the layer.
    fn skeleton(&self) -> Option<&Path> {
        None
    }

    /// Runs a command to its end, and returns its exit code (128 + n where signal n killed it). What it writes is
    /// given to `output` as it comes, as text.
    ///
    /// # Errors
    /// It could not be started: a line that says why.
    fn run(&self, process: Process, output: &mut dyn FnMut(Stream, &str)) -> Result<i32, String>;
}

/// A process of a build.
#[derive(Debug)]
pub struct Process {
    /// Its root: a detached mount, writable.
    pub root: OwnedFd,
    pub args: Vec<String>,
    pub env: Vec<String>,
    /// An absolute path; it exists.
    pub cwd: String,
    /// `user[:group]`, looked up in the root's own /etc/passwd; empty is root.
    pub user: String,
    pub network: Network,
    /// Lines for /etc/hosts: `name:address`.
    pub add_hosts: Vec<String>,
    pub mounts: Vec<Mount>,
}

/// What is mounted for the time of a command, and is no part of its layer.
#[derive(Debug)]
pub struct Mount {
    /// Absolute, in the root. Where it is missing, it is there for this command only.
    pub target: String,
    pub source: Source,
    pub readonly: bool,
}

#[derive(Debug)]
pub enum Source {
    /// A folder or a file, opened with `O_PATH`, or a detached mount.
    Tree(OwnedFd),
    /// A folder or a file in a detached mount, by its path from there. (Before Linux 6.15 nothing in a mount that is
    /// attached nowhere can be mounted itself; so whoever runs the command attaches it first, where only they see it.)
    Within { tree: OwnedFd, path: PathBuf },
    /// Memory, of at most this many bytes.
    Tmpfs { size: Option<u64> },
}
