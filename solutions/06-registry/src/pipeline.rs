//! The layers of a pull, each on its way from the registry to its folder: what has come of a layer is verified, inflated
//! and unpacked while the rest is still coming.
//!
//! ```text
//!   registry ──▶ partial/<digest>, sha256 ──▶ inflate ──▶ sha256 of the diff, files beside the layer's place
//!                        │                                              │
//!                        └── the blob's digest fits ──▶ and the diff ID fits ──▶ in its place, the lowest first
//! ```
//!
//! A few threads fetch, a few unpack; who unpacks reads the file that another one writes ([`Feed`]). A layer that begins
//! anew, because what came was wrong, is unpacked anew. One that somebody else unpacks already, in another process
//! perhaps, is left to them.

use crate::error::{Error, Result};
use crate::fetch::Fetch;
use crate::progress::Step;
use layers::digest::chain_ids;
use layers::feed::Outcome;
use layers::manifest::Descriptor;
use layers::{Claim, Digest, Feed, Layer, Store};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Progress is told so often at most.
const TELL: Duration = Duration::from_millis(100);

/// All layers of a pull.
pub(crate) struct Pipeline<'a> {
    store: &'a Store,
    fetch: &'a Fetch<'a>,
    tell: &'a (dyn Fn(&Descriptor, Step) + Sync),
    /// Set when nobody need go on; [`Fetch::cancelled`] looks at it.
    stopped: &'a AtomicBool,
    parts: Vec<Part<'a>>,
    layers: Vec<Layer>,
    places: Vec<PathBuf>,
}

/// One layer.
struct Part<'a> {
    blob: &'a Descriptor,
    coming: Arc<Coming>,
    /// The right to unpack it; None where that is done, or somebody else is at it.
    claim: Mutex<Option<Claim>>,
    claimed: bool,
    /// Blob and folder were there from the start.
    old: bool,
}

/// How a blob comes. A layer may be in an image twice, and its blob comes once.
#[derive(Default)]
struct Coming {
    feed: Arc<Feed>,
    /// Its download was told to be complete.
    told: AtomicBool,
}

/// What a thread has to tell.
enum Report {
    Fetched(Digest),
    Unpacked(usize),
    Failed(Error),
}

/// What has been told.
#[derive(Default)]
struct Done {
    fetched: BTreeSet<Digest>,
    unpacked: BTreeSet<usize>,
    /// How many layers are in their places.
    registered: usize,
}

impl<'a> Pipeline<'a> {
    /// Finds out what there is to do, and takes the right to unpack what is missing.
    pub(crate) fn new(
        store: &'a Store,
        fetch: &'a Fetch<'a>,
        stopped: &'a AtomicBool,
        tell: &'a (dyn Fn(&Descriptor, Step) + Sync),
        blobs: &'a [Descriptor],
        diff_ids: &[Digest],
    ) -> Result<Self> {
        let layer = |(blob, diff_id): (&Descriptor, &Digest)| Layer {
            digest: blob.digest,
            media_type: blob.media_type.clone(),
            diff_id: *diff_id,
        };
        let chain = chain_ids(diff_ids);
        let mut coming: BTreeMap<Digest, Arc<Coming>> = BTreeMap::new();
        let mut parts = Vec::new();
        for (blob, chain_id) in blobs.iter().zip(&chain) {
            let stored = store.blobs().size(&blob.digest) == Some(blob.size);
            let unpacked = store.unpacked().contains(chain_id)?;
            tell(blob, if stored && unpacked { Step::AlreadyExists } else { Step::PullingFsLayer });
            let coming = coming.entry(blob.digest).or_default().clone();
            if stored && !coming.told.swap(true, Ordering::Relaxed) {
                coming.feed.is_there(store.blobs().read(&blob.digest)?).map_err(Error::io("examine the layer"))?;
            }
            if stored && !unpacked {
                tell(blob, Step::DownloadComplete);
            }
            let claim = if unpacked { None } else { store.unpacked().claim(chain_id)? };
            let claimed = claim.is_some();
            parts.push(Part { blob, coming, claim: Mutex::new(claim), claimed, old: stored && unpacked });
        }
        let layers = blobs.iter().zip(diff_ids).map(layer).collect();
        let places = chain.iter().map(|chain_id| store.unpacked().path(chain_id)).collect();
        Ok(Self { store, fetch, tell, stopped, parts, layers, places })
    }

