//! Who what a mount shows belongs to: `uid`, `gid`.

use build::instruction::Mount;
use rustix::fs::{AtFlags, Gid, Uid, chownat};
use rustix::io::Errno;
use rustix::path::Arg;
use std::io;
use std::os::fd::AsFd;

/// Gives a file in a folder to the user and the group of the mount, which are root's unless it says otherwise.
pub(crate) fn give(folder: impl AsFd, name: impl Arg, mount: &Mount) -> io::Result<()> {
    let (uid, gid) = (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0));
    match chownat(folder, name, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), AtFlags::SYMLINK_NOFOLLOW) {
        // An ordinary user may be one user only (user_namespaces(7)).
        Err(Errno::INVAL) => Err(io::Error::other(format!(
            "it cannot belong to {uid}:{gid}: this user namespace does not map the ids; install uidmap and add yourself to \
             /etc/subuid and /etc/subgid"
        ))),
        given => Ok(given?),
    }
}
