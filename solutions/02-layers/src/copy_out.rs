//! From files that are in use to an archive: `cp` out of a container, which may write to them meanwhile.
//!
//! What goes away while it is looked at is passed over, as if it had gone before. No link is ever followed, and of what is
//! opened only ordinary files are read ([`crate::pack`]): a container that exchanges a file for a link or a device while it is
//! copied gains nothing by it.

use std::io::Write;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::pack::{Packer, Walk, is_gone};
use crate::unpack::Whiteouts;

/// Writes what is at `path` beneath `root`, with all that is in it, as an archive in which it is called `name`. A folder of
/// which `passes_over` says so is taken as empty. Returns what could not be taken along, a line each.
///
/// # Errors
/// If something cannot be read, or the receiver goes away.
pub fn copy_out(
    root: BorrowedFd<'_>,
    path: &Path,
    name: &Path,
    passes_over: &dyn Fn(BorrowedFd<'_>) -> bool,
    to: &mut dyn Write,
) -> Result<Vec<String>> {
    let mut packer = Packer::new(root, Whiteouts::Keep, to).calling(path, name);
    let mut walk = Walk::of(root, path, Some(passes_over));
    while let Some((path, status)) = walk.next()? {
        match packer.entry(&path, &status) {
            // Before anything of it was written.
            Err(Error::Io { step: "open" | "read", source, .. }) if has_gone(&source) => {}
            done => done?,
        }
    }
    packer.finish()
}

fn has_gone(error: &std::io::Error) -> bool {
    // What was a link a moment ago is none any more: readlink(2), EINVAL.
    error.raw_os_error().map(Errno::from_raw_os_error).is_some_and(|errno| is_gone(errno) || errno == Errno::INVAL)
}
