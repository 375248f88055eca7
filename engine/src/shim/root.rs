//! The files of a container that runs, as it sees them itself: its own mounts included.
//!
//! proc_pid_root(5) leads there, but only for who may trace the container; that is its shim, and for an ordinary user nobody
//! else: each command has a user namespace of its own. So the shim opens it, and hands it over (unix(7), `SCM_RIGHTS`). With it
//! goes the mount namespace: as long as that is open nothing is unmounted, though the container end.

use super::protocol::{self, Request};
use crate::container::record::Container;
use crate::{Error, Result};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

/// A root folder, and what keeps its mounts in place.
#[derive(Debug)]
pub(crate) struct Root {
    /// Opened with `O_PATH`.
    pub folder: OwnedFd,
    pub namespace: OwnedFd,
}

/// The root of a process, as that process sees it.
pub(super) fn of(pid: i32) -> Result<Root> {
    let open = |what: &str, flags| openat(CWD, format!("/proc/{pid}/{what}"), flags | OFlags::CLOEXEC, Mode::empty());
    let opened = || {
        let folder = open("root", OFlags::PATH | OFlags::DIRECTORY)?;
        Ok(Root { folder, namespace: open("ns/mnt", OFlags::RDONLY)? })
    };
    opened().map_err(|e: rustix::io::Errno| Error::system("open the container's root", e))
}

/// The root of a running container. None when there is no shim, or when it died on the way.
pub(crate) fn root_of(container: &Container) -> Result<Option<Root>> {
    let Some(stream) = protocol::open(container, Request::Root)? else { return Ok(None) };
    receive(&stream).map_err(|e| Error::system("take over the container's root", e))
}

impl Root {
    /// Sends both, behind the answer.
    pub(super) fn send(&self, to: &UnixStream) {
        let fds = [self.folder.as_fd(), self.namespace.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        // There is room for two.
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        // Who does not wait for it has gone.
        let _gone = sendmsg(to, &[IoSlice::new(b"r")], &mut ancillary, SendFlags::NOSIGNAL);
    }
}

fn receive(from: &UnixStream) -> rustix::io::Result<Option<Root>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(from, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    Ok(fds.next().zip(fds.next()).map(|(folder, namespace)| Root { folder, namespace }))
}
