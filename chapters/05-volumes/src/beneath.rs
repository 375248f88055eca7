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

/// Opens a part of a volume, a folder or a file, without a right to read it (`O_PATH`). This is `--mount
/// source=VOLUME,volume-subpath=PART,…`: the container sees this part only.
///
/// The path is text, and text proves nothing. Whoever writes to the volume, such as a container, may have put a link to `/etc` in
/// the way; or put a folder there while we look, and a link when we mount. So the kernel shall look and open in one call, openat2(2):
/// it resolves `subpath` from the open folder `root`, and what we go on with is the descriptor that it returns, never the text.
///
/// * Links within the volume are followed, a link out of it is not. That is `ResolveFlags::BENEATH`: no step may lead above `root`,
///   even if a later one led back, and no link may begin with a slash. `ResolveFlags::NO_MAGICLINKS` does without those of
///   /proc, which are no text at all.
/// * If a step did lead out, the kernel says `XDEV`. That is [`Error::Escape`], with the volume for its base.
/// * If somebody renames things at this moment, the kernel cannot be sure and says `AGAIN`; and a signal may come in between, `INTR`. Then ask
///   again, as often as it takes.
/// * Any other error is [`Error::Subpath`], with the whole path.
///
/// `in_image`, above, is a call of openat2 that is right for another case.
///
/// # Errors
/// As said.
pub fn subpath(volume: &Path, subpath: &str) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let root = rustix::fs::open(volume, flags | OFlags::DIRECTORY, Mode::empty()).map_err(Error::io("open", volume))?;
    // exercise: 5.7 subpath: open it beneath the volume, or not at all
    todo!("exercise 5.7, subpath: open it beneath the volume, or not at all")
    // end exercise
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
