//! What the child tells its parent between clone and exec.
//!
//! One socket pair, closed on exec. Silence is success: when execve(2) closes the child's end, the parent reads an end
//! of file. Otherwise it reads which step failed, on which object of the plan, and the errno. The terminal's master
//! travels on the same socket (SCM_RIGHTS, unix(7)), and so does the parent's "go on".

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, socketpair,
};

use crate::unfinished;

/// A step of the child that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    Parent,
    UserNamespace,
    EnterNamespaces,
    Clone,
    CgroupNamespace,
    OomScore,
    Loopback,
    Hostname,
    Domainname,
    MountNamespace,
    Rootfs,
    Mount,
    DeviceFolder,
    Device,
    Terminal,
    Console,
    Sysctl,
    MaskedPath,
    ReadonlyPath,
    ReadonlyRootfs,
    PivotRoot,
    Session,
    Keyring,
    Streams,
    CloseFiles,
    Rlimit,
    Groups,
    Gid,
    Uid,
    BoundingSet,
    Capabilities,
    NoNewPrivileges,
    Seccomp,
    MakeCwd,
    Cwd,
    CwdOutside,
    Init,
    /// No folder of `PATH` has it.
    CommandNotFound,
    /// There is no such file.
    CommandMissing,
    /// The file is there, but may not be executed.
    CommandDenied,
    /// execve(2) refused it.
    Exec,
}

impl Step {
    fn from_wire(number: u8) -> Option<Self> {
        // The order of the declaration; the test below holds the two together.
        const ALL: [Step; 41] = [
            Step::Parent,
            Step::UserNamespace,
            Step::EnterNamespaces,
            Step::Clone,
            Step::CgroupNamespace,
            Step::OomScore,
            Step::Loopback,
            Step::Hostname,
            Step::Domainname,
            Step::MountNamespace,
            Step::Rootfs,
            Step::Mount,
            Step::DeviceFolder,
            Step::Device,
            Step::Terminal,
            Step::Console,
            Step::Sysctl,
            Step::MaskedPath,
            Step::ReadonlyPath,
            Step::ReadonlyRootfs,
            Step::PivotRoot,
            Step::Session,
            Step::Keyring,
            Step::Streams,
            Step::CloseFiles,
            Step::Rlimit,
            Step::Groups,
            Step::Gid,
            Step::Uid,
            Step::BoundingSet,
            Step::Capabilities,
            Step::NoNewPrivileges,
            Step::Seccomp,
            Step::MakeCwd,
            Step::Cwd,
            Step::CwdOutside,
            Step::Init,
            Step::CommandNotFound,
            Step::CommandMissing,
            Step::CommandDenied,
            Step::Exec,
        ];
        ALL.get(usize::from(number)).copied()
    }
}

/// A step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub step: Step,
    /// Which of the plan's mounts, devices, paths, …
    pub index: usize,
    pub errno: Errno,
}

/// The result of a step, or of several.
pub(crate) type Outcome<T = ()> = std::result::Result<T, Failure>;

/// Says in which step a system call has failed.
pub(crate) trait At<T> {
    fn at(self, step: Step) -> Outcome<T>;
    fn at_index(self, step: Step, index: usize) -> Outcome<T>;
}

impl<T> At<T> for Result<T> {
    fn at(self, step: Step) -> Outcome<T> {
        self.at_index(step, 0)
    }

    fn at_index(self, step: Step, index: usize) -> Outcome<T> {
        self.map_err(|errno| Failure { step, index, errno })
    }
}

