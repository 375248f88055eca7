//! poll(2), so that one thread serves a container, its clients and its commands.
//!
//! Every part of the shim says what it waits for ([`Watch`]), and afterwards looks up what has come ([`Ready`]). Parts
//! come and go in between; a stale answer does no harm, since every descriptor here is non-blocking.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

/// What is waited for.
#[derive(Default)]
pub(super) struct Watch<'a> {
    fds: Vec<PollFd<'a>>,
    until: Option<Instant>,
}

impl<'a> Watch<'a> {
    /// Wakes when `fd` has something to read, or has ended.
    pub(super) fn readable(&mut self, fd: &'a impl AsFd) {
        self.add(fd.as_fd(), PollFlags::IN);
    }

    /// Wakes when `fd` takes more.
    pub(super) fn writable(&mut self, fd: &'a impl AsFd) {
        self.add(fd.as_fd(), PollFlags::OUT);
    }

    /// Wakes when the other end of `fd` is gone.
    pub(super) fn hangup(&mut self, fd: &'a impl AsFd) {
        self.add(fd.as_fd(), PollFlags::empty());
    }

    /// The same for a descriptor whose owner is elsewhere.
    pub(super) fn borrowed(&mut self, fd: BorrowedFd<'a>, writes: bool) {
        self.add(fd, if writes { PollFlags::OUT } else { PollFlags::IN });
    }

    fn add(&mut self, fd: BorrowedFd<'a>, events: PollFlags) {
        self.fds.push(PollFd::from_borrowed_fd(fd, events));
    }

    /// Wakes at this moment at the latest.
    pub(super) fn until(&mut self, moment: Instant) {
        self.until = Some(self.until.map_or(moment, |sooner| sooner.min(moment)));
    }

    /// Waits.
    pub(super) fn wait(mut self) -> Ready {
        let timeout = self.until.map(|moment| timespec(moment.saturating_duration_since(Instant::now())));
        // An error is EINTR, or too little memory: in both cases nothing is ready, and the loop comes back here.
        let count = poll(&mut self.fds, timeout.as_ref()).unwrap_or(0);
        let come = self.fds.iter().filter(|fd| !fd.revents().is_empty());
        Ready { fds: come.take(count).map(|fd| (fd.as_fd().as_raw_fd(), fd.revents())).collect() }
    }
}

fn timespec(duration: Duration) -> Timespec {
    // One nanosecond short is a turn too many, not a mistake; so no rounding.
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}

/// What has come.
pub(super) struct Ready {
    fds: Vec<(RawFd, PollFlags)>,
}

impl Ready {
    fn has(&self, fd: &impl AsFd, wanted: PollFlags) -> bool {
        let number = fd.as_fd().as_raw_fd();
        self.fds.iter().any(|(ready, events)| *ready == number && events.intersects(wanted))
    }

    /// Whatever was waited for.
    pub(super) fn has_come(&self, fd: BorrowedFd<'_>) -> bool {
        self.fds.iter().any(|(ready, _)| *ready == fd.as_raw_fd())
    }

    /// A read would not block: there is data, or the end, or an error.
    pub(super) fn readable(&self, fd: &impl AsFd) -> bool {
        self.has(fd, PollFlags::IN | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    }

    /// A write would not block, or would fail.
    pub(super) fn writable(&self, fd: &impl AsFd) -> bool {
        self.has(fd, PollFlags::OUT | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    }

    /// Nobody will ever read what is written to it, nor write.
    pub(super) fn hung_up(&self, fd: &impl AsFd) -> bool {
        self.has(fd, PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    }
}
