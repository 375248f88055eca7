//! A mirror: what is asked for and not here is fetched from another registry, and kept.
//!
//! A tag may mean something else tomorrow, so it is looked up there, but not more often than once a minute; if that
//! registry is gone, what is here is good enough. What has a digest never changes, and is fetched once, however many
//! ask for it at the same time.

use super::Upstream;
use super::answer::Refusal;
use super::depot::Depot;
use super::document::Held;
use super::flight::Flights;
use super::route::Which;
use crate::api::Raw;
use crate::error::{Error, Result};
use crate::fetch::Fetch;
use crate::remote::Remote;
use layers::Digest;
use layers::manifest::Descriptor;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A tag that was looked up is good for so long.
const FRESH: Duration = Duration::from_secs(60);

/// Another registry, and what is being fetched from it.
#[derive(Debug)]
pub(super) struct Mirror {
    upstream: Upstream,
    remotes: Mutex<HashMap<String, Arc<Remote>>>,
    looked_up: Mutex<HashMap<(String, String), Instant>>,
    manifests: Flights<(String, Which), Result<(), Refusal>>,
    blobs: Flights<Digest, Result<(), Refusal>>,
}

impl Mirror {
    pub(super) fn new(upstream: Upstream) -> Self {
        let (remotes, looked_up, manifests, blobs) = Default::default();
        Self { upstream, remotes, looked_up, manifests, blobs }
    }

    /// Sees to it that a manifest is here, and that a tag means what it means there.
    pub(super) fn manifest(&self, depot: &Depot, name: &str, which: &Which) -> Result<(), Refusal> {
        let here = depot.manifest(name, which).is_ok();
        if here && self.is_fresh(name, which) {
            return Ok(());
        }
        let fetched = self.manifests.join(&(name.to_owned(), which.clone()), || {
            // Somebody may have been here while we were on our way.
            if depot.manifest(name, which).is_ok() && self.is_fresh(name, which) {
                return Ok(());
            }
            self.fetch_manifest(depot, name, which)
        });
        match fetched {
            // What is there says no to is not handed out; but it may be gone, or have trouble.
            Err(refusal) if here && refusal.status.is_server_error() => {
                tracing::info!("{name}: what is here is good enough: {}", refusal.message);
                Ok(())
            }
            fetched => fetched,
        }
    }

    fn fetch_manifest(&self, depot: &Depot, name: &str, which: &Which) -> Result<(), Refusal> {
        let wanted = match which {
            Which::Tag(tag) => tag.clone(),
            Which::Digest(digest) => digest.to_string(),
        };
        let Raw { bytes, media_type, .. } = self.remote(name)?.ask(|api| api.manifest(&wanted))?;
        let held = Held::read(&bytes, &media_type)?;
        depot.put_manifest(name, which, &bytes, held, false)?;
        if let Which::Tag(tag) = which {
            self.looked_up().insert((name.to_owned(), tag.clone()), Instant::now());
        }
        Ok(())
    }

    /// Sees to it that a blob is here.
    pub(super) fn blob(&self, depot: &Depot, name: &str, digest: &Digest) -> Result<(), Refusal> {
        if depot.blobs.contains(digest) {
            return Ok(());
        }
        self.blobs.join(digest, || {
            let remote = self.remote(name)?;
            let listed = depot.repository(name, |repository| {
                let mut blobs = repository.manifests.values().flat_map(|held| &held.blobs);
                blobs.find(|(blob, _)| blob == digest).map(|(_, size)| *size)
            });
            let unknown = || Refusal::unknown("BLOB_UNKNOWN", "blob unknown to registry");
            let size = match listed {
                Ok(Some(size)) => size,
                _ => remote.ask(|api| api.blob_size(digest))?.ok_or_else(unknown)?,
            };
            let patience = self.upstream.settings.patience;
            let fetch = Fetch { remote: &remote, blobs: &depot.blobs, patience, cancelled: &|| false };
            fetch.blob(&Descriptor::new("", *digest, size), None, &|_| ()).map_err(|error| match error {
                Error::Answer { status: 404, .. } => unknown(),
                error => error.into(),
            })
        })
    }

    /// The tags that a repository has there. None: that registry cannot be asked.
    pub(super) fn tags(&self, name: &str) -> Option<Vec<String>> {
        self.remote(name).ok()?.ask(|api| api.tags()).ok()
    }

    fn is_fresh(&self, name: &str, which: &Which) -> bool {
        match which {
            Which::Digest(_) => true,
            Which::Tag(tag) => {
                let looked_up = self.looked_up().get(&(name.to_owned(), tag.clone())).copied();
                looked_up.is_some_and(|at| at.elapsed() < FRESH)
            }
        }
    }

    fn looked_up(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Instant>> {
        self.looked_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The repository there; with its connections and passes, which are good for more than one request.
    fn remote(&self, name: &str) -> Result<Arc<Remote>> {
        let mut remotes = self.remotes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(remote) = remotes.get(name) {
            return Ok(remote.clone());
        }
        let Upstream { address, settings, credentials } = &self.upstream;
        let remote = Arc::new(Remote::at(settings, address, name, credentials.as_ref())?);
        remotes.insert(name.to_owned(), remote.clone());
        Ok(remote)
    }
}