/// Both ends: the parent's, the child's.
pub(crate) fn channel() -> Result<(OwnedFd, OwnedFd)> {
    // SEQPACKET keeps messages apart.
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// What the parent hears.
pub(crate) enum Message {
    /// The child's end is closed: exec has succeeded (or the child is dead, which its pidfd tells).
    End,
    Failed(Failure),
    Terminal(OwnedFd),
    /// It has panicked, with these words.
    Panicked(String),
    /// A midwife's word (`birth.rs`): the number of the new process.
    Born(i32),
}

const FAILED: u8 = b'!';
const TERMINAL: u8 = b't';
const PANICKED: u8 = b'p';
const BORN: u8 = b'b';
const GO: u8 = b'g';

/// The child's side.
pub(crate) fn send_failure(to: BorrowedFd<'_>, failure: Failure) {
    let mut message = [FAILED, failure.step as u8, 0, 0, 0, 0, 0, 0, 0, 0];
    message[2..6].copy_from_slice(&(failure.index as u32).to_ne_bytes());
    message[6..10].copy_from_slice(&failure.errno.raw_os_error().to_ne_bytes());
    // If nobody listens any more there is nobody to tell.
    let _ = send(to, &message, SendFlags::NOSIGNAL);
}

/// The child's side: hands the terminal's master over.
pub(crate) fn send_terminal(to: BorrowedFd<'_>, master: &OwnedFd) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [master.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Errno::MSGSIZE);
    }
    sendmsg(to, &[IoSlice::new(&[TERMINAL])], &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// The child's side: its last words.
pub(crate) fn send_panic(to: BorrowedFd<'_>, words: &[u8]) -> Result<()> {
    sendmsg(
        to,
        &[IoSlice::new(&[PANICKED]), IoSlice::new(words)],
        &mut SendAncillaryBuffer::default(),
        SendFlags::NOSIGNAL,
    )
    .map(drop)
}

/// The midwife's side. A parent that is gone needs no word.
pub(crate) fn send_born(to: BorrowedFd<'_>, pid: i32) {
    let [p0, p1, p2, p3] = pid.to_ne_bytes();
    let _ = send(to, &[BORN, p0, p1, p2, p3], SendFlags::NOSIGNAL);
}

/// The child's side: waits until the parent has done its part (ID maps, cgroups that one cannot be born into).
pub(crate) fn wait_for_go(from: BorrowedFd<'_>) -> Result<()> {
    let mut byte = [0_u8; 1];
    match recv(from, &mut byte, RecvFlags::empty())? {
        (1, _) => Ok(()),
        _ => Err(Errno::PIPE),
    }
}

/// The child's side: whether the parent is still there. A socket whose other end is closed hangs up.
pub(crate) fn parent_lives(channel: BorrowedFd<'_>) -> Result<()> {
    let mut fds = [PollFd::from_borrowed_fd(channel, PollFlags::empty())];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    if fds[0].revents().contains(PollFlags::HUP) { Err(Errno::PIPE) } else { Ok(()) }
}

/// The parent's side.
pub(crate) fn send_go(to: BorrowedFd<'_>) -> Result<()> {
    send(to, &[GO], SendFlags::NOSIGNAL).map(drop)
}

/// The parent's side: whether there is something to read here within this time. Of a pidfd that is the end of its
/// process.
pub(crate) fn heard_within(fd: BorrowedFd<'_>, time: &Timespec) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    loop {
        match poll(&mut fds, Some(time)) {
            Err(Errno::INTR) => {}
            // What cannot be waited for is not waited for.
            result => return result.unwrap_or(1) > 0,
        }
    }
}

/// The parent's side: the next message.
pub(crate) fn receive(from: BorrowedFd<'_>) -> Result<Message> {
    let mut bytes = [0_u8; 1 + unfinished::LENGTH];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(from, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            // The child died with our "go" unread.
            Err(Errno::CONNRESET) => return Ok(Message::End),
            result => break result?,
        }
    };
    let terminal = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    match (&bytes[..received.bytes], terminal) {
        ([], _) => Ok(Message::End),
        ([PANICKED, words @ ..], _) => Ok(Message::Panicked(String::from_utf8_lossy(words).into_owned())),
        ([TERMINAL], Some(master)) => Ok(Message::Terminal(master)),
        (&[BORN, p0, p1, p2, p3], _) => Ok(Message::Born(i32::from_ne_bytes([p0, p1, p2, p3]))),
        (&[FAILED, step, i0, i1, i2, i3, e0, e1, e2, e3], _) => Ok(Message::Failed(Failure {
            step: Step::from_wire(step).ok_or(Errno::PROTO)?,
            index: u32::from_ne_bytes([i0, i1, i2, i3]) as usize,
            errno: Errno::from_raw_os_error(i32::from_ne_bytes([e0, e1, e2, e3])),
        })),
        _ => Err(Errno::PROTO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_survives_the_wire() {
        let (ours, theirs) = channel().unwrap();
        for number in 0..=Step::Exec as u8 {
            let step = Step::from_wire(number).unwrap();
            assert_eq!(step as u8, number);
            let sent = Failure { step, index: 70_000, errno: Errno::NOTDIR };
            send_failure(theirs.as_fd(), sent);
            assert!(matches!(receive(ours.as_fd()).unwrap(), Message::Failed(got) if got == sent));
        }
        assert!(Step::from_wire(Step::Exec as u8 + 1).is_none());
        drop(theirs);
        assert!(matches!(receive(ours.as_fd()).unwrap(), Message::End));
    }

    #[test]
    fn a_descriptor_travels() {
        let (ours, theirs) = channel().unwrap();
        let file = tempfile::tempfile().unwrap();
        send_terminal(theirs.as_fd(), &OwnedFd::from(file)).unwrap();
        assert!(matches!(receive(ours.as_fd()).unwrap(), Message::Terminal(_)));
        parent_lives(theirs.as_fd()).unwrap();
        drop(ours);
        assert_eq!(parent_lives(theirs.as_fd()), Err(Errno::PIPE));
    }
}
