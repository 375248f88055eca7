//! Seeing that something changed in a container's folder: its state, its log, or that it is gone (inotify(7)).

use crate::record::Container;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rustix::event::{PollFd, PollFlags, poll};
use std::os::fd::{AsFd, BorrowedFd};

#[derive(Debug)]
pub(crate) struct Notice {
    inotify: Inotify,
}

impl Notice {
    pub(crate) fn of(container: &Container) -> std::io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let changes = AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_DELETE_SELF;
        inotify.add_watch(&container.folder, changes)?;
        Ok(Self { inotify })
    }

    /// Blocks until something has changed, or `other` is readable or closed: then true.
    pub(crate) fn wait(&self, other: Option<BorrowedFd<'_>>) -> std::io::Result<bool> {
        let mut fds = vec![PollFd::new(&self.inotify, PollFlags::IN)];
        if let Some(other) = other {
            fds.push(PollFd::from_borrowed_fd(other, PollFlags::IN));
        }
        while let Err(e) = poll(&mut fds, None) {
            if e != rustix::io::Errno::INTR {
                return Err(e.into());
            }
        }
        let changed = !fds[0].revents().is_empty();
        let other = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        if changed {
            self.clear()?;
        }
        Ok(other)
    }

    /// Forgets what has changed so far. The events themselves are not of interest: what is there is looked at anew.
    pub(crate) fn clear(&self) -> std::io::Result<()> {
        match self.inotify.read_events() {
            Err(e) if e != nix::errno::Errno::EAGAIN => Err(e.into()),
            _ => Ok(()),
        }
    }
}

impl AsFd for Notice {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
