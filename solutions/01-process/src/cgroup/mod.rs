//! A container's cgroup.

/// A container's cgroup.
#[derive(Debug)]
pub struct Cgroup {}
