//! How a shim comes to be: the engine executes its own binary again, under another name, and hands it what it needs.

use super::protocol::{self, Attachment};
use crate::container::id::ContainerId;
use crate::container::record::{Container, Lock, Record};
use crate::{Engine, Error, Result, Roots, WaitCondition, explain, reexec, spec, sys};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// The shim's `argv[0]`, by which `main` knows what it is.
pub(crate) const NAME: &str = "kesako-shim";

/// What a shim is told.
#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    data: PathBuf,
    run: PathBuf,
    id: ContainerId,
    /// Where it reports that the container has started, or why not.
    report: RawFd,
    /// The lock of the container: held until the report.
    lock: RawFd,
    attached: Vec<(RawFd, Attachment)>,
    waiting: Vec<(RawFd, WaitCondition)>,
    explain: bool,
}

impl reexec::Letter for Letter {
    fn descriptors(&self) -> Vec<RawFd> {
        let attached = self.attached.iter().map(|(fd, _)| *fd);
        let waiting = self.waiting.iter().map(|(fd, _)| *fd);
        attached.chain(waiting).chain([self.report, self.lock]).collect()
    }
}

/// Streams that want to be there from the container's first byte on, and to hear of its end.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    pub attached: Vec<(UnixStream, Attachment)>,
    pub waiting: Vec<(UnixStream, WaitCondition)>,
}

/// A letter as its receiver has it.
#[derive(Debug)]
pub(super) struct Boot {
    pub engine: Engine,
    pub id: ContainerId,
    pub report: UnixStream,
    pub lock: Lock,
    pub guests: Guests,
    pub explain: bool,
}

/// Starts the container: makes its shim, and waits until the container's command runs, or could not.
pub(crate) fn start(
    engine: &Engine,
    container: &Container,
    record: &Record,
    guests: Guests,
    lock: &Lock,
) -> Result<()> {
    let trouble = |e: std::io::Error| Error::system("start a shim", e);
    crate::network::prepare(engine, record)?;
    let (report, theirs) = UnixStream::pair().map_err(trouble)?;
    let numbers = |(fd, wants): &(UnixStream, Attachment)| (fd.as_raw_fd(), wants.clone());
    let letter = Letter {
        data: engine.roots.data.clone(),
        run: engine.roots.run.clone(),
        id: container.id.clone(),
        report: theirs.as_raw_fd(),
        lock: lock.number(),
        attached: guests.attached.iter().map(numbers).collect(),
        waiting: guests.waiting.iter().map(|(fd, condition)| (fd.as_raw_fd(), *condition)).collect(),
        explain: explain::wanted(),
    };
    let admin = process::capabilities::Capability::SysAdmin;
    let may_mount = spec::bounding(&record.host_config).is_ok_and(|bounding| bounding.contains(&admin));
    tracing::info!(target: "explain", man = "posix_spawn(3)", shell = "setsid kesako-shim &",
        "a shim is started: the process that will be the parent of container {}", letter.id.short());
    let pid = reexec::spawn(NAME, letter.id.as_str(), &letter, may_mount).map_err(trouble)?;
    reap(pid);
    drop((theirs, guests));
    let died = || Error::system("start the container", "its shim died");
    protocol::report(report)?.map(drop).ok_or_else(died)
}

/// A shim outlives a command line, but a daemon outlives its shims (and others that it starts), and would keep them as zombies.
pub(crate) fn reap(pid: Pid) {
    let wait = move || while nix::sys::wait::waitpid(pid, None) == Err(nix::errno::Errno::EINTR) {};
    let thread = std::thread::Builder::new().name("reap a shim".to_owned()).stack_size(64 * 1024);
    if let Err(error) = thread.spawn(wait) {
        tracing::warn!("shim {pid} will stay a zombie: {error}");
    }
}

/// Reads the letter, in the new shim.
pub(super) fn receive() -> std::io::Result<Boot> {
    let letter: Letter = reexec::receive()?;
    let socket = |fd: RawFd| sys::inherited(fd).map(UnixStream::from);
    let mut guests = Guests::default();
    for (fd, wants) in letter.attached {
        guests.attached.push((socket(fd)?, wants));
    }
    for (fd, condition) in letter.waiting {
        guests.waiting.push((socket(fd)?, condition));
    }
    let engine = Engine::assume(Roots { data: letter.data, run: letter.run });
    crate::ordinary::remain(&engine.roots).map_err(std::io::Error::other)?;
    let (report, lock) = (socket(letter.report)?, Lock::inherited(sys::inherited(letter.lock)?));
    Ok(Boot { engine, id: letter.id, report, lock, guests, explain: letter.explain })
}
