//! Seeing that something changed in a container's folder: its state, its log, or that it is gone (inotify(7)).

use crate::container::record::Container;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Notice {
    inotify: Inotify,
}

impl Notice {
    /// Of everything.
    pub(crate) fn of(container: &Container) -> std::io::Result<Self> {
        Self::watch(container, AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE)
    }

    /// Only of files that are replaced or deleted, as its record and its state are.
    pub(crate) fn of_state(container: &Container) -> std::io::Result<Self> {
        Self::watch(container, AddWatchFlags::empty())
    }

    fn watch(container: &Container, more: AddWatchFlags) -> std::io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let changes = AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_DELETE_SELF
            | more;
        inotify.add_watch(&container.folder, changes)?;
        Ok(Self { inotify })
    }

    /// Blocks until something has changed, or one of `others` is readable or closed: then says which.
    pub(crate) fn wait(&self, others: &[BorrowedFd<'_>]) -> std::io::Result<Option<usize>> {
        let mut fds = others.to_vec();
        fds.push(self.inotify.as_fd());
        let first = first_ready(&fds)?;
        if first < others.len() {
            return Ok(Some(first));
        }
        self.clear()?;
        Ok(None)
    }

    /// Forgets what has changed so far. The events themselves are not of interest: what is there is looked at anew.
    pub(crate) fn clear(&self) -> std::io::Result<()> {
        match self.inotify.read_events() {
            Err(e) if e != nix::errno::Errno::EAGAIN => Err(e.into()),
            _ => Ok(()),
        }
    }
}

/// Blocks until one of these is readable or closed, and says which.
pub(crate) fn first_ready(fds: &[BorrowedFd<'_>]) -> std::io::Result<usize> {
    loop {
        if let Some(first) = ready_within(fds, None)? {
            return Ok(first);
        }
    }
}

/// The same, but no longer than this (for ever, without a time). A signal ends it, too.
pub(crate) fn ready_within(fds: &[BorrowedFd<'_>], time: Option<Duration>) -> std::io::Result<Option<usize>> {
    let mut polled: Vec<_> = fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let time = time.map(|time| Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() });
    match poll(&mut polled, time.as_ref()) {
        Err(rustix::io::Errno::INTR) => Ok(None),
        Err(e) => Err(e.into()),
        Ok(_) => Ok(polled.iter().position(|fd| !fd.revents().is_empty())),
    }
}

impl AsFd for Notice {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
