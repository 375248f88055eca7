//! Paths within a folder that somebody else filled: an image, or a volume that a container writes to. The kernel resolves
//! them, with the folder for its root or its border (openat2(2)); what we go on with is the descriptor that it returns.

use crate::{Error, Result};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Opens a path of an image, links followed as they would be in a container. None if there is nothing.
pub(crate) fn in_image(root: BorrowedFd<'_>, path: &str) -> Result<Option<OwnedFd>, Errno> {
    let inside = path.trim_start_matches('/');
    let inside = if inside.is_empty() { "." } else { inside };
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match openat2(root, inside, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        found => found.map(Some),
    }
}

/// Opens a part of a volume (O_PATH), for `volume-subpath`.
///
/// Whoever writes to the volume may put a link in the way, and exchange it while we look. Links within the volume are
/// followed; one that leads out of it, or begins at the root, is refused.
///
/// # Errors
/// [`Error::Subpath`] if it is not there, [`Error::Escape`] if it is not within.
pub fn subpath(volume: &Path, subpath: &str) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let root = rustix::fs::open(volume, flags | OFlags::DIRECTORY, Mode::empty()).map_err(Error::io("open", volume))?;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    loop {
        return match openat2(&root, subpath, flags, Mode::empty(), beneath) {
            Ok(found) => Ok(found),
            // A rename elsewhere raced with the lookup (openat2(2)).
            Err(Errno::AGAIN | Errno::INTR) => continue,
            Err(Errno::XDEV) => Err(Error::Escape { base: volume.to_owned(), subpath: subpath.to_owned() }),
            Err(errno) => Err(Error::Subpath { path: volume.join(subpath), source: errno.into() }),
        };
    }
}

/// Opens a folder to read, at a path on which no link is followed; the empty path is the root itself.
pub(crate) fn folder(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat2(root, path, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

/// Whether an open file is a folder.
pub(crate) fn is_folder(file: impl AsFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Directory)
}
