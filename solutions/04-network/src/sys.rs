//! The one call of this crate that a compiler cannot check.
#![allow(unsafe_code)]

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// A new network namespace for this thread (unshare(2), CLONE_NEWNET).
pub(crate) fn unshare_network() -> rustix::io::Result<()> {
    // SAFETY: unshare is unsafe for what it can do to descriptors that threads share (CLONE_FILES). This flag concerns
    // only which network the sockets that are made from now on belong to.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }
}
