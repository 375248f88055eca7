//! The process of one RUN: our own program, executed again, which contains the command as a shim contains a container's,
//! and ends with it.
//!
//! It is single-threaded, as a process that clones itself should be, and it dies with whoever builds: then init dies with
//! it, all other processes with init, and the namespaces and mounts with the last of them.

use super::attach;
use crate::container::id::ContainerId;
use crate::container::record::{Container, Record};
use crate::explain;
use crate::network::{Connected, HostPorts};
use crate::reexec;
use crate::shim::{Answer, report_to};
use crate::spec;
use crate::spec::network_files;
use crate::{Engine, Error, Kind, Result, Roots, sys};
use process::cgroup::Cgroup;
use process::{Options, Rootfs, Streams};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Its `argv[0]`, by which `main` knows what it is.
pub(crate) const NAME: &str = "kesako-step";

/// What it is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Letter {
    /// Who builds.
    pub parent: i32,
    /// The engine's folders.
    pub data: PathBuf,
    pub run: PathBuf,
    /// The command, in the form of a container that does nothing else.
    pub record: Record,
    /// The build's folder. In it is one for the files that this step is shown, which are made there.
    pub folder: PathBuf,
    /// The root, a detached mount.
    pub root: RawFd,
    pub stdout: RawFd,
    pub stderr: RawFd,
    /// Where it reports how the command ended, or why it could not begin.
    pub report: RawFd,
    pub trees: Vec<Shown>,
    pub explain: bool,
}

/// See [`process::Tree`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    pub target: String,
    pub source: RawFd,
    /// Not all of it, but what is at this path.
    pub within: Option<PathBuf>,
    pub readonly: bool,
}

impl reexec::Letter for Letter {
    fn descriptors(&self) -> Vec<RawFd> {
        let trees = self.trees.iter().map(|tree| tree.source);
        trees.chain([self.root, self.stdout, self.stderr, self.report]).collect()
    }
}

/// The whole of it. Never returns.
pub(crate) fn main() -> ! {
    std::process::exit(match run() {
        Ok(()) => 0,
        // Nobody is there to read a reason: who waits for the report sees it end.
        Err(_) => 1,
    })
}

fn run() -> Result<()> {
    let trouble = |e: std::io::Error| Error::system("begin the step", e);
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(|e| trouble(e.into()))?;
    reexec::detach(c"kesako-step").map_err(|e| trouble(e.into()))?;
    let letter: Letter = reexec::receive().map_err(trouble)?;
    // It may have died before the first line above: then nobody would ever tell us.
    if nix::unistd::getppid().as_raw() != letter.parent {
        return Err(Error::new(Kind::System, "whoever built is gone"));
    }
    let report = UnixStream::from(sys::inherited(letter.report).map_err(trouble)?);
    crate::learner::tell_panics_to(report.try_clone().ok().map(crate::learner::Listener::Start));
    let wanted = letter.explain;
    let (outcome, told) = explain::during(wanted, || contain(&letter));
    report_to(report, told, outcome).map_err(trouble)
}

/// Runs the command to its end, and tells its exit code.
fn contain(letter: &Letter) -> Result<Answer> {
    let engine = Engine::assume(Roots { data: letter.data.clone(), run: letter.run.clone() });
    let container = container(&letter.record.id, &letter.folder);
    let mut network = Connected::new(&engine, &container, &letter.record, &mut HostPorts::default())?;
    let ended = contain_on(network.as_ref(), letter, &container);
    let released = network.as_mut().map_or(Ok(None), |network| network.release(&engine));
    // Who builds looks after the network itself, when there are no more commands.
    released.map(drop)?;
    ended
}

/// The same, on its network.
fn contain_on(network: Option<&Connected>, letter: &Letter, container: &Container) -> Result<Answer> {
    let record = &letter.record;
    let root = inherited(letter.root)?;
    let mut attachments = network.map(|network| network.attachments.clone()).unwrap_or_default();
    // Its own address is another one each time, and shall not get into a layer: it knows itself by the loopback's.
    attachments.iter_mut().for_each(|attachment| attachment.addresses.clear());
    network_files::write(container, record, &attachments, "")?;
    let mut spec = spec::spec(container, record, &Default::default())?;
    if let Some(network) = network {
        spec::set_network(&mut spec, &network.namespace_path());
    }
    let user = process::user::resolve(root.as_fd(), &record.config.user, &[])?;
    spec::settle_user(&mut spec, record, &user)?;
    let trees = attach::trees(&letter.trees, &container.folder)?;
    let null = File::open("/dev/null").map_err(|e| Error::system("open /dev/null", e))?;
    let streams =
        Streams::Fds { stdin: null.into(), stdout: inherited(letter.stdout)?, stderr: inherited(letter.stderr)? };

    let resources = spec.linux().as_ref().and_then(|linux| linux.resources().clone()).unwrap_or_default();
    let (cgroup, _passed_over) = Cgroup::create(record.id.as_str(), &resources)?;
    let options = Options { cgroup: Some(&cgroup), trees: &trees, ..Options::default() };
    let ended = process::launch(&spec, Rootfs::Mount(root), streams, &options).and_then(|running| running.wait());
    if let Err(error) = cgroup.remove() {
        tracing::warn!("cgroup of a step: {error}");
    }
    match ended {
        Ok(status) => Ok(Answer { exit_code: Some(status.code()), ..Answer::default() }),
        // There is no such command, or it is none: as a shell, this tells by a code, and in words.
        Err(error) if matches!(error.exit_code(), 126 | 127) => {
            let why = Some(format!("runc run failed: {error}"));
            Ok(Answer { exit_code: Some(error.exit_code()), why, ..Answer::default() })
        }
        Err(error) => Err(error.into()),
    }
}

/// A command as a container. It has one folder in the build's, for all that a container has two for.
pub(super) fn container(id: &ContainerId, build: &Path) -> Container {
    let folder = build.join(id.as_str());
    Container { id: id.clone(), run: folder.clone(), folder }
}

fn inherited(number: RawFd) -> Result<OwnedFd> {
    sys::inherited(number).map_err(|e| Error::system("take over a descriptor", e))
}
