//! Seccomp: the list of system calls a container may make (seccomp(2)).
//!
//! A profile (Docker's default in [`default_spec`], a user's own through [`parse_profile`]) becomes the OCI
//! description, [`compile`] turns that into a program for the kernel's packet-filter machine, and [`Filter::apply`]
//! hands it over. From then on the kernel runs it at every system call of the process and of all its children, and
//! nothing can take it away.

mod bpf;
mod docker;
mod profile;
mod syscalls;

use crate::{Error, oci, sys};
use oci::{
    LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompFilterFlag as Flag,
    LinuxSeccompOperator as Operator,
};

pub use docker::parse_profile;
pub use profile::default_spec;

/// A program ready for the kernel.
#[derive(Debug, Clone)]
pub struct Filter {
    program: Vec<libc::sock_filter>,
    flags: u32,
}

/// Turns a description into a program.
///
/// Names that this architecture does not have are passed over, as the OCI runtime-spec allows (config-linux.md,
/// «Seccomp»): a profile is written for many architectures and kernels.
///
/// # Errors
/// An action that needs a listener (`SCMP_ACT_NOTIFY`), a condition on a seventh argument, a program beyond the
/// kernel's 4096 instructions.
pub fn compile(spec: &oci::LinuxSeccomp) -> Result<Filter, Error> {
    let program = bpf::program(spec)?;
    let flags = spec.flags().as_ref().map_or(libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW as u32, |flags| {
        flags.iter().fold(0, |bits, flag| bits | flag_bit(*flag))
    });
    tracing::info!(
        target: "explain",
        man = "seccomp(2)",
        shell = "docker run --security-opt seccomp=profile.json …",
        "a filter of {} instructions decides which system calls the container may make",
        program.len()
    );
    Ok(Filter { program, flags })
}

impl Filter {
    /// Puts the filter in force for the calling thread. The last thing before exec (or before the capabilities are
    /// given up, when `no_new_privs` is not set: seccomp(2) wants one of the two). Async-signal-safe.
    pub fn apply(&self) -> rustix::io::Result<()> {
        sys::seccomp_set_filter(&self.program, self.flags)
    }
}

/// The architectures this machine's programs may be built for; the first is its own.
fn architectures() -> Vec<oci::Arch> {
    if cfg!(target_arch = "aarch64") {
        vec![oci::Arch::ScmpArchAarch64, oci::Arch::ScmpArchArm]
    } else {
        vec![oci::Arch::ScmpArchX86_64, oci::Arch::ScmpArchX86, oci::Arch::ScmpArchX32]
    }
}

/// A condition on an argument. (The builder cannot fail: every field is set.)
fn condition(index: usize, operator: Operator, value: u64, value_two: Option<u64>) -> LinuxSeccompArg {
    let condition = LinuxSeccompArgBuilder::default().index(index).op(operator).value(value);
    match value_two {
        Some(two) => condition.value_two(two),
        None => condition,
    }
    .build()
    .unwrap_or_default()
}

/// linux/seccomp.h
fn flag_bit(flag: Flag) -> u32 {
    match flag {
        Flag::SeccompFilterFlagTsync => 1 << 0,
        Flag::SeccompFilterFlagLog => 1 << 1,
        Flag::SeccompFilterFlagSpecAllow => 1 << 2,
        Flag::SeccompFilterFlagWaitKillableRecv => 1 << 5,
    }
}

#[cfg(test)]
mod tests;
