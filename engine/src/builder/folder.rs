//! A build's own folder, `build-cache/tmp/<random>`: drafts of layers, and what its commands are shown.
//!
//! A build that is killed cannot clear it away. It is locked (flock(2), which the kernel lets go of with the process), so
//! that the next build can tell what is nobody's any more.

use super::run::clear_away;
use super::step;
use crate::container::id::ContainerId;
use crate::container::record::make_private_folder;
use crate::{Engine, Error, Result};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Removed when it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// A new one. What killed builds left is removed.
    pub(super) fn new(engine: &Engine) -> Result<Self> {
        let all = engine.store()?.pins().folder().join("tmp");
        make_private_folder(&all)?;
        clear_leftovers(engine, &all);
        loop {
            let path = all.join(&ContainerId::random().as_str()[..16]);
            fs::create_dir(&path).map_err(|e| Error::system(format!("create {}", path.display()), e))?;
            if let Some(lock) = lock(&path)? {
                return Ok(Self { path, _lock: lock });
            }
            // Somebody took it for a leftover, before it was locked.
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!("{}: {error}; the next build removes it", self.path.display());
        }
    }
}

/// The lock of a folder, if it is nobody's and still there.
fn lock(path: &Path) -> Result<Option<File>> {
    let trouble = |e: std::io::Error| Error::system(format!("lock {}", path.display()), e);
    let folder = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        folder => folder.map_err(trouble)?,
    };
    match folder.try_lock() {
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        done => done.map_err(|e| trouble(e.into()))?,
    }
    let same = fs::symlink_metadata(path).is_ok_and(|now| folder.metadata().is_ok_and(|was| was.ino() == now.ino()));
    Ok(same.then_some(folder))
}

/// Nothing of it is in the way of this build: what cannot be removed is told, and stays.
fn clear_leftovers(engine: &Engine, all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let path = entry.path();
        let cleared = match lock(&path) {
            Ok(Some(_lock)) => clear(engine, &path),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = cleared {
            tracing::warn!("what is left of a build: {error}");
        }
    }
}

fn clear(engine: &Engine, path: &Path) -> Result<()> {
    clear_steps(engine, path)?;
    fs::remove_dir_all(path).map_err(|e| Error::system(format!("remove {}", path.display()), e))
}

/// The commands of a killed build died with it; of their cgroups and addresses only they could tell.
fn clear_steps(engine: &Engine, path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).map_err(|e| Error::system(format!("read {}", path.display()), e))?.flatten() {
        let id = entry.file_name().to_str().and_then(ContainerId::parse);
        id.iter().try_for_each(|id| clear_away(engine, &step::container(id, path)))?;
    }
    Ok(())
}

impl Engine {
    /// What the commands of killed builds have of others (addresses, cgroups), given back by whoever comes next. Their drafts take
    /// nothing but room, and wait for the next build.
    pub(crate) fn clear_killed_builds(&self) {
        // (Not by the store: most commands do without it.)
        let all = self.roots.data.join("build-cache/tmp");
        for entry in fs::read_dir(all).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_step = |entry: fs::DirEntry| entry.file_name().to_str().and_then(ContainerId::parse).is_some();
            if !fs::read_dir(&path).into_iter().flatten().flatten().any(is_step) {
                continue;
            }
            let cleared = lock(&path).and_then(|free| free.map_or(Ok(()), |_lock| clear_steps(self, &path)));
            if let Err(error) = cleared {
                tracing::warn!("what is left of a build: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::tests::engine;

    #[test]
    fn what_a_killed_build_left_is_removed_and_what_lives_is_not() {
        let (_data, engine) = engine();
        let lives = Folder::new(&engine).unwrap();
        let dead = lives.path().with_file_name("dead");
        fs::create_dir_all(dead.join(ContainerId::random().as_str())).unwrap();
        fs::create_dir_all(dead.join("0/upper")).unwrap();
        let other = Folder::new(&engine).unwrap();
        assert!(lives.path().exists() && other.path().exists() && !dead.exists());
        let path = other.path().to_owned();
        drop(other);
        assert!(!path.exists());
    }
}
