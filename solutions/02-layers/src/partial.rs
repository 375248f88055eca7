//! A blob that comes in pieces: what has arrived of it stays when the sender fails, or we do, and the next one goes on
//! there.
//!
//! It waits in a folder of its own, `partial/<digest>`, where nobody takes it for a blob. Whoever writes to it holds a
//! flock(2) on it: of several that want the same blob, in one process or in many, one fetches it and the others find it
//! there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::blob::Blobs;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::feed::Feed;

/// Nobody goes on with a download after so long.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// A part of a blob: its first bytes, which may be all.
pub struct Partial {
    blobs: Blobs,
    digest: Digest,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    /// Who reads it while it comes, and their file: it must not be ours, which holds the lock.
    feed: Option<(Arc<Feed>, Arc<File>)>,
}

impl Blobs {
    /// What is there of a blob so far, perhaps nothing yet, for who brings the rest. None: all of it is in the store.
    ///
    /// If somebody else is bringing it, this waits until they are done or have given up; `waiting` is called before.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn partial(&self, digest: &Digest, waiting: &mut dyn FnMut()) -> Result<Option<Partial>> {
        let folder = self.partial_folder();
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let path = folder.join(digest.hex());
        while !self.contains(digest) {
            let file = OpenOptions::new().read(true).create(true).append(true).open(&path);
            let file = file.map_err(Error::io("open", &path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    waiting();
                    file.lock().map_err(Error::io("lock", &path))?;
                }
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
            }
            // Who held it has made a blob of it, or given up and removed it: then this is nobody's file any more.
            if !is_still(&file, &path) {
                continue;
            }
            let (blobs, hasher) = (self.clone(), Hasher::default());
            let mut partial = Partial { blobs, digest: *digest, path, file, hasher, feed: None };
            partial.hash_what_is_there()?;
            return Ok(Some(partial));
        }
        Ok(None)
    }

    /// Makes a blob of a file in this layout, by renaming it. Its bytes were hashed as they were written: whoever calls
    /// this knows that they are what the digest says.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn adopt(&self, digest: &Digest, file: &File, path: &Path) -> Result<()> {
        // Data before name: after a power cut a blob is whole, or absent.
        let mode = fs::Permissions::from_mode(0o644);
        file.set_permissions(mode).map_err(Error::io("set the mode of", path))?;
        file.sync_data().map_err(Error::io("sync", path))?;
        let place = self.path(digest);
        fs::rename(path, &place).map_err(Error::io("store", &place))?;
        let folder = place.parent().unwrap_or(Path::new("/"));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))
    }

    fn partial_folder(&self) -> PathBuf {
        self.layout().join("partial")
    }

    /// Removes what is there of a blob, unless somebody is bringing the rest: there is no room for it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn forget_partial(&self, digest: &Digest) -> Result<()> {
        let path = self.partial_folder().join(digest.hex());
        match File::open(&path) {
            Ok(file) if file.try_lock().is_ok() && is_still(&file, &path) => {
                fs::remove_file(&path).map_err(Error::io("remove", path))
            }
            _ => Ok(()),
        }
    }

    /// Removes parts that nobody has added to for a day, and nobody holds.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sweep_partial(&self) -> Result<()> {
        let folder = self.partial_folder();
        let entries = match fs::read_dir(&folder) {
            // Nothing was ever fetched.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Error::io("read", &folder))?,
        };
        for entry in entries.flatten() {
            let touched = entry.metadata().and_then(|status| status.modified());
            let age = touched.map(|touched| SystemTime::now().duration_since(touched).unwrap_or_default());
            if age.is_ok_and(|age| age > FORGOTTEN)
                && let Ok(file) = File::open(entry.path())
                && file.try_lock().is_ok()
            {
                fs::remove_file(entry.path()).map_err(Error::io("remove", entry.path()))?;
            }
        }
        Ok(())
    }
}

