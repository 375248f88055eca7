//! Fetching a blob: going on where somebody stopped, trying again where the network fails, and believing nothing.

use crate::error::{Error, Result};
use crate::progress::{Cancelled, Step};
use crate::range::{Resume, resume};
use crate::remote::Remote;
use layers::manifest::Descriptor;
use layers::{Blobs, Feed, Partial};
use std::io::{self, Read, Write as _};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How often a blob is asked for again when it did not come.
const RETRIES: u32 = 5;
/// How often a blob that came wrong is asked for.
const WRONG: u32 = 2;
/// Progress is told so often at most.
const TELL: Duration = Duration::from_millis(100);

/// Brings blobs into a store.
pub(crate) struct Fetch<'a> {
    pub remote: &'a Remote,
    pub blobs: &'a Blobs,
    pub patience: Duration,
    pub cancelled: Cancelled<'a>,
}

impl Fetch<'_> {
    /// Brings one into the store, if it is not there yet. Who reads the feed gets it as it comes.
    pub(crate) fn blob(&self, wanted: &Descriptor, feed: Option<&Arc<Feed>>, tell: &dyn Fn(Step)) -> Result<()> {
        let mut wrong = 0;
        loop {
            let Some(mut partial) = self.blobs.partial(&wanted.digest, &mut || tell(Step::Waiting))? else {
                // Somebody else has brought it meanwhile.
                let file = self.blobs.read(&wanted.digest)?;
                return feed.map_or(Ok(()), |feed| feed.is_there(file)).map_err(Error::io("examine the layer"));
            };
            if let Some(feed) = feed {
                partial = partial.feeding(feed)?;
            }
            self.receive(wanted, &mut partial, tell)?;
            tell(Step::VerifyingChecksum);
            match partial.commit(wanted.size) {
                Err(error @ (layers::Error::WrongDigest { .. } | layers::Error::WrongSize { .. })) => {
                    wrong += 1;
                    if wrong == WRONG {
                        return Err(Error::Unverified { digest: wanted.digest, why: error.to_string() });
                    }
                }
                done => return Ok(done?),
            }
        }
    }

    /// Receives all of it that is not there, trying again as long as it helps.
    fn receive(&self, wanted: &Descriptor, partial: &mut Partial, tell: &dyn Fn(Step)) -> Result<()> {
        let (mut failures, mut furthest) = (0, partial.size());
        while partial.size() != wanted.size || wanted.size == 0 {
            let done = self.remote.ask(|api| {
                let answer = api.blob(&wanted.digest, partial.size())?;
                let (url, have) = (answer.url.clone(), partial.size());
                match resume(answer.status, answer.header("content-range"), have, wanted.size) {
                    Resume::Append => {}
                    Resume::Restart => partial.restart()?,
                    Resume::Complete => return Ok(()),
                    Resume::Refused => {
                        let part = answer.header("content-range").unwrap_or_default();
                        let why = format!("asked for the bytes from {have} on, it sends {part:?} ({})", answer.status);
                        // What is there may be longer than the whole. Then better from the beginning.
                        partial.restart()?;
                        return Err(Error::Unreachable { method: "Get".to_owned(), url, why });
                    }
                }
                self.copy(answer.reader(u64::MAX), &url, wanted, partial, tell)
            });
            match done {
                Ok(()) => return Ok(()),
                // What brings us further than ever is no failure.
                Err(error) if error.is_passing() && (failures < RETRIES || partial.size() > furthest) => {
                    failures = if partial.size() > furthest { 1 } else { failures + 1 };
                    furthest = furthest.max(partial.size());
                    tracing::info!("{}: {error}; trying again", wanted.digest.short());
                    self.wait(failures, tell)?;
                }
                Err(error) => {
                    if error.is_full_disk() {
                        partial.restart()?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Copies what comes, and stops one byte past what was promised.
    fn copy(
        &self,
        mut from: impl Read,
        url: &str,
        wanted: &Descriptor,
        to: &mut Partial,
        tell: &dyn Fn(Step),
    ) -> Result<()> {
        let mut buffer = vec![0; 128 * 1024];
        let mut told = Instant::now();
        let unreachable = |why: String| Error::Unreachable { method: "Get".to_owned(), url: url.to_owned(), why };
        while to.size() <= wanted.size {
            if (self.cancelled)() {
                return Err(Error::Cancelled);
            }
            match from.read(&mut buffer) {
                Ok(0) if to.size() < wanted.size => return Err(unreachable("unexpected EOF".to_owned())),
                Ok(0) => break,
                Ok(count) => {
                    let room = wanted.size.saturating_add(1) - to.size();
                    let count = count.min(usize::try_from(room).unwrap_or(usize::MAX));
                    to.write_all(&buffer[..count]).map_err(Error::io("write the layer"))?;
                    if told.elapsed() > TELL || to.size() >= wanted.size {
                        told = Instant::now();
                        tell(Step::Downloading { current: to.size(), total: wanted.size });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreachable(error.to_string())),
            }
        }
        Ok(())
    }

    /// Waits after a failure, longer after each.
    fn wait(&self, failures: u32, tell: &dyn Fn(Step)) -> Result<()> {
        let wait = self.patience * 2u32.saturating_pow(failures.saturating_sub(1));
        let end = Instant::now() + wait;
        let mut told = None;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if (self.cancelled)() {
                return Err(Error::Cancelled);
            }
            let seconds = left.as_secs() + 1;
            if told != Some(seconds) {
                told = Some(seconds);
                tell(Step::Retrying { seconds });
            }
            thread::sleep(left.min(Duration::from_millis(100)));
        }
        Ok(())
    }
}
