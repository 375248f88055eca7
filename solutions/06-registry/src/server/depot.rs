//! What the registry has: blobs, and a catalogue of manifests. Every change is on the disk before it is answered.

use super::answer::Refusal;
use super::catalogue::{Catalogue, Repository};
use super::document::Held;
use super::route::Which;
use super::sweep;
use super::uploads::Uploads;
use crate::error::{Error, Result};
use http::StatusCode;
use layers::{Blobs, Digest};
use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Everything that is kept.
#[derive(Debug)]
pub(super) struct Depot {
    pub blobs: Blobs,
    pub uploads: Uploads,
    catalogue: Mutex<Catalogue>,
    /// Nobody else serves this folder.
    _lock: File,
}

impl Depot {
    /// Opens the folder, making it where it is missing.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let blobs = Blobs::open(root)?;
        let path = root.join("registry.lock");
        let lock = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::file("open", &path))?;
        let taken = |_| "another registry serves this folder".to_owned();
        lock.try_lock().map_err(taken).map_err(Error::file("lock", &path))?;
        remove_leftovers(&blobs);
        let index = root.join("index.json");
        let catalogue = Mutex::new(Catalogue::read(&blobs).map_err(Error::file("read", index))?);
        let uploads = Uploads::open(&root.join("uploads"))?;
        Ok(Self { blobs, uploads, catalogue, _lock: lock })
    }

    pub(super) fn catalogue(&self) -> MutexGuard<'_, Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into a repository.
    pub(super) fn repository<T>(&self, name: &str, look: impl FnOnce(&Repository) -> T) -> Result<T, Refusal> {
        let catalogue = self.catalogue();
        let unknown = || Refusal::unknown("NAME_UNKNOWN", "repository name not known to registry");
        catalogue.repositories.get(name).map(look).ok_or_else(unknown)
    }

    /// Finds a manifest.
    pub(super) fn manifest(&self, name: &str, which: &Which) -> Result<(Digest, Arc<Held>), Refusal> {
        let unknown = || Refusal::unknown("MANIFEST_UNKNOWN", "manifest unknown");
        let found = self.repository(name, |repository| {
            let digest = match which {
                Which::Digest(digest) => *digest,
                Which::Tag(tag) => *repository.tags.get(tag)?,
            };
            Some((digest, repository.manifests.get(&digest)?.clone()))
        })?;
        found.ok_or_else(unknown)
    }

    /// Changes the catalogue: on disk first, then for everybody.
    fn change<T>(&self, change: impl FnOnce(&mut Catalogue) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut catalogue = self.catalogue();
        let mut next = catalogue.clone();
        let done = change(&mut next)?;
        next.write(self.blobs.layout()).map_err(|error| Refusal::disk("write index.json", &error))?;
        *catalogue = next;
        Ok(done)
    }

    /// Takes in a manifest. `whole`: all that it points at has to be here.
    pub(super) fn put_manifest(
        &self,
        name: &str,
        which: &Which,
        bytes: &[u8],
        held: Held,
        whole: bool,
    ) -> Result<Digest, Refusal> {
        let digest = Digest::of(bytes);
        if let Which::Digest(wanted) = which
            && *wanted != digest
        {
            return Err(Refusal::invalid("DIGEST_INVALID", "provided digest did not match uploaded content"));
        }
        self.blobs.put(bytes)?;
        self.change(|catalogue| {
            // It may have been garbage until now, and just been swept away: from here on, it is not.
            self.blobs.put(bytes)?;
            let repository = catalogue.repositories.entry(name.to_owned()).or_default();
            if whole {
                check(&held, repository, &self.blobs)?;
            }
            repository.manifests.insert(digest, Arc::new(held));
            if let Which::Tag(tag) = which {
                repository.tags.insert(tag.clone(), digest);
            }
            Ok(digest)
        })
    }

    /// Takes a tag away; or by digest a manifest, with all its tags.
    pub(super) fn delete_manifest(&self, name: &str, which: &Which) -> Result<(), Refusal> {
        let (digest, _) = self.manifest(name, which)?;
        self.change(|catalogue| {
            let Some(repository) = catalogue.repositories.get_mut(name) else { return Ok(()) };
            match which {
                Which::Tag(tag) => drop(repository.tags.remove(tag)),
                Which::Digest(_) => {
                    repository.manifests.remove(&digest);
                    repository.tags.retain(|_, of| *of != digest);
                }
            }
            if repository.manifests.is_empty() {
                catalogue.repositories.remove(name);
            }
            Ok(())
        })
    }

    /// Removes a blob that no manifest needs.
    pub(super) fn delete_blob(&self, digest: &Digest) -> Result<(), Refusal> {
        // While this is held, no manifest comes that needs it.
        let catalogue = self.catalogue();
        if !self.blobs.contains(digest) {
            return Err(Refusal::unknown("BLOB_UNKNOWN", "blob unknown to registry"));
        }
        if catalogue.reached().contains(digest) {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "DENIED",
                "a manifest needs this blob: delete that first",
            ));
        }
        Ok(self.blobs.remove(digest)?)
    }

    /// The same, if nobody has asked for it, or sent it, for so long.
    pub(super) fn delete_garbage(&self, digest: &Digest, longer_than: Duration) -> Result<(), Refusal> {
        // Judged while nobody can be promised it.
        let catalogue = self.catalogue();
        let status = fs::metadata(self.blobs.path(digest)).map_err(|error| Refusal::disk("examine a blob", &error))?;
        let age = status.modified().map(|touched| SystemTime::now().duration_since(touched).unwrap_or_default());
        if catalogue.reached().contains(digest) || !age.is_ok_and(|age| age > longer_than) {
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "DENIED", "somebody needs this blob"));
        }
        Ok(self.blobs.remove(digest)?)
    }

    /// A blob and its size, if it is here. Who asks may count on it for a while: the sweeper leaves what is young.
    pub(super) fn promise(&self, digest: &Digest) -> Result<Option<(File, u64)>, Refusal> {
        let file = match self.blobs.read(digest) {
            Err(layers::Error::NoSuchBlob(_)) => return Ok(None),
            file => file?,
        };
        let status = file.metadata().map_err(|error| Refusal::disk("examine a blob", &error))?;
        let age = status.modified().ok().and_then(|touched| touched.elapsed().ok());
        if age.is_none_or(|age| age > sweep::YOUNG / 10) {
            // It may be just about to be swept away: not while this is held.
            let _catalogue = self.catalogue();
            if !self.blobs.contains(digest) {
                return Ok(None);
            }
            // If this fails, the worst is that it has to be sent again.
            file.set_modified(SystemTime::now()).ok();
        }
        Ok(Some((file, status.len())))
    }
}

