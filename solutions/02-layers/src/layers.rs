//! Unpacked layers, shared by all images and containers: `layers/<chain id>/fs`.
//!
//! A layer is unpacked beside its place and renamed into it, so `fs` is there whole or not at all. Whoever unpacks
//! holds a flock(2) on the layer's folder: a second one waits and finds the work done, and the lock of one who died
//! is free at once, with leftovers that the next removes.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::fs::{Gid, Mode, Uid, fremovexattr};
use rustix::io::Errno;

use crate::attributes::Attributes;
use crate::blob::Blobs;
use crate::digest::{Digest, chain_ids};
use crate::error::{Error, Result};
use crate::staging::{Claim, PARTIAL};
use crate::unpack::Limits;
use crate::unsynced;

const FINAL: &str = "fs";

/// A layer of an image: the blob that holds it, and what it has to unpack to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The blob, as the manifest names it.
    pub digest: Digest,
    /// As the manifest says; how the blob is compressed, its first bytes say.
    pub media_type: String,
    /// The digest of the uncompressed tar, as the image's config names it.
    pub diff_id: Digest,
}

/// The folder of all unpacked layers.
#[derive(Debug, Clone)]
pub struct Layers {
    folder: PathBuf,
    limits: Limits,
}

impl Layers {
    /// Opens `<data root>/layers`, making it where missing.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Layers> {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        Ok(Layers { folder: folder.to_path_buf(), limits: Limits::default() })
    }

    /// Refuses archives that unpack to more than this.
    pub fn with_limits(self, limits: Limits) -> Layers {
        Layers { limits, ..self }
    }

    /// The folder of an unpacked layer, or where it would be.
    pub fn path(&self, chain_id: &Digest) -> PathBuf {
        self.folder.join(chain_id.hex()).join(FINAL)
    }

    /// The folders of these layers (lowest first, as an image lists them), unpacking those that are missing.
    ///
    /// # Errors
    /// If a blob is missing, or its archive refused: nothing of that layer or of those above it is kept then.
    pub fn ensure(&self, blobs: &Blobs, layers: &[Layer]) -> Result<Vec<PathBuf>> {
        let chain = chain_ids(&layers.iter().map(|layer| layer.diff_id).collect::<Vec<_>>());
        let paths: Vec<_> = chain.iter().map(|chain_id| self.path(chain_id)).collect();
        let mut works = Vec::new();
        for (index, (layer, chain_id)) in layers.iter().zip(&chain).enumerate() {
            works.extend(self.claim(chain_id)?.map(|claim| Work { index, layer, claim }));
        }
        let mut works = in_parallel(works, |work| self.unpack(blobs, work.layer, &work.claim)).into_iter().peekable();
        // What lies below a refused layer is whole; what lies above it is not worth a chain that nobody can use.
        for (index, path) in paths.iter().enumerate() {
            match works.next_if(|(work, _)| work.index == index) {
                Some((work, done)) => done.and_then(|()| work.claim.register(work.layer, &paths[..index]))?,
                None if is_there(path)? => {}
                // Somebody else was at it. Who waits here holds no layer that is below this one, but only such as are
                // above it: so no two wait for each other.
                None => {
                    if let Some(claim) = self.claim_locked(&chain[index], self.lock(&chain[index])?)? {
                        self.unpack(blobs, &layers[index], &claim)?;
                        claim.register(&layers[index], &paths[..index])?;
                    }
                }
            }
        }
        Ok(paths)
    }

    /// The right to unpack a layer. None: it is there, or somebody else is at it; [`Layers::ensure`] waits for them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn claim(&self, chain_id: &Digest) -> Result<Option<Claim>> {
        if self.contains(chain_id)? {
            return Ok(None);
        }
        match self.try_lock(chain_id)? {
            Some(lock) => self.claim_locked(chain_id, lock),
            None => Ok(None),
        }
    }

    fn claim_locked(&self, chain_id: &Digest, lock: File) -> Result<Option<Claim>> {
        let place = self.path(chain_id);
        if is_there(&place)? {
            return Ok(None);
        }
        // Half of it, after a power cut.
        remove_all(&place)?;
        Ok(Some(Claim::new(place, lock, self.limits)))
    }

    fn unpack(&self, blobs: &Blobs, layer: &Layer, claim: &Claim) -> Result<()> {
        claim.unpack(layer, blobs.read(&layer.digest)?)
    }

    /// Takes in a folder that is what the layer of this chain ID unpacks to, by renaming it. If the layer is there already,
    /// the folder stays where it is, and is of no more use.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn adopt(&self, chain_id: &Digest, folder: &Path) -> Result<()> {
        let _lock = self.lock(chain_id)?;
        let place = self.path(chain_id);
        if is_there(&place)? {
            return Ok(());
        }
        remove_all(&place)?;
        reset_root(folder)?;
        unsynced::note(folder, &place)?;
        fs::rename(folder, &place).map_err(Error::io("rename", folder))
    }

    /// Whether a layer is unpacked, and whole.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn contains(&self, chain_id: &Digest) -> Result<bool> {
        is_there(&self.path(chain_id))
    }

    /// Locks the folder of a layer, making it where missing.
    fn lock(&self, chain_id: &Digest) -> Result<File> {
        loop {
            let (folder, lock) = self.open_folder(chain_id)?;
            lock.lock().map_err(Error::io("lock", &folder))?;
            if is_still(&lock, &folder) {
                return Ok(lock);
            }
        }
    }

    /// The same; None if somebody has locked it.
    fn try_lock(&self, chain_id: &Digest) -> Result<Option<File>> {
        loop {
            let (folder, lock) = self.open_folder(chain_id)?;
            match lock.try_lock() {
                Ok(()) if is_still(&lock, &folder) => return Ok(Some(lock)),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", folder)(error)),
            }
        }
    }

    fn open_folder(&self, chain_id: &Digest) -> Result<(PathBuf, File)> {
        let folder = self.folder.join(chain_id.hex());
        loop {
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Error::io("create", folder)(error));
                }
                _ => {}
            }
            match File::open(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => return result.map_err(Error::io("open", &folder)).map(|lock| (folder, lock)),
            }
        }
    }

    /// Removes an unpacked layer; it can be unpacked again from its blob. The caller knows that no container uses it.
    ///
    /// # Errors
    /// If it is there and stays.
    pub fn remove(&self, chain_id: &Digest) -> Result<()> {
        let folder = self.folder.join(chain_id.hex());
        if !folder.is_dir() {
            return Ok(());
        }
        let _lock = self.lock(chain_id)?;
        // First the name, so that nobody finds half a layer.
        let partial = folder.join(PARTIAL);
        remove_all(&partial)?;
        match fs::rename(folder.join(FINAL), &partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", &folder)(error)),
            _ => remove_all(&folder),
        }
    }

    /// The chain IDs of all unpacked layers, and of those begun and left.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Digest>> {
        let entries = fs::read_dir(&self.folder).map_err(Error::io("read", &self.folder))?;
        Ok(entries.flatten().filter_map(|entry| Digest::from_hex(entry.file_name().to_str()?).ok()).collect())
    }
}

