//! A container's cgroup: the set of its processes, and the limits on it (cgroups(7)).
#![allow(clippy::todo, unused_variables)]

use std::os::fd::{BorrowedFd, OwnedFd};

use crate::{Result, oci};

/// A container's cgroup: a folder in the unified (v2) hierarchy if there is one, and one for each v1 controller that a limit needs.
#[derive(Debug)]
pub struct Cgroup {}

/// What a container uses right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes, without what the kernel could drop at once (inactive page cache), as `docker stats` shows it.
    pub memory: u64,
    /// Bytes; nothing if there is no limit.
    pub memory_limit: Option<u64>,
    /// All processors together.
    pub cpu_nanoseconds: u64,
    pub cpu_user_nanoseconds: u64,
    pub cpu_system_nanoseconds: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Nothing if there is no limit.
    pub pids_limit: Option<u64>,
}

impl Cgroup {
    /// Makes the cgroup `/kesako/<name>`, and the warnings Docker would print.
    ///
    /// # Errors
    /// A limit was asked for and nothing on this host can enforce it. Without a limit, a user who may not make cgroups gets
    /// one that holds nothing.
    pub fn create(name: &str, resources: &oci::LinuxResources) -> Result<(Self, Vec<String>)> {
        todo!()
    }

    /// Finds the cgroup of a container that runs, or what one left behind.
    pub fn open(name: &str) -> Self {
        todo!()
    }

    /// The folder for clone3(2)'s `CLONE_INTO_CGROUP`.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        todo!()
    }

    /// Files of the groups that `CLONE_INTO_CGROUP` does not reach (v1 controllers): a process joins by writing `0` to
    /// each, before exec. So nobody has to wait for anybody.
    pub fn joins(&self) -> Result<Vec<OwnedFd>> {
        todo!()
    }

    /// Moves a process, with all its threads, into every group.
    pub fn add(&self, pid: i32) -> Result<()> {
        todo!()
    }

    /// All processes in the cgroup and beneath it, as this process's PID namespace numbers them.
    pub fn processes(&self) -> Result<Vec<i32>> {
        todo!()
    }

    /// Stops every process where it is (`docker pause`).
    pub fn freeze(&self) -> Result<()> {
        todo!()
    }

    pub fn thaw(&self) -> Result<()> {
        todo!()
    }

    /// SIGKILL to every process.
    pub fn kill(&self) -> Result<()> {
        todo!()
    }

    /// How many processes the kernel has killed for want of memory.
    pub fn oom_kills(&self) -> u64 {
        todo!()
    }

    pub fn stats(&self) -> Result<Stats> {
        todo!()
    }

    /// Changes the limits of a running container.
    pub fn update(&mut self, resources: &oci::LinuxResources) -> Result<Vec<String>> {
        todo!()
    }

    /// Removes the folders; the parent, too, when this was the last.
    pub fn remove(self) -> Result<()> {
        todo!()
    }
}
