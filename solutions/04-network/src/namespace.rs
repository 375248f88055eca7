//! Network namespaces (network_namespaces(7)): made, and visited.

use crate::{Error, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A network namespace that is held open: it lasts at least as long as this.
#[derive(Debug)]
pub struct Namespace {
    fd: OwnedFd,
}

impl Namespace {
    /// The one this thread is in.
    ///
    /// # Errors
    /// There is no /proc.
    pub fn current() -> Result<Self> {
        let file = File::open("/proc/thread-self/ns/net").map_err(Error::file("open /proc/thread-self/ns/net"))?;
        Ok(Self { fd: file.into() })
    }

    /// A new one, and what `prepare` has made in it. This thread is back where it was afterwards.
    ///
    /// # Errors
    /// The kernel refuses, or `prepare` fails.
    pub fn make<T>(prepare: impl FnOnce() -> Result<T>) -> Result<(Self, T)> {
        let host = Self::current()?;
        tracing::info!(target: "explain", man = "network_namespaces(7)", shell = "ip netns add …",
            "making a network namespace: a network of its own, with nothing in it but a loopback interface");
        crate::sys::unshare_network().map_err(Error::kernel("make a network namespace"))?;
        // Back in any case: whoever stayed there would be cut off.
        let made = Self::current().and_then(|made| Ok((made, prepare()?)));
        host.enter()?;
        made
    }

    /// A new one for this thread, for good: whoever is not root of the old one cannot go back.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn leave_for_a_new_one() -> Result<()> {
        tracing::info!(target: "explain", man = "network_namespaces(7)", shell = "unshare --net",
            "making a network of your own, in which your containers are plugged together");
        crate::sys::unshare_network().map_err(Error::kernel("make a network namespace"))
    }

    /// Takes this thread into it, for good.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remain(&self) -> Result<()> {
        self.enter()
    }

    /// The same namespace, held once more.
    ///
    /// # Errors
    /// There are no more descriptors.
    pub fn try_clone(&self) -> Result<Self> {
        let fd = self.fd.try_clone().map_err(Error::file("hold a network namespace"))?;
        Ok(Self { fd })
    }

    /// Does something in this namespace.
    ///
    /// # Errors
    /// The kernel refuses, or `visit` fails.
    pub fn visit<T>(&self, visit: impl FnOnce() -> Result<T>) -> Result<T> {
        let host = Self::current()?;
        self.enter()?;
        let outcome = visit();
        host.enter()?;
        outcome
    }

    fn enter(&self) -> Result<()> {
        move_into_link_name_space(self.fd.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(Error::kernel("enter a network namespace"))
    }
}

impl From<File> for Namespace {
    /// The one that this file of /proc shows.
    fn from(file: File) -> Self {
        Self { fd: file.into() }
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
