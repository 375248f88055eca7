//! Namespaces, and what is done in them.

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::process::Command;

/// Where the host and a plain neighbour are in this network.
pub(crate) const HOST: &str = "198.51.100.1";
pub(crate) const NEIGHBOUR: &str = "198.51.100.2";

/// This process, which has one thread, is in a network of its own from now on, and with it all that it starts.
pub(crate) fn leave_for_a_network_of_our_own() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("cannot make a network namespace")?;
    shell("ip link set lo up")
}

/// A command line that has to go well.
pub(crate) fn shell(line: &str) -> Result<()> {
    let output = Command::new("sh").args(["-ec", line]).output()?;
    anyhow::ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Does something in the network of this process, in a thread that ends with it; sockets that are made there stay there.
pub(crate) fn within<T: Send>(pid: u32, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let there = File::open(format!("/proc/{pid}/ns/net"))?;
    let visit = || {
        setns(&there, CloneFlags::CLONE_NEWNET)?;
        work()
    };
    let done = std::thread::scope(|scope| scope.spawn(visit).join());
    done.unwrap_or_else(|_| anyhow::bail!("a visit to another network panicked"))
}
