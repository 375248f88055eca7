//! seccomp(2) and bpf(2): programs handed to the kernel.
#![allow(unsafe_code)]

use rustix::io::{Errno, Result};

use super::last_error;

/// `seccomp(SECCOMP_SET_MODE_FILTER, flags, program)`. Async-signal-safe.
pub(crate) fn seccomp_set_filter(program: &[libc::sock_filter], flags: u32) -> Result<()> {
    let program = libc::sock_fprog {
        len: program.len().try_into().map_err(|_| Errno::INVAL)?,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel reads `len` instructions from `filter`, both of which come from one slice that outlives the
    // call, and writes nothing.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, libc::c_ulong::from(flags), &raw const program)
    };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}
