//! Mount points that a root lacks, there for the time of a command only: what is mounted is no part of the layer, and
//! neither is what it is mounted on.

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, fstat, futimens, mkdirat, mknodat,
    openat2, statat, unlinkat,
};
use rustix::io::{Errno, Result};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// Within the root, also through its links.
const IN_ROOT: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

/// What was made, to be cleared away in the opposite order.
#[derive(Debug, Default)]
pub(crate) struct Stubs {
    made: Vec<Stub>,
}

#[derive(Debug)]
struct Stub {
    /// The folder it was made in, its time before, and its time since.
    parent: OwnedFd,
    before: Times,
    since: Times,
    name: PathBuf,
    folder: bool,
}

/// Seconds and nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Times {
    accessed: (i64, i64),
    modified: (i64, i64),
}

impl Stubs {
    /// Makes what is missing of this path.
    pub(crate) fn make(&mut self, root: BorrowedFd<'_>, target: &Path, folder: bool) -> Result<()> {
        let parts: Vec<_> = target.components().filter(|part| *part != Component::RootDir).collect();
        let mut so_far = PathBuf::from(".");
        for (index, part) in parts.iter().enumerate() {
            let above = so_far.clone();
            so_far.push(part);
            match openat2(root, &so_far, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), IN_ROOT) {
                Ok(_) => {}
                Err(Errno::NOENT) => {
                    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                    let parent = openat2(root, &above, flags, Mode::empty(), IN_ROOT)?;
                    let name = PathBuf::from(part.as_os_str());
                    self.one(parent, name, folder || index + 1 < parts.len())?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn one(&mut self, parent: OwnedFd, name: PathBuf, folder: bool) -> Result<()> {
        let before = times(&fstat(&parent)?);
        let mode = Mode::from_raw_mode(0o755);
        if folder {
            mkdirat(&parent, &name, mode)?;
        } else {
            mknodat(&parent, &name, FileType::RegularFile, mode, 0)?;
        }
        let since = times(&fstat(&parent)?);
        self.made.push(Stub { parent, before, since, name, folder });
        Ok(())
    }

    /// Takes away what is still as it was made, and gives the folders their times back.
    pub(super) fn clear(self) -> Result<()> {
        for stub in self.made.into_iter().rev() {
            // What the command itself did to this folder counts.
            let found = times(&fstat(&stub.parent)?);
            let was = if found.modified == stub.since.modified { stub.before } else { found };
            if stub.remove()? {
                futimens(&stub.parent, &timestamps(was))?;
            }
        }
        Ok(())
    }
}

impl Stub {
    /// Whether it could be taken away. A folder that the command put something into stays, and so does a file that it
    /// filled.
    fn remove(&self) -> Result<bool> {
        if !self.folder {
            match statat(&self.parent, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(status) if status.st_size == 0 => {}
                Ok(_) | Err(Errno::NOENT) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        match unlinkat(&self.parent, &self.name, if self.folder { AtFlags::REMOVEDIR } else { AtFlags::empty() }) {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::NOENT | Errno::NOTDIR | Errno::ISDIR) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn times(status: &Stat) -> Times {
    Times {
        accessed: (status.st_atime, status.st_atime_nsec.cast_signed()),
        modified: (status.st_mtime, status.st_mtime_nsec.cast_signed()),
    }
}

fn timestamps(times: Times) -> Timestamps {
    let time = |(tv_sec, tv_nsec)| Timespec { tv_sec, tv_nsec };
    Timestamps { last_access: time(times.accessed), last_modification: time(times.modified) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_was_missing_is_missing_again_and_nothing_shows() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("var/lib")).unwrap();
        symlink("/var/lib", root.path().join("lib")).unwrap();
        let time = |path: &str| fs::metadata(root.path().join(path)).unwrap().modified().unwrap();
        let before = [time("."), time("var/lib")];
        let fd = fs::File::open(root.path()).unwrap();
        let mut stubs = Stubs::default();
        stubs.make(fd.as_fd(), Path::new("/lib/cache/deep"), true).unwrap();
        stubs.make(fd.as_fd(), Path::new("/run/secrets/token"), false).unwrap();
        assert!(root.path().join("var/lib/cache/deep").is_dir() && root.path().join("run/secrets/token").is_file());
        stubs.clear().unwrap();
        assert!(!root.path().join("var/lib/cache").exists() && !root.path().join("run").exists());
        assert_eq!([time("."), time("var/lib")], before);
    }

    #[test]
    fn what_the_command_did_stays() {
        let root = tempfile::tempdir().unwrap();
        let fd = fs::File::open(root.path()).unwrap();
        let mut stubs = Stubs::default();
        stubs.make(fd.as_fd(), Path::new("/cache/a"), true).unwrap();
        stubs.make(fd.as_fd(), Path::new("/file"), false).unwrap();
        fs::write(root.path().join("cache/own"), "x").unwrap();
        fs::write(root.path().join("file"), "x").unwrap();
        stubs.clear().unwrap();
        assert!(!root.path().join("cache/a").exists() && root.path().join("cache/own").exists());
        assert!(root.path().join("file").exists());
    }

    #[test]
    fn nothing_is_made_outside_of_the_root() {
        let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(outside.path(), root.path().join("out")).unwrap();
        let fd = fs::File::open(root.path()).unwrap();
        let mut stubs = Stubs::default();
        assert!(stubs.make(fd.as_fd(), Path::new("/out/x"), true).is_err());
        let _ = stubs.make(fd.as_fd(), Path::new("/../../x"), true);
        stubs.clear().unwrap();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
