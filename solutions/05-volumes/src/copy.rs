//! A folder and all in it, once more: owners, modes, times, extended attributes, links and holes as they are.
//!
//! Every file is opened by its name in an open folder, and no link is followed. The folders wait in a list, not on the
//! stack, so no image can nest them too deep for us.

use crate::attributes::{Attributes, give, give_at};
use crate::beneath;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, SeekFrom, Stat, linkat, mkdirat, mknodat, openat, readlinkat, seek, statat,
    symlinkat,
};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

type Result<T, E = Errno> = std::result::Result<T, E>;

/// Copies what is in the folder `from`, and the folder's own attributes, to the empty folder `to`.
///
/// # Errors
/// With the path, beneath both, at which it failed.
pub(crate) fn tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), (PathBuf, io::Error)> {
    let mut copier = Copier { from, to, first_names: HashMap::new(), folders: vec![PathBuf::new()] };
    let mut done = 0;
    while let Some(folder) = copier.folders.get(done).cloned() {
        copier.folder(&folder).map_err(|(name, errno)| (folder.join(name), errno.into()))?;
        done += 1;
    }
    // Last of all, and the deepest first: what is made in a folder changes its time, and a mode may forbid the making.
    for folder in copier.folders.iter().rev() {
        copier.finish(folder).map_err(|errno| (folder.clone(), errno.into()))?;
    }
    Ok(())
}

struct Copier<'a> {
    from: BorrowedFd<'a>,
    to: BorrowedFd<'a>,
    /// Where a file with several names was copied first.
    first_names: HashMap<(u64, u64), PathBuf>,
    /// In the order they were met.
    folders: Vec<PathBuf>,
}

impl Copier<'_> {
    fn folder(&mut self, path: &Path) -> Result<(), (PathBuf, Errno)> {
        let here = |errno| (PathBuf::new(), errno);
        let from = beneath::folder(self.from, path).map_err(here)?;
        let to = beneath::folder(self.to, path).map_err(here)?;
        for entry in Dir::read_from(&from).map_err(here)? {
            let entry = entry.map_err(here)?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let text = OsStr::from_bytes(name.to_bytes());
                self.entry(&from, &to, path, name).map_err(|errno| (text.into(), errno))?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, from: &OwnedFd, to: &OwnedFd, folder: &Path, name: &CStr) -> Result<()> {
        let path = folder.join(OsStr::from_bytes(name.to_bytes()));
        let status = statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(status.st_mode);
        if kind == FileType::Directory {
            // Ours alone, until it is finished.
            mkdirat(to, name, Mode::RWXU)?;
            self.folders.push(path);
            return Ok(());
        }
        if status.st_nlink > 1 {
            let identity = (status.st_dev, status.st_ino);
            if let Some(first) = self.first_names.get(&identity) {
                return linkat(self.to, first, to, name, AtFlags::empty());
            }
            self.first_names.insert(identity, path);
        }
        match kind {
            FileType::RegularFile => file(from, to, name),
            FileType::Symlink => {
                symlinkat(readlinkat(from, name, Vec::new())?, to, name)?;
                give_at(to.as_fd(), name, &Attributes::from(&status))
            }
            _ => special(to, name, kind, &status),
        }
    }

    fn finish(&self, path: &Path) -> Result<()> {
        let original = beneath::folder(self.from, path)?;
        give(beneath::folder(self.to, path)?.as_fd(), &Attributes::of(original.as_fd())?)
    }
}

fn file(from: &OwnedFd, to: &OwnedFd, name: &CStr) -> Result<()> {
    // Not blocking: it was a file a moment ago, but a pipe in its place would let us wait for ever.
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let original = File::from(openat(from, name, read, Mode::empty())?);
    let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let copy = File::from(openat(to, name, write, Mode::RUSR | Mode::WUSR)?);
    content(&original, &copy).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
    give(copy.as_fd(), &Attributes::of(original.as_fd())?)
}

/// The content, where there is one: a hole stays a hole (lseek(2), SEEK_DATA).
fn content(original: &File, copy: &File) -> io::Result<()> {
    copy.set_len(original.metadata()?.len())?;
    let mut buffer = vec![0; 128 * 1024];
    let mut at = 0;
    loop {
        let start = match seek(original, SeekFrom::Data(at)) {
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => return Ok(()),
            start => start?,
        };
        let end = seek(original, SeekFrom::Hole(start))?;
        at = start;
        while at < end {
            let room = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
            match original.read_at(&mut buffer[..room], at)? {
                0 => return Ok(()),
                count => {
                    copy.write_all_at(&buffer[..count], at)?;
                    at += count as u64;
                }
            }
        }
    }
}

/// A pipe, a socket, a device.
fn special(to: &OwnedFd, name: &CStr, kind: FileType, status: &Stat) -> Result<()> {
    let mode = Mode::from_raw_mode(status.st_mode & 0o7777);
    match mknodat(to, name, kind, mode, status.st_rdev) {
        // In a user namespace nobody makes devices (mknod(2)); an image for everybody can have none that matters.
        Err(Errno::PERM) if matches!(kind, FileType::CharacterDevice | FileType::BlockDevice) => {
            tracing::warn!("the device {} was left out: only root may make it", name.to_string_lossy());
            return Ok(());
        }
        made => made?,
    }
    give_at(to.as_fd(), name, &Attributes::from(status))?;
    // The umask has had its say; and it is no link, we have just made it.
    rustix::fs::chmodat(to, name, mode, AtFlags::empty())
}
