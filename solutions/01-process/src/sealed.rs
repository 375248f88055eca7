//! The engine's own binary, out of a container's reach.
//!
//! Before its execve(2), a container's process is a copy of the engine, and `/proc/PID/exe` is the engine's binary:
//! CVE-2019-5736 was a container that opened it there and wrote to it. An engine started from the descriptor below
//! (`/proc/self/fd/N`) shows nothing that could be written, not even by root.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{MemfdFlags, OFlags, SealFlags, fcntl_add_seals, fstat, memfd_create};
use rustix::mount::{OpenTreeFlags, open_tree};

use crate::mount_options::RDONLY;
use crate::sys::{MountAttributes, mount_setattr};
use crate::{Error, Result, beneath};

const OWN: &CStr = c"/proc/self/exe";

/// This program's binary on a read-only mount that no other path leads to, or, where that cannot be had (the file is no
/// longer where it was), as a sealed copy in memory. Always the copy where the container may mount (CAP_SYS_ADMIN): it
/// could make any mount writable that it holds a descriptor of (mount_setattr(2)). Needs CAP_SYS_ADMIN itself.
///
/// # Errors
/// /proc is not mounted, or the system is out of memory.
pub fn own_binary(container_may_mount: bool) -> Result<OwnedFd> {
    let failed = |error| Error::system("cannot protect the engine's own binary", error);
    tracing::info!(
        target: "explain",
        man = "mount_setattr(2)",
        shell = "mount --bind -o ro /proc/self/exe …",
        "putting the engine's binary out of the container's reach"
    );
    if container_may_mount {
        return sealed_copy();
    }
    match readonly_mount() {
        Ok(Some(binary)) => Ok(binary),
        Ok(None) => sealed_copy(),
        // An old kernel, or a filesystem that cannot be bound.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => sealed_copy(),
        Err(error) => Err(failed(error)),
    }
}

fn readonly_mount() -> rustix::io::Result<Option<OwnedFd>> {
    // Looked up by its path: /proc/self/exe itself belongs to the mount namespace in which it was started.
    let Ok(path) = std::env::current_exe() else { return Ok(None) };
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let binary = match open_tree(rustix::fs::CWD, &path, clone) {
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::ACCESS) => return Ok(None),
        binary => binary?,
    };
    let (found, running) = (fstat(&binary)?, rustix::fs::stat(OWN)?);
    if (found.st_dev, found.st_ino) != (running.st_dev, running.st_ino) {
        return Ok(None);
    }
    mount_setattr(binary.as_fd(), false, MountAttributes { set: RDONLY, ..MountAttributes::default() })?;
    Ok(Some(binary))
}

/// memfd_create(2), sealed: neither writable nor of another size, for anybody, ever again.
fn sealed_copy() -> Result<OwnedFd> {
    let failed = |error| Error::system("cannot copy the engine's own binary", error);
    let mut from = File::from(beneath::open_host(OWN, OFlags::RDONLY).map_err(failed)?);
    let copy = memfd_create(c"kesako", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).map_err(failed)?;
    let mut to = File::from(copy);
    std::io::copy(&mut from, &mut to)
        .map_err(|source| Error::System { step: "cannot copy the engine's own binary".to_owned(), source })?;
    fcntl_add_seals(&to, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE).map_err(failed)?;
    Ok(OwnedFd::from(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_sealed_copy_cannot_be_written() {
        let copy = sealed_copy().unwrap();
        let again = std::fs::OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", copy.as_raw_fd()));
        assert!(again.is_err() || again.unwrap().write(b"x").is_err());
        assert_eq!(fstat(&copy).unwrap().st_size, fstat(File::open("/proc/self/exe").unwrap()).unwrap().st_size);
    }
}
