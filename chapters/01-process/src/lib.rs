// Chapter 1, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 1` says what is to be done, `cargo workshop use 1 mine` has the runtime run on it.

//! A container is a Unix process with a different view of the world, and fewer rights in it.
//!
//! This crate goes from an OCI runtime configuration ([`oci::Spec`]) and a root folder to that process. The data flows one
//! way: [`launch`] turns the specification into a plan, in which every string is ready and every source is open; one
//! clone3(2) makes a child in its new namespaces; the child carries out the plan with system calls only (the sequence is
//! `child.rs`, to be read first), and ends in execve(2), or reports the step that failed. [`join`] does the same in a
//! container that runs already: that is `exec`.

pub mod capabilities;
#[path = "../../../solutions/01-process/src/cgroup/mod.rs"]
pub mod cgroup;
#[path = "../../../solutions/01-process/src/defaults.rs"]
pub mod defaults;
#[path = "../../../solutions/01-process/src/device_rules.rs"]
pub mod device_rules;
pub mod init;
pub mod namespaces;
#[path = "../../../solutions/01-process/src/rlimits.rs"]
pub mod rlimits;
pub mod rootfs;
#[path = "../../../solutions/01-process/src/seccomp/mod.rs"]
pub mod seccomp;
#[path = "../../../solutions/01-process/src/signal.rs"]
pub mod signal;
#[path = "../../../solutions/01-process/src/sysctl.rs"]
pub mod sysctl;
#[path = "../../../solutions/01-process/src/unfinished.rs"]
pub mod unfinished;
#[path = "../../../solutions/01-process/src/user.rs"]
pub mod user;
#[path = "../../../solutions/01-process/src/userns/mod.rs"]
pub mod userns;

#[path = "../../../solutions/01-process/src/beneath.rs"]
mod beneath;
#[path = "../../../solutions/01-process/src/birth.rs"]
mod birth;
#[path = "../../../solutions/01-process/src/cgroup_mount.rs"]
mod cgroup_mount;
#[path = "../../../solutions/01-process/src/child.rs"]
mod child;
#[path = "../../../solutions/01-process/src/command.rs"]
mod command;
#[path = "../../../solutions/01-process/src/devices.rs"]
mod devices;
#[path = "../../../solutions/01-process/src/error.rs"]
mod error;
mod exit;
#[path = "../../../solutions/01-process/src/join.rs"]
mod join;
#[path = "../../../solutions/01-process/src/launch.rs"]
mod launch;
#[path = "../../../solutions/01-process/src/mount_options.rs"]
mod mount_options;
#[path = "../../../solutions/01-process/src/mounts.rs"]
mod mounts;
#[path = "../../../solutions/01-process/src/process.rs"]
mod process;
#[path = "../../../solutions/01-process/src/report.rs"]
mod report;
#[path = "../../../solutions/01-process/src/sealed.rs"]
mod sealed;
#[path = "../../../solutions/01-process/src/sys/mod.rs"]
mod sys;
#[path = "../../../solutions/01-process/src/terminal.rs"]
mod terminal;

#[cfg(test)]
#[path = "../../../tests/support/not_run.rs"]
mod not_run;

pub use error::{Error, Result};
pub use exit::ExitStatus;
pub use join::join;
pub use launch::{Options, Rootfs, Running, Streams, launch};
pub use mounts::Tree;
pub use report::Step;
pub use sealed::own_binary;

/// Whose chapter this is: `solution-1` the reference, `chapter-1` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");

/// The types of `config.json` (OCI runtime specification).
pub mod oci {
    pub use oci_spec::runtime::*;
}

/// A string for the kernel.
fn c_string(text: &str) -> Result<std::ffi::CString> {
    std::ffi::CString::new(text).map_err(|_| Error::Unsupported(format!("{text:?} holds a NUL")))
}
