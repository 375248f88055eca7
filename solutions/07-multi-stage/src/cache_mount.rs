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
    let target = mount.target.as_deref().unwrap_or_default();
    let mut key = match &mount.id {
        Some(id) if !id.is_empty() => format!("id {id}\n"),
        _ => format!("id {}\n", cleaned(target)),
    };
    if let Some(from) = from {
        key += &format!("from {from} {}\n", cleaned(mount.source.as_deref().unwrap_or("/")));
    }
    if let Some(mode) = mount.mode {
        key += &format!("mode {mode:o}\n");
    }
    for (name, id) in [("uid", mount.uid), ("gid", mount.gid)] {
        if let Some(id) = id {
            key += &format!("{name} {id}\n");
        }
    }
    key
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::mpsc;

    fn cache(sharing: Sharing) -> Mount {
        Mount { target: Some("/c".into()), sharing, ..Mount::default() }
    }

    struct Ground {
        folder: tempfile::TempDir,
        caches: CacheMounts,
        cancel: Cancel,
    }

    impl Ground {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { caches: CacheMounts::new(folder.path()), folder, cancel: Cancel::new().unwrap() }
        }

        fn open(&self, sharing: Sharing) -> Result<CacheFolder> {
            self.caches.open(&cache(sharing), "key", &self.cancel, &|_| Ok(()))
        }

        fn number(&self, sharing: Sharing) -> (String, CacheFolder) {
            let folder = self.open(sharing).unwrap();
            (folder.path.file_name().unwrap().to_str().unwrap().to_owned(), folder)
        }
    }

    #[test]
    fn who_shares_gets_the_same_and_who_does_not_another() {
        let ground = Ground::new();
        let (one, _shared) = ground.number(Sharing::Shared);
        let (again, _too) = ground.number(Sharing::Shared);
        let (own, private) = ground.number(Sharing::Private);
        assert_eq!((one.as_str(), again.as_str(), own.as_str()), ("1", "1", "2"));
        // It is kept, and the next who wants one gets it.
        fs::write(private.path.join("x"), "kept").unwrap();
        drop(private);
        let (next, private) = ground.number(Sharing::Private);
        assert_eq!((next.as_str(), fs::read_to_string(private.path.join("x")).unwrap().as_str()), ("2", "kept"));
        assert_eq!(ground.number(Sharing::Private).0, "3");
    }

    #[test]
    fn who_locks_waits() {
        let ground = Ground::new();
        let (number, first) = ground.number(Sharing::Locked);
        assert_eq!(number, "1");
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let (number, _second) = ground.number(Sharing::Locked);
                send.send(number).unwrap();
            });
            assert!(receive.recv_timeout(PATIENCE * 3).is_err(), "the first still has it");
            drop(first);
            assert_eq!(receive.recv_timeout(Duration::from_secs(20)).unwrap(), "1");
        });
    }

    #[test]
    fn who_waits_can_be_told_to_stop() {
        let ground = Ground::new();
        let _first = ground.open(Sharing::Locked).unwrap();
        ground.cancel.cancel();
        assert_eq!(ground.open(Sharing::Locked).unwrap_err().to_string(), "context canceled");
    }

    #[test]
    fn a_new_one_is_filled_once_and_whole() {
        let ground = Ground::new();
        let open = |begin: &dyn Fn(&Path) -> Result<()>| {
            ground.caches.open(&Mount { mode: Some(0o700), ..cache(Sharing::Shared) }, "key", &ground.cancel, begin)
        };
        let fails = |folder: &Path| {
            fs::write(folder.join("half"), "").unwrap();
            Err(Error::Origin("no".to_owned()))
        };
        assert_eq!(open(&fails).unwrap_err().to_string(), "no");
        let folder = open(&|folder| {
            fs::write(folder.join("whole"), "").unwrap();
            Ok(())
        });
        let folder = folder.unwrap();
        assert!(folder.path.join("whole").exists() && !folder.path.join("half").exists());
        assert_eq!(fs::metadata(&folder.path).unwrap().mode() & 0o7777, 0o700);
        drop(folder);
        open(&fails).unwrap();
    }

    #[test]
    fn what_nobody_uses_can_be_removed() {
        let ground = Ground::new();
        assert_eq!(ground.caches.list().unwrap(), []);
        let remove = || {
            let all = ground.caches.list().unwrap().into_iter();
            all.map(|listed| (listed.key.contains("other"), ground.caches.remove(&listed.id).unwrap()))
                .collect::<BTreeMap<_, _>>()
        };
        let (_, used) = ground.number(Sharing::Private);
        fs::write(ground.number(Sharing::Private).1.path.join("x"), "12345").unwrap();
        let other = ground.caches.open(&cache(Sharing::Shared), "other", &ground.cancel, &|_| Ok(())).unwrap();
        drop(other);
        assert_eq!(remove(), [(false, (5, false)), (true, (0, true))].into());
        assert!(used.path.exists());
        assert_eq!(ground.number(Sharing::Private).0, "2");
        drop(used);
        assert_eq!(remove(), [(false, (0, true))].into());
        assert_eq!(fs::read_dir(ground.folder.path().join("mounts")).unwrap().count(), 0);
        assert_eq!(ground.number(Sharing::Private).0, "1");
    }
}
