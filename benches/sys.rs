//! The system call of the floor program that no crate offers safely.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// linux/sched.h; it does not fit the type that the libc crate has for it.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// clone3(2): a child in new namespaces, born in a cgroup. Like fork(2), it returns twice: nothing in the child, its
/// PID in the parent.
pub(crate) fn clone_into(namespaces: i32, cgroup: BorrowedFd<'_>) -> io::Result<Option<i32>> {
    // SAFETY: `clone_args` consists of integers only, for which zero is a value; the kernel takes it for «not asked».
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = namespaces as u64 | CLONE_INTO_CGROUP;
    arguments.exit_signal = libc::SIGCHLD as u64;
    arguments.cgroup = cgroup.as_raw_fd() as u64;
    // SAFETY: without CLONE_VM the child has its own copy of everything, as after fork(2); this program has a single
    // thread, so no lock can be held by another. The kernel reads `arguments` and writes nothing, as no flag asks it
    // to.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<libc::clone_args>()) };
    match result {
        0 => Ok(None),
        pid if pid > 0 => Ok(Some(pid as i32)),
        _ => Err(io::Error::last_os_error()),
    }
}
