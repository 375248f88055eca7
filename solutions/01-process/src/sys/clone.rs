//! clone3(2), fork(2), execve(2): how a process begins.
#![allow(unsafe_code)]

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::io::{Errno, Result};

use super::last_error;

/// linux/sched.h; the libc crate has it for glibc only, and with the wrong type.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
/// The child starts without our signal handlers: one that ran there would act in our name.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/// The parent's side of a clone.
#[derive(Debug)]
pub(crate) struct Cloned {
    pub pid: i32,
    pub pidfd: OwnedFd,
}

/// clone3(2) with namespaces and a cgroup; `child` runs in the new process and never returns. It may only make system
/// calls: other threads of ours may have held the allocator's lock when the copy was taken.
pub(crate) fn clone_into(
    namespaces: u64,
    cgroup: Option<BorrowedFd<'_>>,
    child: impl FnOnce() -> Infallible,
) -> Result<Cloned> {
    let mut pidfd: RawFd = -1;
    let mut arguments = arguments(namespaces, cgroup);
    arguments.flags |= libc::CLONE_PIDFD as u64;
    arguments.pidfd = &raw mut pidfd as u64;
    arguments.exit_signal = libc::SIGCHLD as u64;
    let pid = clone3(&arguments, child)?;
    // SAFETY: CLONE_PIDFD has put a new descriptor there, which nobody else knows of.
    Ok(Cloned { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } })
}

/// As [`clone_into`], but the new process is the child of our own parent (CLONE_PARENT), which is told its number.
/// Without namespaces this is clone(2): a process that has its seccomp filter already may not be allowed the newer
/// call.
pub(crate) fn clone_sibling(namespaces: u64, child: impl FnOnce() -> Infallible) -> Result<i32> {
    if namespaces == 0 {
        return clone(libc::CLONE_PARENT | libc::SIGCHLD, child);
    }
    let mut arguments = arguments(namespaces, None);
    arguments.flags |= libc::CLONE_PARENT as u64;
    clone3(&arguments, child)
}

fn arguments(namespaces: u64, cgroup: Option<BorrowedFd<'_>>) -> libc::clone_args {
    // SAFETY: clone_args is a struct of integers, for which zeros are the kernel's own defaults.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = namespaces | CLONE_CLEAR_SIGHAND;
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = cgroup.as_raw_fd() as u64;
    }
    arguments
}

fn clone3(arguments: &libc::clone_args, child: impl FnOnce() -> Infallible) -> Result<i32> {
    // SAFETY: without CLONE_VM the child has a copy of this memory and of this stack, so both sides may go on from here.
    // `arguments` and what it points at outlive the call, and the size given is that of the struct.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::from_ref(arguments), size_of::<libc::clone_args>()) };
    match pid {
        -1 => Err(last_error()),
        0 => run(child),
        _ => Ok(pid as i32),
    }
}

/// A plain copy of this process: clone(2) and not clone3, which Docker's seccomp profile hides, and not the C library's
/// fork, which takes locks. `child` as for [`clone_into`].
pub(crate) fn fork(child: impl FnOnce() -> Infallible) -> Result<i32> {
    clone(libc::SIGCHLD, child)
}

fn clone(flags: libc::c_int, child: impl FnOnce() -> Infallible) -> Result<i32> {
    // SAFETY: neither caller passes CLONE_VM, so the child gets a copy of everything, as above; no pointer is passed.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match pid {
        -1 => Err(last_error()),
        0 => run(child),
        _ => Ok(pid as i32),
    }
}

/// Runs the child's side, and lets nothing of it, not even a panic, unwind into the parent's half of the program.
fn run(child: impl FnOnce() -> Infallible) -> ! {
    struct NoWayBack;
    impl Drop for NoWayBack {
        fn drop(&mut self) {
            exit_now(128)
        }
    }
    let _guard = NoWayBack;
    match child() {}
}

/// _exit(2): no destructors, no flushed buffers that belong to the parent.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit takes any integer and never returns.
    unsafe { libc::_exit(code) }
}

/// A list of strings as execve(2) wants it: pointers, with a null at the end; made before the clone.
#[derive(Debug)]
pub(crate) struct Argv {
    /// Owns what the pointers point at; never touched again.
    _strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Argv {
    pub(crate) fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { _strings: strings, pointers }
    }
}

/// execve(2). Returns only with its error.
pub(crate) fn execve(path: &CStr, arguments: &Argv, environment: &Argv) -> Errno {
    // SAFETY: `path` ends in a NUL; both lists end in a null pointer, and each of their pointers is to a CString that
    // the Argv owns (its buffer is on the heap, so moving the Argv did not move it).
    unsafe { libc::execve(path.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr()) };
    last_error()
}
