//! Unpacked layers, shared by all images and containers: `layers/<chain id>/fs`.
//!
//! A layer is unpacked beside its place and renamed into it, so `fs` is there whole or not at all. Whoever unpacks
//! holds a flock(2) on the layer's folder: a second one waits and finds the work done, and the lock of one who died
//! is free at once, with leftovers that the next removes.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::fs::{Gid, Mode, OFlags, Uid, fremovexattr};
use rustix::io::Errno;

use crate::attributes::{Attributes, Writer};
use crate::blob::Blobs;
use crate::compression;
use crate::digest::{Digest, HashingReader, chain_ids};
use crate::error::{Error, Fault, Result};
use crate::pack;
use crate::unpack::{self, Limits, Options, Whiteouts};
use crate::unsynced;

const FINAL: &str = "fs";
const PARTIAL: &str = "fs.partial";

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
        let mut missing = Vec::new();
        for (index, path) in paths.iter().enumerate() {
            if !is_there(path)? {
                missing.push(index);
            }
        }
        if missing.is_empty() {
            return Ok(paths);
        }
        // Always locked from the lowest up: two images that share layers share the lowest ones, so nobody waits for
        // somebody who waits for them.
        let mut works = Vec::new();
        for index in missing {
            let lock = self.lock(&chain[index])?;
            if !is_there(&paths[index])? {
                // Half of it, after a power cut.
                remove_all(&paths[index])?;
                works.push(Work {
                    layer: &layers[index],
                    lower: &paths[..index],
                    place: &paths[index],
                    implied: Mutex::default(),
                    _lock: lock,
                });
            }
        }
        let results = in_parallel(&works, |work| work.unpack(blobs, self.limits));
        // What lies below a refused layer is whole; what lies above it is not worth a chain that nobody can use.
        let whole = results.iter().take_while(|result| result.is_ok()).count();
        let registered = register(&works[..whole]);
        let refused = results.into_iter().find_map(Result::err);
        match registered.err().or(refused) {
            None => Ok(paths),
            Some(error) => {
                clean_up(&works);
                Err(error)
            }
        }
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
        let folder = self.folder.join(chain_id.hex());
        loop {
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Error::io("create", folder)(error));
                }
                _ => {}
            }
            let lock = match File::open(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                result => result.map_err(Error::io("open", &folder))?,
            };
            lock.lock().map_err(Error::io("lock", &folder))?;
            if is_still(&lock, &folder) {
                return Ok(lock);
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

/// A layer that is missing, locked.
struct Work<'a> {
    layer: &'a Layer,
    /// The folders of the layers below it.
    lower: &'a [PathBuf],
    place: &'a Path,
    /// Its folders without an entry of their own, once it is unpacked.
    implied: Mutex<Vec<PathBuf>>,
    _lock: File,
}

impl Work<'_> {
    fn partial(&self) -> PathBuf {
        self.place.with_file_name(PARTIAL)
    }

    /// Unpacks the blob beside its place, and compares its diff ID.
    fn unpack(&self, blobs: &Blobs, limits: Limits) -> Result<()> {
        let name = self.layer.digest.to_string();
        let blob = blobs.path(&self.layer.digest);
        let partial = self.partial();
        tracing::info!(
            target: "explain", man = "tar(5)",
            shell = %format!("tar --xattrs -xf {} -C {}", blob.display(), self.place.display()),
            "unpack layer {} once, for all images and containers that share it", self.layer.digest.short()
        );
        let fault = |fault: Fault| fault.at(&name, b"");
        // The bytes decide, whatever the media type says: Docker pushes on what came uncompressed, and calls it gzipped. The
        // diff ID proves that it is the layer.
        let stream = compression::decompress(blobs.read(&self.layer.digest)?, "");
        let stream = HashingReader::new(stream.map_err(Fault::Source).map_err(fault)?);
        let mut stream = io::BufReader::with_capacity(128 * 1024, stream);

        remove_all(&partial)?;
        let root = create_root(&partial)?;
        let options = Options { layer: &name, whiteouts: Whiteouts::Overlay, limits, owner: None };
        let unpacked = unpack::unpack(&mut stream, root.as_fd(), &options)?;
        let (found, _) = stream.into_inner().finish();
        if found != self.layer.diff_id {
            return Err(Error::WrongDiffId { layer: name, expected: self.layer.diff_id, found });
        }
        for note in &unpacked.notes {
            // No warning: as an ordinary user with a single ID nearly every image has some, and runs all the same.
            tracing::info!("layer {name}: {note}");
        }
        *self.implied.lock().unwrap_or_else(PoisonError::into_inner) = unpacked.implied;
        Ok(())
    }
}

/// Whether a layer is unpacked, and whole.
fn is_there(place: &Path) -> Result<bool> {
    Ok(place.is_dir() && unsynced::is_whole(place)?)
}

/// Puts unpacked layers in their places, the lowest first.
fn register(works: &[Work<'_>]) -> Result<()> {
    for work in works {
        let partial = work.partial();
        let root = File::open(&partial).map_err(Error::io("open", &partial))?;
        for folder in work.implied.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let name = folder.as_os_str().as_encoded_bytes();
            inherit(root.as_fd(), folder, work.lower)
                .map_err(|fault| fault.at(&work.layer.digest.to_string(), name))?;
        }
    }
    works.iter().try_for_each(|work| {
        let partial = work.partial();
        unsynced::note(&partial, work.place)?;
        fs::rename(&partial, work.place).map_err(Error::io("rename", &partial))
    })
}

/// A folder without an entry of its own would hide the owner and mode that the layers below gave it (`/tmp`, say): so
/// it takes them over.
fn inherit(root: BorrowedFd<'_>, path: &Path, lower: &[PathBuf]) -> Result<(), Fault> {
    for layer in lower.iter().rev() {
        // The layers below may still be on their way to their places, too.
        let partial = layer.with_file_name(PARTIAL);
        let layer =
            File::open(if layer.is_dir() { layer } else { &partial }).map_err(Fault::step("open a layer below"))?;
        match pack::open(layer.as_fd(), path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(folder) => {
                let wanted = Attributes::read(folder.as_fd()).map_err(Fault::step("examine its folder below"))?;
                let own = pack::open(root, path, OFlags::RDONLY | OFlags::DIRECTORY);
                let own = own.map_err(Fault::step("open its folder"))?;
                return Writer::new(true).write(own.as_fd(), path.as_os_str().as_encoded_bytes(), &wanted, None);
            }
            Err(Errno::NOENT) => {}
            // Something else is in its place, and hides what is further below.
            Err(_) => break,
        }
    }
    Ok(())
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

fn remove_all(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Leaves nothing of what was not registered.
fn clean_up(works: &[Work<'_>]) {
    for work in works.iter().filter(|work| !work.place.exists()) {
        if let Err(error) = work.place.parent().map_or(Ok(()), remove_all) {
            // No reason to hide the first error: the next who wants the layer removes it.
            tracing::warn!("{error}");
        }
    }
}

/// Whether the path still leads to this folder, or somebody removed it while we waited for its lock.
fn is_still(folder: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    folder.metadata().ok().map(identity) == fs::symlink_metadata(path).ok().map(identity)
}

/// Does all of the work on as many threads as there are processors. Results are in the order of the work.
fn in_parallel<'a, T: Send>(works: &'a [Work<'a>], task: impl Fn(&Work<'a>) -> Result<T> + Sync) -> Vec<Result<T>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(works.len());
    if threads <= 1 {
        return works.iter().map(task).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<T>)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(work) = works.get(index) else { break };
                    let result = task(work);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
