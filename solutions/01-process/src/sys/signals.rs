//! Signals, for a child that starts clean and for an init that receives them all.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use rustix::io::{Errno, Result};

use super::last_error;

/// Every signal back to its default, none blocked. Handlers are gone already (CLONE_CLEAR_SIGHAND), but what we ignore
/// (SIGPIPE, as every Rust program does; SIGHUP under nohup) would stay ignored in the container, across execve.
pub(crate) fn default_signals() {
    // The kernel's own call: the C library's sigaction(3) leaves out two signals that it wants for itself, and they too
    // can be inherited as ignored. Larger than the kernel's structure on every architecture (sigaction(2), "C
    // library/kernel differences").
    let default = [0_u64; 8];
    let set_size = 8_usize;
    for signal in 1..=64 {
        // SAFETY: zeros are SIG_DFL with no flags and an empty mask; the kernel only reads `default`, which outlives
        // the call. SIGKILL and SIGSTOP are refused without harm.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const default, std::ptr::null::<u64>(), set_size) };
    }
    // SAFETY: the mask is a valid, empty set that outlives the call.
    unsafe {
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

fn all() -> libc::sigset_t {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set that it is given.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        all.assume_init()
    }
}

/// Blocks every signal, so that [`next_signal`] can fetch them one by one.
pub(crate) fn block_all_signals() {
    let all = all();
    // SAFETY: the set is initialised and outlives the call, which cannot fail with these arguments.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut()) };
}

/// Waits for a blocked signal: sigwaitinfo(2).
pub(crate) fn next_signal() -> Result<i32> {
    let all = all();
    loop {
        // SAFETY: the set is initialised and outlives the call; a null siginfo is allowed.
        match unsafe { libc::sigwaitinfo(&raw const all, std::ptr::null_mut()) } {
            -1 => match last_error() {
                Errno::INTR => {}
                error => return Err(error),
            },
            signal => return Ok(signal),
        }
    }
}
