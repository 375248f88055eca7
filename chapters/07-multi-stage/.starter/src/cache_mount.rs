//! `RUN --mount=type=cache`: a folder that outlives the build, for what a command would else fetch or compute anew.
//!
//! `<data root>/build-cache/mounts/<digest>/1` is the folder; `2` and further ones are there where several wanted one of their
//! own at the same time. Beside them, `key` says in words what the digest is of. Whoever uses a folder holds a flock(2) on it:
//! shared, or alone. The lock of one who died is free at once.

use crate::error::{Error, Result};
use crate::owner;
use build::cancel::Cancel;
use build::instruction::{Mount, Sharing};
use build::source::Guard;
use layers::Digest;
use rustix::fs::{CWD, Mode, fchmod};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

/// How long to sleep before looking again whether a folder has become free.
const PATIENCE: Duration = Duration::from_millis(50);
const KEY: &str = "key";
/// A folder that is not whole yet.
const BEGUN: &str = "begun";

/// The folders of a data root: `<data root>/build-cache/mounts`.
#[derive(Clone, Debug)]
pub struct CacheMounts {
    folder: PathBuf,
}

/// A folder in use.
#[derive(Debug)]
pub struct CacheFolder {
    pub path: PathBuf,
    /// The folder, open and locked.
    pub handle: File,
}

impl Guard for CacheFolder {}

/// What a cache mount's folder is shared by: two mounts that say the same here get the same folder, in whatever stage,
/// Dockerfile or build they are. That is
///
/// * the `id`, and where there is none the target as it is written, but without what does not matter in a path
///   ([`cleaned`]);
/// * what it begins with, where it begins with something: the content of `from` and the `source` in it;
/// * the owner and mode that it is made with, where they are given.
///
/// One line for each of them. How it is shared (`sharing`) is no part of it, else a step that shares and one that wants it for
/// itself would not see the same files.
pub fn shared_by(mount: &Mount, from: Option<Digest>) -> String {
    // exercise: 7.5 shared_by: what two cache mounts must have in common to be one folder
    todo!("exercise 7.5, shared_by: what two cache mounts must have in common to be one folder")
    // end exercise
}

/// A path without what does not matter: `/a//b/./c/` is `/a/b/c`.
pub fn cleaned(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

impl CacheMounts {
    /// Those beneath this folder of build caches, which need not exist.
    #[must_use]
    pub fn new(cache: &Path) -> Self {
        Self { folder: cache.join("mounts") }
    }

    /// A folder for this mount. A new one is filled by `begin`. Waits until it is free, where it is to be `locked`.
    ///
    /// # Errors
    /// It cannot be made or filled, or the build is cancelled meanwhile.
    pub fn open(
        &self,
        mount: &Mount,
        key: &str,
        cancel: &Cancel,
        begin: &dyn Fn(&Path) -> Result<()>,
    ) -> Result<CacheFolder> {
        let place = self.folder.join(Digest::of(key.as_bytes()).hex());
        let failed = |source| Error::Cache { path: place.clone(), source };
        loop {
            // While one looks and makes, nobody else does.
            let turn = self.turn(&place, key).map_err(failed)?;
            let (free, next) = free(&place, mount.sharing).map_err(failed)?;
            match free {
                Some(folder) => return Ok(folder),
                // There is one, and all who lock it use the same: it has to become free.
                None if mount.sharing == Sharing::Locked && next > 1 => drop(turn),
                None => {
                    let begun = place.join(BEGUN);
                    make(&begun, mount).map_err(failed)?;
                    begin(&begun)?;
                    fs::rename(&begun, place.join(next.to_string())).map_err(failed)?;
                    continue;
                }
            }
            if cancel.is_cancelled() {
                return Err(build::Error::Cancelled.into());
            }
            thread::sleep(PATIENCE);
        }
    }

    /// Takes hold of the place of a key, making it where it is missing.
    fn turn(&self, place: &Path, key: &str) -> io::Result<File> {
        loop {
            fs::create_dir_all(place)?;
            let turn = match File::open(place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                turn => turn?,
            };
            turn.lock()?;
            // It may have been removed while we waited.
            if is_still(&turn, place) {
                fs::write(place.join(KEY), key)?;
                return Ok(turn);
            }
        }
    }

    /// All there are.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>> {
        let failed = |source| Error::Cache { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut all = Vec::new();
        for entry in entries.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| Digest::from_hex(name).ok()) else { continue };
            let key = entry.path().join(KEY);
            let used = fs::metadata(&key).and_then(|status| status.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            // A figure to get an idea by: what cannot be read is not counted.
            let bytes = layers::history::folder_size(&entry.path()).unwrap_or_default();
            all.push(Listed { id, key: fs::read_to_string(key).unwrap_or_default(), bytes, used });
        }
        Ok(all)
    }

    /// Removes the folders of one of them that nobody uses. Returns how many bytes that were, and whether all of it is gone.
    ///
    /// # Errors
    /// Something is there and stays.
    pub fn remove(&self, id: &Digest) -> Result<(u64, bool)> {
        let path = self.folder.join(id.hex());
        remove_place(&path).map_err(|source| Error::Cache { path, source })
    }
}

/// A cache mount that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Of what it is shared by.
    pub id: Digest,
    /// What it is shared by, in words: see [`shared_by`].
    pub key: String,
    pub bytes: u64,
    /// When it was last asked for.
    pub used: SystemTime,
}

/// The first folder that may be used, and the number that the next one would have.
fn free(place: &Path, sharing: Sharing) -> io::Result<(Option<CacheFolder>, usize)> {
    for number in 1.. {
        let path = place.join(number.to_string());
        let handle = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, number)),
            handle => handle?,
        };
        let locked = match sharing {
            Sharing::Shared => handle.try_lock_shared(),
            Sharing::Private | Sharing::Locked => handle.try_lock(),
        };
        match locked {
            Ok(()) => return Ok((Some(CacheFolder { path, handle }), number)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok((None, 1))
}

/// A new folder, in the place of what a killed build may have left.
fn make(folder: &Path, mount: &Mount) -> io::Result<()> {
    remove(folder)?;
    fs::create_dir(folder)?;
    let handle = File::open(folder)?;
    if mount.uid.is_some() || mount.gid.is_some() {
        owner::give(CWD, folder, mount)?;
    }
    Ok(fchmod(&handle, Mode::from_raw_mode(mount.mode.unwrap_or(0o755) & 0o7777))?)
}

/// Removes the folders of one key that nobody uses, and then the place itself.
fn remove_place(place: &Path) -> io::Result<(u64, bool)> {
    let turn = File::open(place)?;
    match turn.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok((0, false)),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (mut bytes, mut in_use) = (0, false);
    for entry in fs::read_dir(place)?.flatten() {
        let path = entry.path();
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let folder = File::open(&path)?;
        match folder.try_lock() {
            Ok(()) => {
                // A figure to get an idea by: what cannot be read is not counted.
                bytes += layers::history::folder_size(&path).unwrap_or_default();
                remove(&path)?;
            }
            Err(TryLockError::WouldBlock) => in_use = true,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    if !in_use {
        fs::remove_dir_all(place)?;
    }
    Ok((bytes, !in_use))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the path still leads to this folder.
fn is_still(folder: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    folder.metadata().ok().map(identity) == fs::metadata(path).ok().map(identity)
}
