//! Descriptors, keys, the working directory, and signals sent by number.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use rustix::io::{Errno, Result};

use super::last_error;

/// linux/close_range.h
const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;

fn close_range(first: RawFd, last: libc::c_uint, flags: libc::c_uint) -> Result<()> {
    // SAFETY: integers only. What is closed belongs to this process, a child that drops none of its descriptors (it
    // ends in execve or _exit), so nothing is closed twice.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first as libc::c_uint, last, flags) };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

/// Everything from `first` up is closed when execve(2) succeeds, whoever opened it and with which flags.
pub(crate) fn close_on_exec_from(first: RawFd) -> Result<()> {
    close_range(first, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC)
}

/// Closes everything but `keep` (ascending), at once. Only for the child of a clone.
pub(crate) fn close_all_but(keep: &[RawFd]) -> Result<()> {
    let mut next = 0;
    for &fd in keep {
        if fd > next {
            close_range(next, fd as libc::c_uint - 1, 0)?;
        }
        next = fd + 1;
    }
    close_range(next, libc::c_uint::MAX, 0)
}

/// Whether the working directory can be reached from the root. If it cannot (CVE-2024-21626: `/proc/self/fd/7`, a
/// folder of the host), the kernel puts `(unreachable)` in front of its path (getcwd(2)).
pub(crate) fn cwd_is_inside() -> Result<bool> {
    let mut path = [0_u8; 4096];
    // SAFETY: the kernel writes at most the given number of bytes.
    let length = unsafe { libc::syscall(libc::SYS_getcwd, path.as_mut_ptr(), path.len()) };
    match length {
        -1 => match last_error() {
            Errno::NOENT => Ok(false),
            error => Err(error),
        },
        _ => Ok(path[0] == b'/'),
    }
}

/// keyctl(2), KEYCTL_JOIN_SESSION_KEYRING: a new, empty keyring in the place of the one we inherited.
pub(crate) fn new_session_keyring() -> Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_int = 1;
    let no_name = std::ptr::null::<libc::c_char>();
    // SAFETY: a null name asks for a keyring without one; nothing else is passed.
    match unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, no_name) } {
        -1 => match last_error() {
            // A kernel without keys; or a filter that forbids them to us, and so to the container, which inherits it.
            Errno::NOSYS | Errno::PERM => Ok(()),
            error => Err(error),
        },
        _ => Ok(()),
    }
}

/// kill(2), which, unlike the safe wrappers, takes real-time signals.
pub(crate) fn kill(pid: i32, signal: i32) -> Result<()> {
    // SAFETY: two integers.
    if unsafe { libc::kill(pid, signal) } == 0 { Ok(()) } else { Err(last_error()) }
}

/// pidfd_send_signal(2): as above, and it cannot hit another process that got the same number.
pub(crate) fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> Result<()> {
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo asks the kernel to fill one in, as for kill(2).
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, no_info, 0) };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

/// A descriptor by its number, of a child that cannot reach the variable that owns it.
pub(crate) fn still_open(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: not -1, as the caller knows; the process ends before anything could close it. If it is closed already, a
    // system call on it fails with EBADF, and touches no memory.
    unsafe { BorrowedFd::borrow_raw(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keyring that this thread has as its session's (keyctl(2), KEYCTL_GET_KEYRING_ID).
    fn session_keyring() -> i64 {
        const GET_KEYRING_ID: libc::c_int = 0;
        const SESSION: libc::c_int = -3;
        // SAFETY: integers only.
        unsafe { libc::syscall(libc::SYS_keyctl, GET_KEYRING_ID, SESSION, 0) }
    }

    #[test]
    fn the_keys_of_the_host_are_left_behind() {
        let before = session_keyring();
        if before == -1 {
            return eprintln!("NOT RUN: keyctl(2) is not to be had here");
        }
        // A thread has keyrings of its own, so it is enough of a process here.
        let after = std::thread::spawn(|| new_session_keyring().map(|()| session_keyring())).join().unwrap().unwrap();
        assert!(after > 0 && after != before, "{before} {after}");
    }
}