impl Partial {
    /// How many bytes are there.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.hasher.size()
    }

    /// Lets somebody read it while it comes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn feeding(mut self, feed: &Arc<Feed>) -> Result<Self> {
        let file = Arc::new(File::open(&self.path).map_err(Error::io("open", &self.path))?);
        feed.begin(file.clone(), self.size());
        self.feed = Some((feed.clone(), file));
        Ok(self)
    }

    /// Throws away what is there: it is not what it should be, or the sender begins again.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).map_err(Error::io("truncate", &self.path))?;
        self.hasher = Hasher::default();
        if let Some((feed, file)) = &self.feed {
            feed.begin(file.clone(), 0);
        }
        Ok(())
    }

    /// Makes it a blob, if it is the one: only now has it the name under which others find it.
    ///
    /// # Errors
    /// [`Error::WrongSize`], [`Error::WrongDigest`]: then nothing of it is kept.
    pub fn commit(mut self, size: u64) -> Result<()> {
        let (found_size, found) = (self.hasher.size(), self.hasher.clone().finish());
        let refused = if found_size != size {
            Some(Error::WrongSize { expected: size, found: found_size })
        } else if found != self.digest {
            Some(Error::WrongDigest { expected: self.digest, found })
        } else {
            None
        };
        if let Some(refused) = refused {
            self.restart()?;
            return Err(refused);
        }
        let feed = self.feed.take();
        feed.iter().for_each(|(feed, _)| feed.whole());
        self.blobs.adopt(&self.digest, &self.file, &self.path)?;
        feed.iter().for_each(|(feed, _)| feed.stored());
        Ok(())
    }

    fn hash_what_is_there(&mut self) -> Result<()> {
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.hasher.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path)(error)),
            }
        }
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        // Who reads it need not wait for the digest.
        if let Some((feed, _)) = &self.feed {
            feed.grow(self.hasher.size() + count as u64);
        }
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Nothing to go on with. (One that was committed has another name by now.)
        if self.hasher.size() == 0 && is_still(&self.file, &self.path) {
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Whether the path still leads to this file.
fn is_still(file: &File, path: &Path) -> bool {
    let identity = |status: fs::Metadata| (status.dev(), status.ino());
    file.metadata().ok().map(identity) == fs::symlink_metadata(path).ok().map(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_goes_on_where_it_stopped() {
        let place = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(place.path()).unwrap();
        let digest = Digest::of(b"hello");
        let open = || blobs.partial(&digest, &mut || panic!("nobody else is there")).unwrap();
        open().unwrap().write_all(b"he").unwrap();
        assert!(!blobs.contains(&digest), "a part is no blob");
        let mut rest = open().unwrap();
        assert_eq!(rest.size(), 2);
        rest.write_all(b"llo").unwrap();
        rest.commit(5).unwrap();
        assert_eq!(blobs.document(&digest).unwrap(), b"hello");
        assert!(open().is_none(), "it is there");
        assert_eq!(fs::read_dir(blobs.partial_folder()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_the_blob_is_thrown_away() {
        let place = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(place.path()).unwrap();
        let digest = Digest::of(b"hello");
        for (content, size) in [(&b"hellx"[..], 5), (b"hell", 5), (b"hello!", 5)] {
            let mut partial = blobs.partial(&digest, &mut || {}).unwrap().unwrap();
            partial.write_all(content).unwrap();
            partial.commit(size).unwrap_err();
            assert!(!blobs.contains(&digest));
            assert_eq!(fs::read_dir(blobs.partial_folder()).unwrap().count(), 0);
        }
    }

    #[test]
    fn of_several_one_fetches() {
        let place = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(place.path()).unwrap();
        let digest = Digest::of(b"hello");
        let fetched = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    if let Some(mut partial) = blobs.partial(&digest, &mut || {}).unwrap() {
                        fetched.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(20));
                        partial.write_all(b"hello").unwrap();
                        partial.commit(5).unwrap();
                    }
                });
            }
        });
        assert_eq!(fetched.into_inner(), 1);
    }

    #[test]
    fn who_reads_along_keeps_nobody_else_from_it() {
        let place = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(place.path()).unwrap();
        let digest = Digest::of(b"hello");
        let feed = Arc::new(Feed::default());
        let begun = blobs.partial(&digest, &mut || {}).unwrap().unwrap();
        begun.feeding(&feed).unwrap().write_all(b"he").unwrap();
        let _follower = feed.follow().unwrap();
        assert!(blobs.partial(&digest, &mut || panic!("it is still locked")).unwrap().is_some());
    }
}
