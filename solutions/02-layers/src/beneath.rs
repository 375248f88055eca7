//! Finding a path beneath a root, when the path and what lies beneath the root are not to be trusted.
//!
//! A path checked as a string says nothing: any part of it may be a link, also one that the same archive made a moment
//! ago. So the kernel resolves it, and is told never to leave the root (openat2(2), `RESOLVE_BENEATH`). It then also
//! refuses absolute links, which honest layers hold (`/var/run -> /run`, and a file in `/var/run`): those are walked
//! here, one folder after the other, the way they would be followed inside the container.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat, openat2, readlinkat};
use rustix::io::Errno;

use crate::error::{Fault, Refusal};

/// As many links as Linux itself follows (path_resolution(7)).
const MOST_LINKS: usize = 40;
const PATH: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// A name from an archive as a path below the root: neither absolute nor with `.`; the root itself is empty.
///
/// `/bin/sh` is the `bin/sh` of the image, as for Docker: there are tools that write names so.
///
/// # Errors
/// [`Refusal::Climbs`] if it holds `..`, even where it would stay inside: no tool writes that in good faith.
pub(crate) fn relative(name: &[u8]) -> Result<PathBuf, Refusal> {
    // PATH_MAX and NAME_MAX of linux/limits.h.
    if name.is_empty() || name.len() >= 4096 || name.contains(&0) {
        return Err(Refusal::BadName);
    }
    let mut path = PathBuf::with_capacity(name.len());
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(Refusal::Climbs),
            part if part.len() > 255 => return Err(Refusal::BadName),
            part => path.push(OsStr::from_bytes(part)),
        }
    }
    Ok(path)
}

/// What to do about folders that are missing on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Create,
    Fail,
}

/// A folder that was found beneath a root.
#[derive(Debug)]
pub(crate) struct Found {
    /// Opened with `O_PATH`.
    pub(crate) folder: OwnedFd,
    /// The folders that had to be made on the way.
    pub(crate) made: Vec<PathBuf>,
}

/// Opens the folder at this relative path beneath the root.
pub(crate) fn folder(root: BorrowedFd<'_>, path: &Path, missing: Missing) -> Result<Found, Fault> {
    let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    loop {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        return match openat2(root, here, PATH | OFlags::DIRECTORY, Mode::empty(), resolve) {
            Ok(folder) => Ok(Found { folder, made: Vec::new() }),
            // A rename elsewhere raced with the lookup (openat2(2)).
            Err(Errno::AGAIN | Errno::INTR) => continue,
            // The rest is told apart by walking: which part it was, and whether it is an escape.
            Err(Errno::XDEV | Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Walk::new(root, missing)?.go(path),
            Err(errno) => Err(Fault::Step("open its folder", errno.into())),
        };
    }
}

/// Following a path by hand.
struct Walk {
    /// The folders from the root to where the walk is, with their names.
    stack: Vec<(OwnedFd, PathBuf)>,
    /// What is still to go, and for what a link led to, that link.
    ahead: VecDeque<(Vec<u8>, Option<String>)>,
    links: usize,
    missing: Missing,
    made: Vec<PathBuf>,
}

impl Walk {
    fn new(root: BorrowedFd<'_>, missing: Missing) -> Result<Walk, Fault> {
        let root = root.try_clone_to_owned().map_err(Fault::step("open the root"))?;
        let stack = vec![(root, PathBuf::new())];
        Ok(Walk { stack, ahead: VecDeque::new(), links: 0, missing, made: Vec::new() })
    }

    fn go(mut self, path: &Path) -> Result<Found, Fault> {
        self.ahead = path.components().map(|part| (part.as_os_str().as_bytes().to_vec(), None)).collect();
        while let Some((part, link)) = self.ahead.pop_front() {
            match part.as_slice() {
                b"" | b"." => {}
                // Only links hold it, names do not. Above the root is nothing that belongs to the layer.
                b".." if self.stack.len() == 1 => return Err(Refusal::ParentClimbs(link.unwrap_or_default()).into()),
                b".." => drop(self.stack.pop()),
                part => self.enter(OsStr::from_bytes(part), link)?,
            }
        }
        let (folder, _) = self.stack.pop().ok_or(Refusal::ParentLoops)?;
        Ok(Found { folder, made: self.made })
    }

    /// Steps into a folder, or puts what a link says ahead of the rest of the way.
    fn enter(&mut self, name: &OsStr, link: Option<String>) -> Result<(), Fault> {
        let Some((here, at)) = self.stack.last() else { return Err(Refusal::ParentLoops.into()) };
        let path = at.join(name);
        let found = match openat(here, name, PATH | OFlags::NOFOLLOW, Mode::empty()) {
            Err(Errno::NOENT) if link.is_some() => return Err(Refusal::ParentDangles(link.unwrap_or_default()).into()),
            Err(Errno::NOENT) if self.missing == Missing::Create => {
                mkdirat(here, name, Mode::from_raw_mode(0o755)).map_err(Fault::step("create its folder"))?;
                self.made.push(path.clone());
                openat(here, name, PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY, Mode::empty())
            }
            result => result,
        };
        let found = found.map_err(Fault::step("open its folder"))?;
        let status = fstat(&found).map_err(Fault::step("examine its folder"))?;
        match FileType::from_raw_mode(status.st_mode) {
            FileType::Directory => self.stack.push((found, path)),
            FileType::Symlink => self.follow(found.as_fd(), &path)?,
            _ => return Err(Refusal::ParentNotFolder(path.display().to_string()).into()),
        }
        Ok(())
    }

    fn follow(&mut self, link: BorrowedFd<'_>, path: &Path) -> Result<(), Fault> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Refusal::ParentLoops.into());
        }
        let target = readlinkat(link, c"", Vec::new()).map_err(Fault::step("read a link on its way"))?.into_bytes();
        if target.starts_with(b"/") {
            self.stack.truncate(1);
        }
        let name = Some(path.display().to_string());
        for part in target.split(|byte| *byte == b'/').rev() {
            self.ahead.push_front((part.to_vec(), name.clone()));
        }
        Ok(())
    }
}
