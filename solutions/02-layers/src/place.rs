//! A place for an entry: a name in a folder that was found beneath the root.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, statat, unlinkat};
use rustix::io::Errno;

use crate::error::Fault;

/// Where an entry goes.
pub(crate) struct Place<'a> {
    pub(crate) folder: BorrowedFd<'a>,
    pub(crate) name: &'a OsStr,
    /// From the root.
    pub(crate) path: &'a Path,
}

impl Place<'_> {
    pub(crate) fn is_folder(&self) -> Result<bool, Fault> {
        let status = statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW).map_err(Fault::step("examine"))?;
        Ok(FileType::from_raw_mode(status.st_mode) == FileType::Directory)
    }

    pub(crate) fn is_same_as(&self, other: &Place<'_>) -> bool {
        let identity = |place: &Place<'_>| {
            let status = statat(place.folder, place.name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            Some((status.st_dev, status.st_ino))
        };
        identity(self).is_some_and(|this| identity(other) == Some(this))
    }

    /// Removes what is there, with all that is in it.
    pub(crate) fn remove(&self) -> Result<(), Fault> {
        match unlinkat(self.folder, self.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::ISDIR | Errno::PERM) => {
                // Goes by file descriptor from here on, and follows no link.
                let path = Path::new("/proc/self/fd").join(self.folder.as_raw_fd().to_string()).join(self.name);
                std::fs::remove_dir_all(path).map_err(Fault::step("replace"))
            }
            Err(errno) => Err(Fault::Step("replace", errno.into())),
        }
    }
}

/// The names in a folder, but for itself and the one above.
///
/// # Errors
/// If it cannot be read.
pub fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_os_string());
        }
    }
    Ok(names)
}