    /// Does it all. What is in its place when something fails, stays there.
    pub(crate) fn run(self, downloads: usize) -> Result<()> {
        let mut known = BTreeSet::new();
        let is_missing = |part: &&Part<'_>| !part.coming.feed.is_whole();
        let mut missing: Vec<&Part<'_>> =
            self.parts.iter().filter(is_missing).filter(|part| known.insert(part.blob.digest)).collect();
        // The largest first: begun last, it would be waited for alone.
        missing.sort_by_key(|part| Reverse(part.blob.size));
        missing.iter().skip(downloads).for_each(|part| (self.tell)(part.blob, Step::Waiting));
        let mut claimed: Vec<usize> = (0..self.parts.len()).filter(|index| self.parts[*index].claimed).collect();
        claimed.sort_by_key(|index| Reverse(self.parts[*index].blob.size));
        // One for each layer that comes at a time, even if the processors are fewer: mostly it waits for the network.
        let unpackers = downloads.max(thread::available_parallelism().map_or(1, usize::from));
        let done = Done { fetched: self.stored(), ..Done::default() };
        let (report, reports) = mpsc::channel();
        let (next_missing, next_claimed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let result = thread::scope(|scope| {
            for _ in 0..downloads.min(missing.len()) {
                let report = report.clone();
                scope.spawn(|| self.each(&missing, &next_missing, report, |part| Some(self.download(part))));
            }
            for _ in 0..unpackers.min(claimed.len()) {
                let report = report.clone();
                scope.spawn(|| self.each(&claimed, &next_claimed, report, |index| self.unpack(*index)));
            }
            drop(report);
            self.settle(done, reports.into_iter())
        });
        if result.as_ref().is_err_and(Error::is_full_disk) {
            missing.iter().try_for_each(|part| self.store.blobs().forget_partial(&part.blob.digest))?;
        }
        result
    }

    fn stored(&self) -> BTreeSet<Digest> {
        let stored = self.parts.iter().filter(|part| part.coming.feed.is_whole());
        stored.map(|part| part.blob.digest).collect()
    }

    /// What every thread does: one piece of work after the other.
    fn each<T>(
        &self,
        works: &[T],
        next: &AtomicUsize,
        report: Sender<Report>,
        work: impl Fn(&T) -> Option<Result<Report>>,
    ) {
        while let Some(one) = works.get(next.fetch_add(1, Ordering::Relaxed)) {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            let failed = match work(one) {
                None => continue,
                // Who has heard of a failure may listen no more.
                Some(Ok(done)) => report.send(done).is_err(),
                Some(Err(error)) => report.send(Report::Failed(error)).is_ok(),
            };
            if failed {
                self.stop();
            }
        }
    }

    /// Nobody need go on, and nobody is to wait for what comes no more.
    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.parts.iter().for_each(|part| part.coming.feed.give_up());
    }

    fn download(&self, part: &Part<'_>) -> Result<Report> {
        self.fetch.blob(part.blob, Some(&part.coming.feed), &|step| (self.tell)(part.blob, step))?;
        (self.tell)(part.blob, Step::DownloadComplete);
        part.coming.told.store(true, Ordering::Relaxed);
        Ok(Report::Fetched(part.blob.digest))
    }

    /// Unpacks a layer while its blob comes. None: it does not come, which somebody else tells.
    fn unpack(&self, index: usize) -> Option<Result<Report>> {
        let (part, layer) = (&self.parts[index], &self.layers[index]);
        let claim = part.claim.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let follower = part.coming.feed.follow()?;
            let beginning = follower.beginning();
            let watched = Watched { inner: follower, part, pipeline: self, count: 0, told: Instant::now() };
            let done = claim.as_ref()?.unpack(layer, watched).map_err(Error::from);
            if (self.fetch.cancelled)() {
                return Some(Err(Error::Cancelled));
            }
            // That will not be better with other bytes.
            if done.as_ref().is_err_and(Error::is_full_disk) {
                return Some(done.map(|()| Report::Unpacked(index)));
            }
            // What is wrong with an archive is only of interest if it is the one that was asked for.
            match part.coming.feed.outcome(beginning) {
                Outcome::Stored => return Some(done.map(|()| Report::Unpacked(index))),
                Outcome::Anew => {}
                Outcome::GivenUp => return None,
            }
        }
    }

    /// Puts the layers into their places as they are done, and returns the first failure.
    fn settle(&self, mut done: Done, reports: impl Iterator<Item = Report>) -> Result<()> {
        let mut failure = self.register(&mut done).err();
        for report in reports {
            match report {
                Report::Fetched(digest) => _ = done.fetched.insert(digest),
                Report::Unpacked(index) => _ = done.unpacked.insert(index),
                Report::Failed(error) => failure = failure.or(Some(error)),
            }
            if failure.is_none() {
                failure = self.register(&mut done).err();
            }
            if failure.is_some() {
                self.stop();
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Puts what can be into its place: the next layer, once its blob is verified and it is unpacked.
    fn register(&self, done: &mut Done) -> Result<()> {
        while let Some(part) = self.parts.get(done.registered) {
            let index = done.registered;
            if !done.fetched.contains(&part.blob.digest) || part.claimed && !done.unpacked.contains(&index) {
                return Ok(());
            }
            if !part.old {
                (self.tell)(part.blob, Step::Extracting { current: part.blob.size, total: part.blob.size });
            }
            match part.claim.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(claim) => claim.register(&self.layers[index], &self.places[..index])?,
                // It is there, or will be when somebody else is done with it.
                None => _ = self.store.unpacked().ensure(self.store.blobs(), &self.layers[..=index])?,
            }
            if !part.old {
                (self.tell)(part.blob, Step::PullComplete);
            }
            done.registered += 1;
        }
        Ok(())
    }
}

/// Tells how far an unpacking is whose download is complete, and breaks it off when nobody wants it any more.
struct Watched<'p, R> {
    inner: R,
    part: &'p Part<'p>,
    pipeline: &'p Pipeline<'p>,
    count: u64,
    told: Instant,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.pipeline.fetch.cancelled)() {
            return Err(io::Error::other("nobody wants it any more"));
        }
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        if self.told.elapsed() > TELL && self.part.coming.told.load(Ordering::Relaxed) {
            self.told = Instant::now();
            let (blob, current) = (self.part.blob, self.count);
            (self.pipeline.tell)(blob, Step::Extracting { current, total: blob.size });
        }
        Ok(count)
    }
}
