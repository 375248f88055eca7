//! A blob that is read while it is still coming.
//!
//! Whoever receives it writes it to a file (a [`crate::Partial`]), and says how far it is; whoever unpacks it reads the
//! same file, right behind. So what comes is held by the page cache and by nothing else, a slow reader keeps nobody
//! waiting who sends, and a download that is gone on with is read from its beginning like any other.
//!
//! What is read so is not verified yet. Only when its reader is done does [`Feed::outcome`] tell whether it was the blob.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Tells the reader of a blob how far its receiver is.
#[derive(Debug, Default)]
pub struct Feed {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// None: nothing has begun yet.
    file: Option<Arc<File>>,
    /// How many bytes are there.
    size: u64,
    /// How often it was begun: what came before the last time is void.
    beginning: u64,
    progress: Progress,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    #[default]
    Coming,
    /// All of it is there, and is what it should be.
    Whole,
    /// And it has its name in the store.
    Stored,
    GivenUp,
}

/// What became of a blob that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was the one.
    Stored,
    /// It was not, and comes anew: what was read is void.
    Anew,
    /// It will not come.
    GivenUp,
}

impl Feed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// It begins, with what is there already.
    pub(crate) fn begin(&self, file: Arc<File>, size: u64) {
        self.change(|state| {
            (state.file, state.size) = (Some(file), size);
            state.beginning += 1;
        });
    }

    pub(crate) fn grow(&self, size: u64) {
        self.change(|state| state.size = size);
    }

    pub(crate) fn whole(&self) {
        self.change(|state| state.progress = Progress::Whole);
    }

    pub(crate) fn stored(&self) {
        self.change(|state| state.progress = Progress::Stored);
    }

    /// It need not come: it is in the store, in this file.
    ///
    /// # Errors
    /// If the file cannot be examined.
    pub fn is_there(&self, file: File) -> io::Result<()> {
        let size = file.metadata()?.len();
        self.begin(Arc::new(file), size);
        self.stored();
        Ok(())
    }

    /// Nobody brings it any more: who waits for it, waits no longer. One that is there stays.
    pub fn give_up(&self) {
        self.change(|state| {
            if !matches!(state.progress, Progress::Stored) {
                state.progress = Progress::GivenUp;
            }
        });
    }

    /// Whether all of it is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.state().progress, Progress::Whole | Progress::Stored)
    }

    /// A reader of it, once it has begun; None if it was given up.
    #[must_use]
    pub fn follow(self: &Arc<Self>) -> Option<Follower> {
        let mut state = self.state();
        loop {
            match &state.file {
                _ if state.progress == Progress::GivenUp => return None,
                Some(file) => {
                    let (file, beginning) = (file.clone(), state.beginning);
                    drop(state);
                    return Some(Follower { feed: self.clone(), file, beginning, at: 0 });
                }
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Waits until it is known what became of what this reader has read.
    #[must_use]
    pub fn outcome(&self, beginning: u64) -> Outcome {
        let mut state = self.state();
        loop {
            match state.progress {
                Progress::GivenUp => return Outcome::GivenUp,
                _ if state.beginning != beginning => return Outcome::Anew,
                Progress::Stored => return Outcome::Stored,
                Progress::Coming | Progress::Whole => {}
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Reads a blob from its first byte on, and waits for what is not there yet.
pub struct Follower {
    feed: Arc<Feed>,
    file: Arc<File>,
    beginning: u64,
    at: u64,
}

impl Follower {
    /// Which beginning it reads: for [`Feed::outcome`].
    #[must_use]
    pub fn beginning(&self) -> u64 {
        self.beginning
    }

    /// How much is there to be read; 0 at the end.
    fn ahead(&self) -> io::Result<u64> {
        let mut state = self.feed.state();
        loop {
            if state.beginning != self.beginning || state.progress == Progress::GivenUp {
                return Err(io::Error::other("the blob comes no further"));
            }
            if self.at < state.size || state.progress != Progress::Coming {
                return Ok(state.size.saturating_sub(self.at));
            }
            state = self.feed.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Read for Follower {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = self.ahead()?;
        if ahead == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let room = buffer.len().min(usize::try_from(ahead).unwrap_or(usize::MAX));
        match self.file.read_at(&mut buffer[..room], self.at)? {
            // It was cut off, to begin anew.
            0 => Err(io::Error::other("the blob comes no further")),
            count => {
                self.at += count as u64;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::thread;
    use std::time::Duration;

    fn file(content: &[u8]) -> (tempfile::TempDir, Arc<File>) {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions::new().read(true).append(true).create(true).open(folder.path().join("blob"));
        let mut file = options.unwrap();
        file.write_all(content).unwrap();
        (folder, Arc::new(file))
    }

    fn read(follower: &mut Follower) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        follower.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn it_is_read_as_it_grows() {
        let (feed, (_folder, file)) = (Arc::new(Feed::default()), file(b"one "));
        thread::scope(|scope| {
            scope.spawn(|| {
                feed.begin(file.clone(), 4);
                thread::sleep(Duration::from_millis(10));
                file.as_ref().write_all(b"two").unwrap();
                feed.grow(7);
                feed.whole();
                thread::sleep(Duration::from_millis(10));
                feed.stored();
            });
            let mut follower = feed.follow().unwrap();
            assert_eq!(read(&mut follower).unwrap(), b"one two");
            assert_eq!(feed.outcome(follower.beginning()), Outcome::Stored);
        });
    }

    #[test]
    fn what_begins_anew_is_read_anew() {
        let (feed, (_folder, file)) = (Arc::new(Feed::default()), file(b"wrong"));
        feed.begin(file.clone(), 5);
        let mut follower = feed.follow().unwrap();
        follower.read_exact(&mut [0; 3]).unwrap();
        file.set_len(0).unwrap();
        feed.begin(file.clone(), 0);
        assert!(read(&mut follower).is_err(), "the rest is of something else");
        assert_eq!(feed.outcome(follower.beginning()), Outcome::Anew);
        file.as_ref().write_all(b"right").unwrap();
        feed.grow(5);
        feed.whole();
        assert_eq!(read(&mut feed.follow().unwrap()).unwrap(), b"right");
    }

    #[test]
    fn who_waits_for_what_is_given_up_is_told() {
        let (feed, (_folder, file)) = (Arc::new(Feed::default()), file(b"a part"));
        thread::scope(|scope| {
            let waits = scope.spawn(|| feed.follow().is_none());
            feed.give_up();
            assert!(waits.join().unwrap());
        });
        let feed = Arc::new(Feed::default());
        feed.begin(file, 6);
        let mut follower = feed.follow().unwrap();
        thread::scope(|scope| {
            let waits = scope.spawn(|| read(&mut follower).is_err());
            feed.give_up();
            assert!(waits.join().unwrap());
        });
        assert_eq!(feed.outcome(1), Outcome::GivenUp);
    }
}