/// A layer that is missing.
struct Work<'a> {
    index: usize,
    layer: &'a Layer,
    claim: Claim,
}

/// Whether a layer is unpacked, and whole.
fn is_there(place: &Path) -> Result<bool> {
    Ok(place.is_dir() && unsynced::is_whole(place)?)
}

/// No layer says anything of its own root (see [`crate::pack`]): whatever was done to this one is undone.
fn reset_root(path: &Path) -> Result<()> {
    let root = File::open(path).map_err(Error::io("open", path))?;
    let failed = |errno: Errno| Error::io("reset the attributes of", path)(errno.into());
    let found = Attributes::read(root.as_fd()).map_err(failed)?;
    // All others belong to the filesystem or a security module of the host.
    for (name, _) in found.xattrs.iter().filter(|(name, _)| name.starts_with("user.")) {
        fremovexattr(&root, name).map_err(failed)?;
    }
    rustix::fs::fchown(&root, Some(Uid::ROOT), Some(Gid::ROOT)).map_err(failed)?;
    rustix::fs::fchmod(&root, Mode::from_raw_mode(0o755)).map_err(failed)
}

/// The root of a layer, empty.
pub(crate) fn create_root(path: &Path) -> Result<File> {
    fs::create_dir(path).map_err(Error::io("create", path))?;
    let root = File::open(path).map_err(Error::io("open", path))?;
    // A default ACL of the host would give every file of the layer another mode (acl(5)). Most folders have none.
    match fremovexattr(&root, "system.posix_acl_default") {
        Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => {}
        Err(errno) => return Err(Error::io("remove the default ACL of", path)(errno.into())),
    }
    rustix::fs::fchmod(&root, Mode::from_raw_mode(0o755))
        .map_err(|errno| Error::io("set the mode of", path)(errno.into()))?;
    Ok(root)
}

pub(crate) fn remove_all(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Whether the path still leads to this folder, or somebody removed it while we waited for its lock.
fn is_still(folder: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    folder.metadata().ok().map(identity) == fs::symlink_metadata(path).ok().map(identity)
}

/// Does all of the work on as many threads as there are processors. Results are in the order of the work.
fn in_parallel<'a>(works: Vec<Work<'a>>, task: impl Fn(&Work<'a>) -> Result<()> + Sync) -> Vec<(Work<'a>, Result<()>)> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(works.len());
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let run = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(work) = works.get(index) else { break };
            let result = task(work);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(run)));
        run();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    works.into_iter().zip(results.into_iter().map(|(_, result)| result)).collect()
}
