//! Paths of a container, resolved in its root and never out of it.
//!
//! What a path leads to, the container decides, and it may change its mind between any two of our calls. So the kernel
//! resolves each path beneath an open root (openat2(2), `RESOLVE_IN_ROOT`); the links of /proc, which lead anywhere, it does not
//! follow.

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2, readlinkat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// As many links as Linux itself follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// How often a lookup begins anew that met with renames of somebody else (openat2(2), EAGAIN).
const MOST_ATTEMPTS: usize = 1000;

/// Opens a path, all links on its way followed; the last part only with a slash behind it, or if `flags` lack `NOFOLLOW`.
pub(crate) fn open(root: BorrowedFd<'_>, path: impl AsRef<Path>, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..MOST_ATTEMPTS {
        match openat2(root, path.as_ref(), flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
    Err(Errno::AGAIN)
}

/// Where a path leads, its links followed, as far as there is anything; the rest of it is taken as it is. Relative to the root.
/// None for what leads nowhere. The container's own text decides here, so what comes of it is only ever looked up beneath
/// the root.
pub(crate) fn resolve(root: BorrowedFd<'_>, path: &str) -> Option<PathBuf> {
    let mut ahead: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    let mut here: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = ahead.pop_front() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                here.pop();
                continue;
            }
            _ => here.push(part),
        }
        let Some(link) = link_at(root, &here.join("/")).ok()? else { continue };
        links += 1;
        if links > MOST_LINKS {
            return None;
        }
        // A link is read from the folder that it is in, or from the root.
        here.pop();
        if link.starts_with('/') {
            here.clear();
        }
        for part in link.split('/').rev() {
            ahead.push_front(part.to_owned());
        }
    }
    Some(here.iter().collect())
}

/// The text of the link at a path on which there is no other; None if it is none, or if there is nothing.
fn link_at(root: BorrowedFd<'_>, path: &str) -> rustix::io::Result<Option<String>> {
    let found = match open(root, path, OFlags::PATH | OFlags::NOFOLLOW) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        found => found?,
    };
    if FileType::from_raw_mode(fstat(found.as_fd())?.st_mode) != FileType::Symlink {
        return Ok(None);
    }
    // What is no text cannot be asked for by name either.
    Ok(readlinkat(&found, c"", Vec::new())?.into_string().ok())
}
