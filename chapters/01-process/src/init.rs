//! PID 1 for those who are not made for it (`--init`).
//!
//! The kernel treats the first process of a PID namespace specially: orphans become its children, which it must reap, and
//! a signal it has no handler for does nothing to it (pid_namespaces(7)). Most programs expect neither. So this init stays as PID 1, starts the
//! command as its child, passes every signal on, reaps whatever ends, and ends as the command did.

use std::convert::Infallible;

use rustix::io::Result;
use rustix::process::{WaitOptions, wait};

use crate::ExitStatus;
use crate::report::{At, Failure, Step};
use crate::sys::{self, Title};

/// Forks: the child goes on with `command`, this process stays as its init. Returns only if it could not fork.
pub(crate) fn run(title: Option<&Title>, command: impl FnOnce() -> Infallible) -> Failure {
    sys::block_all_signals();
    let child = sys::fork(|| {
        take_terminal();
        sys::default_signals();
        command()
    });
    match child.at(Step::Init) {
        Ok(child) => {
            if let Some(title) = title {
                title.apply();
            }
            reap_until(child)
        }
        Err(failure) => failure,
    }
}

/// A process group of its own, in the foreground: what is typed (^C) is for the command alone, which does not get it a second
/// time from us. It may fail: without a terminal there is no foreground (ENOTTY), and none is needed.
fn take_terminal() {
    let _ = rustix::process::setpgid(None, None);
    let _ = rustix::termios::tcsetpgrp(rustix::stdio::stdin(), rustix::process::getpid());
}

fn reap_until(child: i32) -> ! {
    // The engine waits until the last copy of its socket is closed; and nothing of the engine's may stay open here.
    if sys::close_all_but(&[0, 1, 2]).is_err() {
        sys::exit_now(128);
    }
    // For `ps` only.
    let _ = rustix::thread::set_name(c"init");
    sys::exit_now(live(&mut Itself, child).unwrap_or(128))
}

/// What an init asks of the kernel.
pub trait Kernel {
    /// Waits until a signal has come for this process, and takes it: sigwaitinfo(2).
    ///
    /// # Errors
    /// There is nothing to wait for.
    fn next_signal(&mut self) -> Result<i32>;

    /// Reaps one child that has ended, wait(2) with WNOHANG: its number and its exit code. None if none has ended (or none is left).
    fn reap(&mut self) -> Option<(i32, i32)>;

    /// Sends a signal to a process: kill(2). It may have ended meanwhile, and then nothing happens.
    fn kill(&mut self, pid: i32, signal: i32);
}

/// The life of process 1: until `command`, its first child, has ended. Returns the command's exit code.
///
/// In its PID namespace, process 1 has the duties of init (pid_namespaces(7)). One by one it takes the signals that come:
/// * `libc::SIGCHLD`: children have ended, perhaps more than one: signals do not queue, and three that end at once may be told by one SIGCHLD
///   (signal(7)). Each must be reaped, or it stays a zombie. Most are strangers: a process whose parent has died
///   becomes a child of process 1. If the command was among them, its exit code is init's own, and the container has ended.
/// * any other signal is meant for the command: whoever sends `docker stop`'s SIGTERM knows only process 1.
///
/// # Errors
/// [`Kernel::next_signal`]'s.
pub fn live(kernel: &mut impl Kernel, command: i32) -> Result<i32> {
    // exercise: 1.6 reaper: reap all, forward the rest, end as the command did
    todo!("exercise 1.6, reaper: reap all, forward the rest, end as the command did")
    // end exercise
}

/// The kernel that we run on.
struct Itself;

impl Kernel for Itself {
    fn next_signal(&mut self) -> Result<i32> {
        sys::next_signal()
    }

    fn reap(&mut self) -> Option<(i32, i32)> {
        let (pid, status) = wait(WaitOptions::NOHANG).ok()??;
        let exited = status.exit_status().map(ExitStatus::Exited);
        // Nothing else is told without WUNTRACED and WCONTINUED.
        let ended = exited.or_else(|| status.terminating_signal().map(ExitStatus::Killed))?;
        Some((pid.as_raw_pid(), ended.code()))
    }

    fn kill(&mut self, pid: i32, signal: i32) {
        // It fails if the command is gone, which the next SIGCHLD tells.
        let _ = sys::kill(pid, signal);
    }
}
