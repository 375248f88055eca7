//! PID 1 for those who are not made for it (`--init`).
//!
//! The kernel treats the first process of a PID namespace specially: orphans become its children, which it must reap, and
//! a signal it has no handler for does nothing to it (pid_namespaces(7)). Most programs expect neither. So this init stays as PID 1, starts the
//! command as its child, passes every signal on, reaps whatever ends, and ends as the command did.

use std::convert::Infallible;

use rustix::process::{WaitOptions, wait};

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
    loop {
        match sys::next_signal() {
            Ok(libc::SIGCHLD) => {
                if let Some(code) = reap_all(child) {
                    sys::exit_now(code);
                }
            }
            // It fails if the child is gone, which the next SIGCHLD tells.
            Ok(signal) => drop(sys::kill(child, signal)),
            Err(_) => sys::exit_now(128),
        }
    }
}

/// Reaps everything that has ended; the exit code if the command was among it.
fn reap_all(child: i32) -> Option<i32> {
    let mut ended = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid.as_raw_pid() == child {
            ended = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
        }
    }
    ended
}
