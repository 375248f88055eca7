//! A step that changes files: reused, or carried out and kept.

use super::Making;
use super::alone::alone;
use crate::cache::{self, Key, Place, reason};
use crate::error::{Error, Result};
use crate::instruction::Step;
use crate::progress::{Event, Stream};
use layers::{Digest, Draft, Made};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Instant;

/// What is to be done, and what it depends on.
pub(super) struct Work {
    pub key: Key,
    /// Told after `[2/3]`.
    pub shown: String,
    /// Lies below all layers meanwhile.
    pub skeleton: Option<PathBuf>,
    /// If it does not see what is below, and is the same upon anything (`COPY --link`): its key without what is before it.
    pub alone: Option<Key>,
}

impl Making<'_> {
    /// Takes the result of a step from the cache, or makes it: `make` gets the filesystem as it is so far, to change it, and the
    /// number of the step, to tell of it. It may find that what it made is to be remembered under another key. Whether there is one
    /// layer more.
    pub(super) fn files(
        &mut self,
        step: &Step,
        index: usize,
        work: Work,
        make: impl FnOnce(&Self, OwnedFd, usize) -> Result<Option<Key>>,
    ) -> Result<bool> {
        let id = self.build.counter.next();
        let begun = Instant::now();
        self.tell(Event::Reached { stage: self.plan.number, instruction: index, id: Some(id) });
        let name = self.numbers.next(self.triggered, &work.shown);
        self.tell(Event::Step { id, name });
        // ANCHOR: reuse
        let made = self.reused(id, &work).and_then(|reused| match reused {
            Some(layer) => Ok((layer, work.key.finish())),
            None => self.anew(id, step, work, make),
        });
        // ANCHOR_END: reuse
        let seconds = begun.elapsed().as_secs_f64();
        match made {
            Ok((layer, key)) => {
                self.tell(Event::Done { id, seconds });
                self.state.key = key;
                layer.iter().for_each(|layer| self.state.push(layer));
                Ok(layer.is_some())
            }
            Err(error) => {
                self.tell(Event::Failed { id, seconds, error: error.to_string() });
                Err(error)
            }
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            project: self.build.settings.project.clone(),
            stage: self.plan.name.to_owned(),
            step: self.numbers.reached(),
        }
    }

    /// The layer that the same step made before; or else the reason why not.
    fn reused(&mut self, id: usize, work: &Work) -> Result<Option<Option<Made>>> {
        let settings = self.build.settings;
        let below = self.state.chain_id();
        let why_not = if settings.no_cache {
            "--no-cache was given".to_owned()
        } else if settings.no_cache_filter.iter().any(|name| name.eq_ignore_ascii_case(self.plan.name)) {
            "--no-cache-filter names its stage".to_owned()
        } else if let Some(layer) = self.reused_alone(work)? {
            self.explain(id, || "with --link it depends on nothing before it".to_owned());
            self.tell(Event::Cached { id });
            return Ok(Some(layer));
        } else if let Some(before) = &self.state.anew {
            format!("{before} before it was built anew")
        } else if let Some(found) = cache::find(self.build.store, &work.key.finish(), below)? {
            self.explain(id, || "nothing that it depends on has changed".to_owned());
            self.tell(Event::Cached { id });
            return Ok(Some(found.layer));
        } else {
            let line = |name: &str| self.state.scope.line(name);
            let why = || reason::why_not(self.build.store, &work.key, &self.place(), below, &line);
            if settings.explain { why() } else { String::new() }
        };
        self.explain(id, || why_not);
        self.state.anew.get_or_insert_with(|| format!("step {}", self.numbers.reached()));
        Ok(None)
    }

    fn explain(&self, id: usize, text: impl FnOnce() -> String) {
        if self.build.settings.explain {
            self.tell(Event::Reason { id, text: text() });
        }
    }

    fn anew(
        &self,
        id: usize,
        step: &Step,
        work: Work,
        make: impl FnOnce(&Self, OwnedFd, usize) -> Result<Option<Key>>,
    ) -> Result<(Option<Made>, Digest)> {
        self.tell(Event::Begun { id });
        let store = self.build.store;
        let diff_ids = &self.state.image.rootfs.diff_ids;
        let chain = layers::digest::chain_ids(diff_ids);
        let seen = if work.alone.is_some() { &[] } else { chain.as_slice() };
        let layers = seen.iter().map(|chain_id| store.unpacked().path(chain_id));
        let lower = work.skeleton.iter().cloned().chain(layers).collect();
        let folder = self.build.folder.join(id.to_string());
        let draft = Draft::new(&folder, lower)?;
        let result = draft.mount().map_err(Error::from).and_then(|mount| make(self, mount, id));
        let sealed = result.and_then(|other| Ok((other, draft.seal(store, self.build.writing, diff_ids)?)));
        // Best without a trace; what stays goes with the folder of the build.
        if let Err(error) = fs::remove_dir_all(&folder) {
            tracing::debug!("{}: {error}", folder.display());
        }
        let (other, (layer, notes)) = sealed?;
        notes.into_iter().for_each(|note| self.note(id, note));
        let key = other.unwrap_or(work.key);
        cache::keep(store, &key, &self.place(), &step.text, self.state.chain_id(), layer.clone())?;
        if work.alone.is_some() {
            cache::keep(store, &alone(&key), &self.place(), &step.text, None, layer.clone())?;
        }
        Ok((layer, key.finish()))
    }

    /// Something that is no failure, and yet to be known.
    pub(super) fn note(&self, id: usize, note: String) {
        self.tell(Event::Output { id, stream: Stream::Stderr, text: note + "\n" });
    }
}