/// Removes the temporary files of who was killed: it was the only one here.
fn remove_leftovers(blobs: &Blobs) {
    for folder in [blobs.layout(), &blobs.layout().join("blobs/sha256")] {
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = file.file_name();
            // (If one stays, it takes up room, and that is all.)
            if name.to_str().is_some_and(|name| name.starts_with(".index-") || name.starts_with(".incoming-")) {
                fs::remove_file(file.path()).ok();
            }
        }
    }
}

/// Whether all that a manifest points at is here.
fn check(held: &Held, repository: &Repository, blobs: &Blobs) -> Result<(), Refusal> {
    let unknown = |digest: &Digest| {
        Refusal::unknown(
            "MANIFEST_BLOB_UNKNOWN",
            format!("manifest references a manifest or blob unknown to registry: {digest}"),
        )
    };
    for (digest, size) in &held.blobs {
        match blobs.size(digest) {
            Some(found) if found == *size => {}
            Some(found) => {
                let text = format!("the blob {digest} has {found} bytes, and not {size}");
                return Err(Refusal::invalid("SIZE_INVALID", text));
            }
            None => return Err(unknown(digest)),
        }
    }
    match held.manifests.iter().find(|digest| !repository.manifests.contains_key(digest)) {
        Some(missing) => Err(unknown(missing)),
        None => Ok(()),
    }
}
