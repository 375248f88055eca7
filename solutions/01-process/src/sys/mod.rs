//! The system calls that no crate offers safely. All `unsafe` of this crate is here and in the files beneath.

mod bpf;
mod clone;
mod files;
mod filter;
mod mount;
mod network;
mod signals;
mod title;

pub(crate) use bpf::{BpfInstruction, bpf_attach_device_program, bpf_load_device_program};
pub(crate) use clone::{Argv, Cloned, clone_into, clone_sibling, execve, exit_now, fork};
pub(crate) use files::{
    close_all_but, close_on_exec_from, cwd_is_inside, kill, new_session_keyring, pidfd_send_signal, still_open,
};
pub(crate) use filter::seccomp_set_filter;
pub(crate) use mount::{MountAttributes, mount_setattr};
pub(crate) use network::loopback_up;
pub(crate) use signals::{block_all_signals, default_signals, next_signal};
pub(crate) use title::Title;

use rustix::io::Errno;

/// The errno of the libc call that has just failed.
fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
