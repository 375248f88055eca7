//! mount_setattr(2).
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Result;

use super::last_error;

/// `struct mount_attr` (linux/mount.h): attributes are changed on a mount while it is still detached, so there is no
/// moment at which it is in place without them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct MountAttributes {
    pub set: u64,
    pub clear: u64,
    /// `MS_PRIVATE` and its like; 0 leaves it alone.
    pub propagation: u64,
    pub user_namespace: u64,
}

/// Changes the mount that `mount` refers to, and with `recursive` those beneath it.
pub(crate) fn mount_setattr(mount: BorrowedFd<'_>, recursive: bool, attributes: MountAttributes) -> Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string; the kernel reads the struct, whose size is given and which outlives the
    // call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}
