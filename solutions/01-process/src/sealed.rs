//! The engine's own binary, out of a container's reach (CVE-2019-5736).
#![allow(clippy::todo)]

use std::os::fd::OwnedFd;

use crate::Result;

/// This program's binary on a read-only, detached mount: what is executed from it (`/proc/self/fd/N`) shows containers an
/// `/proc/PID/exe` that nobody can write to. Needs CAP_SYS_ADMIN.
pub fn own_binary() -> Result<OwnedFd> {
    todo!()
}
