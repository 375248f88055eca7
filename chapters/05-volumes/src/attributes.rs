//! What a file has besides its name and its content.

use rustix::fs::{
    AtFlags, Gid, Mode, Stat, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod, fchown, fgetxattr, flistxattr,
    fsetxattr, fstat, futimens, utimensat,
};
use rustix::io::{Errno, Result};
use std::ffi::CStr;
use std::os::fd::BorrowedFd;

/// Owner, mode, extended attributes and times.
#[derive(Clone, Debug)]
pub struct Attributes {
    pub uid: Uid,
    pub gid: Gid,
    pub mode: Mode,
    /// Names and values.
    pub xattrs: Vec<(String, Vec<u8>)>,
    pub times: Timestamps,
}

impl Attributes {
    /// Those of an open file or folder.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn of(file: BorrowedFd<'_>) -> Result<Self> {
        let status = fstat(file)?;
        Ok(Self { xattrs: xattrs(file)?, ..Self::from(&status) })
    }
}

impl From<&Stat> for Attributes {
    /// What stat(2) tells: all but the extended attributes.
    fn from(status: &Stat) -> Self {
        let time = |seconds: i64, nanoseconds: u64| Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ };
        Self {
            uid: Uid::from_raw(status.st_uid),
            gid: Gid::from_raw(status.st_gid),
            mode: Mode::from_raw_mode(status.st_mode & 0o7777),
            xattrs: Vec::new(),
            times: Timestamps {
                last_access: time(status.st_atime, status.st_atime_nsec),
                last_modification: time(status.st_mtime, status.st_mtime_nsec),
            },
        }
    }
}

/// Gives a copy, an open file or folder, what its original has: owner and group, mode, extended attributes, times.
///
/// Four kinds of things, and their order matters. A program with the set-user-ID bit runs as its owner: so that nobody gives away a program
/// that runs with rights he chose for himself, a change of owner takes that bit away, and with it the capabilities, which are an
/// extended attribute (chown(2), capabilities(7)). Even root's does, and even to the same owner.
///
/// rustix has `fchown(copy, Some(uid), Some(gid))`, `fchmod(copy, mode)` and `futimens(copy, &times)`; [`set_xattr`] sets one of
/// the extended attributes.
///
/// # Errors
/// What the kernel said of the first call that failed.
pub fn give(copy: BorrowedFd<'_>, original: &Attributes) -> Result<()> {
    // exercise: 5.3 give: owner, mode, extended attributes, times, each where it survives the others
    todo!("exercise 5.3, give: owner, mode, extended attributes, times, each where it survives the others")
    // end exercise
}

/// Sets an extended attribute. One that this filesystem does not have, or this user may not set, is left out: a copy that is
/// complete but for a security module's note is of more use than none.
///
/// # Errors
/// What else the kernel said.
pub fn set_xattr(copy: BorrowedFd<'_>, name: &str, value: &[u8]) -> Result<()> {
    match fsetxattr(copy, name, value, XattrFlags::empty()) {
        Err(errno @ (Errno::NOTSUP | Errno::PERM | Errno::INVAL)) => {
            tracing::warn!("the extended attribute {name} was left out: {errno}");
            Ok(())
        }
        set => set,
    }
}

/// The same for a link or a special file, by its name in an open folder: they have neither a mode of their own that
/// matters, nor extended attributes that are ours to copy.
pub(crate) fn give_at(folder: BorrowedFd<'_>, name: &CStr, original: &Attributes) -> Result<()> {
    chownat(folder, name, Some(original.uid), Some(original.gid), AtFlags::SYMLINK_NOFOLLOW)?;
    utimensat(folder, name, &original.times, AtFlags::SYMLINK_NOFOLLOW)
}

fn xattrs(file: BorrowedFd<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    // XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h.
    let mut names = vec![0; 64 * 1024];
    let length = match flistxattr(file, names.as_mut_slice()) {
        Ok(0) | Err(Errno::NOTSUP) => return Ok(Vec::new()),
        length => length?,
    };
    let mut value = vec![0; 64 * 1024];
    let mut xattrs = Vec::new();
    for name in names[..length].split(|byte| *byte == 0) {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        // overlayfs keeps notes of its own there, which mean nothing anywhere else.
        if name.is_empty() || name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.") {
            continue;
        }
        match fgetxattr(file, name, value.as_mut_slice()) {
            Ok(length) => xattrs.push((name.to_owned(), value[..length].to_vec())),
            // Gone since, or hidden from this user.
            Err(Errno::NODATA) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(xattrs)
}
