//! Finding a path beneath a root as a process would whose root it is: links are followed, and neither they nor `..` lead
//! out of it.
//!
//! `openat2(2)` does the same with `RESOLVE_IN_ROOT`, but does not tell which way it went; and that is what has to be
//! known, for a link may be hidden by `.dockerignore`, and what it leads to may not exist yet.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use layers::pack::open;
use rustix::fs::{AtFlags, FileType, OFlags, Stat, readlinkat, statat};
use rustix::io::Errno;

/// As many links as Linux itself follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// From the root, without links: the root itself is empty. What is missing is taken as it is written.
    pub(crate) path: PathBuf,
    /// What is there, if anything is.
    pub(crate) status: Option<Stat>,
    /// The links that were followed.
    pub(crate) links: Vec<PathBuf>,
}

impl Resolved {
    pub(crate) fn is_folder(&self) -> bool {
        self.status.as_ref().is_some_and(|status| kind(status) == FileType::Directory)
    }
}

/// Follows a path to its end, a link in the last place too.
///
/// # Errors
/// `ELOOP` for links that lead in circles, or what the kernel says.
pub(crate) fn resolve(root: BorrowedFd<'_>, path: &Path) -> io::Result<Resolved> {
    let mut here = PathBuf::new();
    let mut links = Vec::new();
    // What is still to go, the next last.
    let mut ahead: Vec<Vec<u8>> = parts(path.as_os_str().as_bytes());
    while let Some(part) = ahead.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                here.pop();
                continue;
            }
            part => here.push(OsStr::from_bytes(part)),
        }
        let Some(target) = read_link(root, &here)? else { continue };
        if links.len() == MOST_LINKS {
            return Err(Errno::LOOP.into());
        }
        links.push(here.clone());
        if target.starts_with(b"/") {
            here = PathBuf::new();
        } else {
            here.pop();
        }
        ahead.extend(parts(&target));
    }
    Ok(Resolved { status: examine(root, &here)?, path: here, links })
}

fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.rsplit(|byte| *byte == b'/').map(<[u8]>::to_vec).collect()
}

/// What a link says; nothing, if there is none.
fn read_link(root: BorrowedFd<'_>, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match open(root, path, OFlags::PATH) {
        Ok(file) if kind(&statat(&file, c"", AtFlags::EMPTY_PATH)?) == FileType::Symlink => {
            Ok(Some(readlinkat(file, c"", Vec::new())?.into_bytes()))
        }
        // In what is no folder nothing is.
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// What is at a path that goes through no link; a link itself is not followed.
pub(crate) fn examine(root: impl AsFd, path: &Path) -> io::Result<Option<Stat>> {
    match open(root.as_fd(), path, OFlags::PATH) {
        Ok(file) => Ok(Some(statat(file, c"", AtFlags::EMPTY_PATH)?)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// What kind of file it is.
pub(crate) fn kind(status: &Stat) -> FileType {
    FileType::from_raw_mode(status.st_mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_dots_stay_in_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/file"), "").unwrap();
        for (link, target) in [
            ("absolute", "/a/b"),
            ("a/up", "../../../a"),
            ("a/b/file", "../file"),
            ("dangling", "/nowhere/x"),
            ("loop", "loop"),
            ("chain", "absolute/../up"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let handle = fs::File::open(root).unwrap();
        let found = |path: &str| {
            let resolved = resolve(handle.as_fd(), Path::new(path)).unwrap();
            (resolved.path.display().to_string(), resolved.status.is_some())
        };
        for (path, leads, exists) in [
            ("", "", true),
            ("/", "", true),
            ("../../..", "", true),
            ("a/./b//", "a/b", true),
            ("absolute/file", "a/file", true),
            ("/absolute/../..", "", true),
            ("a/up/b", "a/b", true),
            ("chain/file", "a/file", true),
            ("dangling/y", "nowhere/x/y", false),
            ("missing/../a", "a", true),
            ("a/file/x", "a/file/x", false),
        ] {
            assert_eq!(found(path), (leads.to_owned(), exists), "{path}");
        }
        let error = resolve(handle.as_fd(), Path::new("loop/x")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::LOOP.raw_os_error()));
        assert_eq!(resolve(handle.as_fd(), Path::new("chain/file")).unwrap().links.len(), 3);
    }
}
