//! A container is a Unix process with a different view of the world, and fewer rights in it.
//!
//! This crate goes from an OCI runtime configuration ([`oci::Spec`]) and a root folder to that process. The data flows one
//! way: [`launch`] turns the specification into a plan, in which every string is ready and every source is open; one
//! clone3(2) makes a child in its new namespaces; the child carries out the plan with system calls only (the sequence is
//! `child.rs`, to be read first), and ends in execve(2), or reports the step that failed. [`join`] does the same in a
//! container that runs already: that is `exec`.

pub mod capabilities;
pub mod cgroup;
pub mod defaults;
pub mod device_rules;
pub mod init;
pub mod namespaces;
pub mod rlimits;
pub mod rootfs;
pub mod seccomp;
pub mod signal;
pub mod sysctl;
pub mod unfinished;
pub mod user;
pub mod userns;

mod beneath;
mod birth;
mod cgroup_mount;
mod child;
mod command;
mod devices;
mod error;
mod exit;
mod join;
mod launch;
mod mount_options;
mod mounts;
mod process;
mod report;
mod sealed;
mod sys;
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
