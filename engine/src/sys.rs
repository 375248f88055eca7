//! The engine's only unsafe code.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes over descriptors that were inherited under these numbers. They will not be inherited again.
pub(crate) fn inherited(number: RawFd) -> std::io::Result<OwnedFd> {
    if number <= 2 {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: F_SETFD takes an integer and touches no memory; on a number that is not open it fails with EBADF.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: it is open (fcntl succeeded), and ours alone: only a shim calls this, first thing in its life, for each
    // number of its boot message once; nothing in this process has opened or wrapped any of them.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
