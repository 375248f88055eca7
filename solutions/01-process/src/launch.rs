//! From a specification to a running process.
#![allow(clippy::todo, unused_variables)]

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::{ExitStatus, Result, cgroup::Cgroup, oci};

/// Where the container's root comes from.
#[derive(Debug)]
pub enum Rootfs {
    /// A folder of the host.
    Path(PathBuf),
    /// A detached mount, made by the caller with fsmount(2) or open_tree(2); it is moved into the container's own mount
    /// namespace, so the host's mount table never shows it.
    Mount(OwnedFd),
}

/// What the process has as standard input, output and error.
#[derive(Debug)]
pub enum Streams {
    /// These three.
    Fds { stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd },
    /// A new terminal, from the container's own devpts; its master is [`Running::terminal`].
    Terminal { height: u16, width: u16 },
}

/// What the specification cannot say.
#[derive(Debug, Default)]
pub struct Options<'a> {
    /// Keep a small init as PID 1: it starts the command, forwards signals to it, reaps orphans, and exits with the
    /// command's code.
    pub init: bool,
    /// The cgroup in which the process is born.
    pub cgroup: Option<&'a Cgroup>,
}

/// A process in a container, and the parent's side of it. The caller is its parent and must reap it ([`Running::wait`]).
#[derive(Debug)]
pub struct Running {
    /// As this process sees it.
    pub pid: i32,
    /// Readable when the process has ended (poll(2)).
    pub pidfd: OwnedFd,
    /// The master of its terminal.
    pub terminal: Option<OwnedFd>,
}

impl Running {
    /// Blocks until the process ends, and reaps it.
    pub fn wait(&self) -> Result<ExitStatus> {
        todo!()
    }

    /// Reaps the process if it has ended.
    pub fn try_wait(&self) -> Result<Option<ExitStatus>> {
        todo!()
    }

    /// Sends a signal, by pidfd: it cannot hit another process that got the same number.
    pub fn signal(&self, signal: i32) -> Result<()> {
        todo!()
    }
}

/// Starts the container's first process. Returns once its execve(2) has succeeded, or with the step that failed.
///
/// The process dies (SIGKILL) with the *thread* that launched it.
pub fn launch(spec: &oci::Spec, rootfs: Rootfs, streams: Streams, options: &Options) -> Result<Running> {
    todo!()
}

/// Starts another process in a running container (`exec`): in all namespaces of `init_pid`, which must be an unreaped
/// child of the caller. `spec` is the container's, `process` what to run.
pub fn join(
    init_pid: i32,
    spec: &oci::Spec,
    process: &oci::Process,
    streams: Streams,
    options: &Options,
) -> Result<Running> {
    todo!()
}
