//! Paths inside a root that somebody else filled.
//!
//! An image may hold `/etc -> ../../..`, or swap a folder for a link while we look. So a path of the container is never
//! put together as a string and opened: openat2(2) with `RESOLVE_IN_ROOT` lets the kernel resolve it with the root's
//! descriptor as its `/`, and what we go on with is the descriptor it returns. Nothing here allocates: the child of a
//! clone calls it.

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{self, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, Result};

/// Links are followed, within the root; `/proc/PID/fd/N` and its like are not links but doors, and stay shut.
const IN_ROOT: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

/// Opens what is there already.
pub(crate) fn open(root: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), IN_ROOT)
}

/// As [`open`], and refuses every symbolic link on the way: for /proc and /sys, where a security decision hangs on
/// the mount being exactly there.
pub(crate) fn open_no_links(root: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), IN_ROOT | ResolveFlags::NO_SYMLINKS)
}

/// What a missing mount point is made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    Folder,
    File,
}

/// Opens (O_PATH) what is at `path`, making it and the folders above it where they are missing.
pub(crate) fn make(root: BorrowedFd<'_>, path: &CStr, last: Make) -> Result<OwnedFd> {
    match open(root, path, OFlags::PATH) {
        Err(Errno::NOENT) => {}
        found => return found,
    }
    // From the top down: each prefix is opened, or made in the folder that its parent turned out to be.
    let mut prefix = Prefix::new(path)?;
    let mut folder = open(root, c".", OFlags::PATH | OFlags::DIRECTORY)?;
    while let Some(step) = prefix.next() {
        let kind = if step.last { last } else { Make::Folder };
        folder = match open(root, prefix.so_far(), OFlags::PATH) {
            Err(Errno::NOENT) => {
                make_one(&folder, prefix.name(step.start), kind)?;
                open(root, prefix.so_far(), OFlags::PATH)?
            }
            found => found?,
        };
    }
    Ok(folder)
}

/// The folder that holds `path` (made if missing) and the last component, for mknodat(2) and its like.
pub(crate) fn make_parent<'a>(root: BorrowedFd<'_>, path: &'a CStr) -> Result<(OwnedFd, &'a CStr)> {
    let bytes = path.to_bytes_with_nul();
    let slash = bytes.iter().rposition(|&byte| byte == b'/');
    let start = slash.map_or(0, |slash| slash + 1);
    let name = CStr::from_bytes_with_nul(&bytes[start..]).map_err(|_| Errno::INVAL)?;
    let mut buffer = [0_u8; PATH_MAX];
    let parent = match slash {
        None | Some(0) => c".",
        Some(slash) => {
            buffer.get_mut(..slash).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(&bytes[..slash]);
            CStr::from_bytes_until_nul(&buffer).map_err(|_| Errno::NAMETOOLONG)?
        }
    };
    Ok((make(root, parent, Make::Folder)?, name))
}

fn make_one(folder: &OwnedFd, name: &CStr, kind: Make) -> Result<()> {
    let mode = Mode::from_raw_mode(0o755);
    let made = match kind {
        Make::Folder => fs::mkdirat(folder, name, mode),
        Make::File => fs::mknodat(folder, name, FileType::RegularFile, mode, 0),
    };
    // Somebody was faster, or the name is a link to nowhere: the next open tells.
    if made == Err(Errno::EXIST) { Ok(()) } else { made }
}

/// The longest path the kernel takes, with its final NUL (limits.h).
const PATH_MAX: usize = 4096;

/// Walks through the prefixes of a path, on the stack: `a`, `a/b`, `a/b/c`.
struct Prefix {
    bytes: [u8; PATH_MAX],
    length: usize,
    end: usize,
    /// What the NUL that ends the prefix covers.
    covered: u8,
}

struct PrefixStep {
    start: usize,
    last: bool,
}

impl Prefix {
    fn new(path: &CStr) -> Result<Self> {
        let path = path.to_bytes();
        let mut bytes = [0; PATH_MAX];
        bytes.get_mut(..path.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(path);
        if path.len() == PATH_MAX {
            return Err(Errno::NAMETOOLONG);
        }
        Ok(Self { bytes, length: path.len(), end: 0, covered: 0 })
    }

    fn next(&mut self) -> Option<PrefixStep> {
        if self.covered != 0 {
            self.bytes[self.end] = self.covered;
            self.covered = 0;
        }
        let start = self.end + self.bytes[self.end..self.length].iter().position(|&byte| byte != b'/')?;
        let name = self.bytes[start..self.length].iter().position(|&byte| byte == b'/');
        self.end = name.map_or(self.length, |length| start + length);
        let last = !self.bytes[self.end..self.length].iter().any(|&byte| byte != b'/');
        if self.end < self.length {
            self.covered = self.bytes[self.end];
            self.bytes[self.end] = 0;
        }
        Some(PrefixStep { start, last })
    }

    fn so_far(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }

    fn name(&self, start: usize) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes[start..]).unwrap_or(c"")
    }
}

/// Opens a file of the host, by its path as this process sees it.
pub(crate) fn open_host(path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    fs::openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    #[test]
    fn missing_folders_are_made_inside_the_root_only() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        symlink(outside.path(), root.path().join("escape")).unwrap();
        symlink("../../../../../etc", root.path().join("up")).unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        let fd = std::fs::File::open(root.path()).unwrap();

        make(fd.as_fd(), c"/a/b/c", Make::Folder).unwrap();
        assert!(root.path().join("a/b/c").is_dir());
        make(fd.as_fd(), c"a//b/file", Make::File).unwrap();
        assert!(root.path().join("a/b/file").is_file());
        make(fd.as_fd(), c"up/hosts", Make::File).unwrap();
        assert!(root.path().join("etc/hosts").is_file());
        // An absolute link is taken from the root: its target is not there, and nothing is made at the host's.
        assert!(make(fd.as_fd(), c"escape/x", Make::Folder).is_err());
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_device_has_a_folder_and_a_name() {
        let root = tempfile::tempdir().unwrap();
        let fd = std::fs::File::open(root.path()).unwrap();
        let (_, name) = make_parent(fd.as_fd(), c"/dev/snd/seq").unwrap();
        assert_eq!(name, c"seq");
        assert!(root.path().join("dev/snd").is_dir());
        let (_, name) = make_parent(fd.as_fd(), c"/zero").unwrap();
        assert_eq!(name, c"zero");
    }
}
