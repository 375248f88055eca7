//! The engine's only unsafe code.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Closes all descriptors but the standard three and these.
pub(crate) fn close_all_but(mut keep: Vec<RawFd>) -> std::io::Result<()> {
    keep.sort_unstable();
    // From each that is kept to the next; the numbers above the last one go on for ever.
    let befores = [2].into_iter().chain(keep.iter().copied());
    for (before, next) in befores.zip(keep.iter().copied().chain([RawFd::MAX])) {
        let (first, last) = (before + 1, next - 1);
        // SAFETY: integers only. Only a shim calls this, first thing in its life: nothing in this process has opened or
        // wrapped any of these descriptors, so none is closed behind its owner's back.
        if first <= last && unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Unmaps our own code as it stands. What is executed again is mapped again, out of the page cache, at the price of a
/// fault.
pub(crate) fn forget_code() {
    let here = forget_code as fn() as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut code = maps.lines().filter_map(|line| {
        let (range, _) = line.split_once(" r-xp ")?;
        let (start, end) = range.split_once('-')?;
        Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
    });
    if let Some(code) = code.find(|range| range.contains(&here)) {
        // SAFETY: pages of a file that were never written (the mapping is not writable), so the kernel finds the very
        // same bytes when they are next executed; not even this function notices. A failure leaves things as they are.
        unsafe { libc::madvise(code.start as *mut libc::c_void, code.len(), libc::MADV_DONTNEED) };
    }
}

/// How much of what was written to this socket its other end has not read yet: SIOCOUTQ, of which unix(7) says nothing and tcp(7) a word.
/// (The kernel counts what it takes to keep it; nothing is nothing.)
///
/// # Errors
/// It is no socket.
pub fn unread_by_peer(socket: BorrowedFd<'_>) -> std::io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: this request writes one int, to where `bytes` is for the whole call.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(usize::try_from(bytes).unwrap_or_default())
}

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

/// Makes a detached mount, and those beneath it, private, and read-only if that is wanted: mount_setattr(2), which neither nix nor
/// rustix wraps.
pub(crate) fn make_private(mount: BorrowedFd<'_>, read_only: bool) -> std::io::Result<()> {
    let attr_set = if read_only { libc::MOUNT_ATTR_RDONLY } else { 0 };
    let attributes = libc::mount_attr { attr_set, attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: 0 };
    // SAFETY: the path is an empty C string and `attributes` outlives the call; both are only read, and the size is
    // that of the structure.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}
