//! How a container's process comes into the world.
//!
//! Usually by one clone3(2). Where it is to be born in namespaces that exist already, somebody must enter them first,
//! and cannot always come back: an ordinary user's engine has no rights over the host's PID and network namespaces, not
//! even to return to them. So a midwife goes: a copy of the engine that enters, gives birth to its own *sibling*
//! (CLONE_PARENT), says its number, and ends.

use std::convert::Infallible;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

use rustix::event::Timespec;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use crate::report::{self, At, Message, Outcome, Step};
use crate::sys::{self, Cloned};
use crate::unfinished;

/// How long a midwife may take. She has no file to read and nobody to ask; but the container may have frozen its own
/// cgroup.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// What enters the namespaces that exist. Async-signal-safe. The midwife must not lose the descriptor it is told.
pub(crate) type Enter<'a> = &'a dyn Fn(BorrowedFd<'_>) -> Outcome;

/// Where to be born.
pub(crate) struct Birth<'a> {
    /// New namespaces: `CLONE_NEW…`.
    pub namespaces: u64,
    /// Not every kernel, nor every place in the tree, lets a process be born in another cgroup: without success it is
    /// born in ours.
    pub cgroup: Option<BorrowedFd<'a>>,
    pub enter: Option<Enter<'a>>,
}

impl Birth<'_> {
    /// `child` is told whether it is in its cgroup, and so is the caller.
    pub(crate) fn give(&self, child: &dyn Fn(bool) -> Infallible) -> Outcome<(Cloned, bool)> {
        match self.enter {
            Some(enter) => self.through_midwife(enter, child),
            None => self.try_both(|cgroup, in_cgroup| sys::clone_into(self.namespaces, cgroup, || child(in_cgroup))),
        }
    }

    fn try_both<T>(&self, clone: impl Fn(Option<BorrowedFd<'_>>, bool) -> rustix::io::Result<T>) -> Outcome<(T, bool)> {
        if self.cgroup.is_some()
            && let Ok(cloned) = clone(self.cgroup, true)
        {
            return Ok((cloned, true));
        }
        clone(None, false).map(|cloned| (cloned, false)).at(Step::Clone)
    }

    /// The midwife is born in the cgroup, and whom she gives birth to inherits it.
    fn through_midwife(&self, enter: Enter<'_>, child: &dyn Fn(bool) -> Infallible) -> Outcome<(Cloned, bool)> {
        let (ours, theirs) = report::channel().at(Step::Clone)?;
        let (midwife, in_cgroup) = self.try_both(|cgroup, in_cgroup| {
            sys::clone_into(0, cgroup, || {
                unfinished::in_child(theirs.as_raw_fd());
                let sibling = || sys::clone_sibling(self.namespaces, || child(in_cgroup)).at(Step::Clone);
                match enter(theirs.as_fd()).and_then(|()| sibling()) {
                    Ok(pid) => report::send_born(theirs.as_fd(), pid),
                    Err(failure) => report::send_failure(theirs.as_fd(), failure),
                }
                sys::exit_now(0)
            })
        })?;
        // Reaped first: then her last word has been said.
        let in_time = report::heard_within(midwife.pidfd.as_fd(), &PATIENCE);
        if !in_time {
            // It fails if she has just ended, which is as good.
            let _ = sys::pidfd_send_signal(midwife.pidfd.as_fd(), libc::SIGKILL);
        }
        while let Err(Errno::INTR) = waitid(WaitId::PidFd(midwife.pidfd.as_fd()), WaitIdOptions::EXITED) {}
        drop(theirs);
        if !in_time {
            return Err(Errno::TIMEDOUT).at(Step::Clone);
        }
        match report::receive(ours.as_fd()).at(Step::Clone)? {
            Message::Born(pid) => Ok((child_of_ours(pid).at(Step::Clone)?, in_cgroup)),
            Message::Failed(failure) => Err(failure),
            _ => Err(Errno::CHILD).at(Step::Clone),
        }
    }
}

/// Nobody but us can reap it, so the number is still its own. It is not taken on trust: what speaks here has been in
/// the container.
fn child_of_ours(pid: i32) -> rustix::io::Result<Cloned> {
    let pidfd = pidfd_open(Pid::from_raw(pid).ok_or(Errno::SRCH)?, PidfdFlags::empty())?;
    // ECHILD if it is not (waitid(2)).
    waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT)?;
    Ok(Cloned { pid, pidfd })
}
