//! How a container's process comes into the world.
//!
//! Usually by one clone3(2). Where it is to be born in namespaces that exist already, somebody must enter them first, and cannot always come back: an
//! ordinary user's engine has no rights over the host's PID and network namespaces, not even to return to them. So a midwife goes: a
//! copy of the engine that enters, gives birth to its own *sibling* (CLONE_PARENT), says its number, and ends.

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use crate::report::{self, At, Message, Outcome, Step};
use crate::sys::{self, Cloned};

/// Where to be born.
pub(crate) struct Birth<'a> {
    /// New namespaces: `CLONE_NEW…`.
    pub namespaces: u64,
    /// Not every kernel, nor every place in the tree, lets a process be born in another cgroup: without success it is born in ours.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// Enters the namespaces that exist. Async-signal-safe.
    pub enter: Option<&'a dyn Fn() -> Outcome>,
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

    fn through_midwife(
        &self,
        enter: &dyn Fn() -> Outcome,
        child: &dyn Fn(bool) -> Infallible,
    ) -> Outcome<(Cloned, bool)> {
        let (ours, theirs) = report::channel().at(Step::Clone)?;
        let midwife = sys::clone_into(0, None, || {
            let sibling = |cgroup: Option<BorrowedFd<'_>>, in_cgroup| {
                sys::clone_sibling(self.namespaces, cgroup, || child(in_cgroup))
            };
            match enter().and_then(|()| self.try_both(sibling)) {
                Ok((pid, in_cgroup)) => report::send_born(theirs.as_fd(), pid, in_cgroup),
                Err(failure) => report::send_failure(theirs.as_fd(), failure),
            }
            sys::exit_now(0)
        })
        .at(Step::Clone)?;
        // Reaped first: then its last word has been said.
        while let Err(Errno::INTR) = waitid(WaitId::PidFd(midwife.pidfd.as_fd()), WaitIdOptions::EXITED) {}
        drop(theirs);
        match report::receive(ours.as_fd()).at(Step::Clone)? {
            Message::Born { pid, in_cgroup } => {
                // Nobody but us can reap it, so the number is still its own.
                let born = Pid::from_raw(pid).ok_or(Errno::SRCH).at(Step::Clone)?;
                let pidfd = pidfd_open(born, PidfdFlags::empty()).at(Step::Clone)?;
                Ok((Cloned { pid, pidfd }, in_cgroup))
            }
            Message::Failed(failure) => Err(failure),
            _ => Err(Errno::CHILD).at(Step::Clone),
        }
    }
}
