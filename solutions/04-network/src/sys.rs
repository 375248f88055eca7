//! The calls of this crate that a compiler cannot check.
#![allow(unsafe_code)]

use rustix::io::Errno;
use rustix::ioctl::{Setter, ioctl, opcode};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A new network namespace for this thread (unshare(2), CLONE_NEWNET).
pub(crate) fn unshare_network() -> rustix::io::Result<()> {
    // SAFETY: unshare is unsafe for what it can do to descriptors that threads share (CLONE_FILES). This flag concerns
    // only which network the sockets that are made from now on belong to.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }
}

/// Lets only those messages of a subsystem of netfilter through to a socket of netlink(7): a program that the kernel runs for each
/// (socket(7), SO_ATTACH_FILTER). Where several come together, the first one decides.
pub(crate) fn only_messages(socket: BorrowedFd<'_>, subsystem: u8, kinds: &[u8]) -> rustix::io::Result<()> {
    let (load, equal, answer) =
        (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS, libc::BPF_JMP | libc::BPF_JEQ, libc::BPF_RET);
    let line = |code: u32, jt: usize, k: u32| libc::sock_filter { code: code as u16, jt: jt as u8, jf: 0, k };
    // The kind is in the host's byte order, and loaded as if it were in the network's.
    let kind = |kind: &u8| u32::from(u16::from_be_bytes((u16::from(subsystem) << 8 | u16::from(*kind)).to_ne_bytes()));
    let mut program = vec![line(load, 0, 4)];
    // Each that is equal jumps over those that follow, and over the refusal.
    program.extend(kinds.iter().enumerate().map(|(n, of)| line(equal, kinds.len() - n, kind(of))));
    program.extend([line(answer, 0, 0), line(answer, 0, u32::MAX)]);
    let description = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let size = size_of::<libc::sock_fprog>() as libc::socklen_t;
    // SAFETY: `description` points to `program`, whose length it tells; both live beyond the call, and the kernel copies them.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const description).cast(),
            size,
        )
    };
    if outcome == 0 {
        Ok(())
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL))
    }
}

/// `struct ifreq` of netdevice(7), as far as TUNSETIFF reads it.
#[repr(C)]
struct TunRequest {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

// linux/if_tun.h
const TUNSETIFF: rustix::ioctl::Opcode = opcode::write::<i32>(b'T', 202);
const IFF_TUN: u16 = 1;
/// Packets alone, without four bytes before each.
const IFF_NO_PI: u16 = 0x1000;

/// Makes an open /dev/net/tun the other end of a link of this name (at most 15 bytes).
pub(crate) fn become_tun(file: &File, name: &str) -> rustix::io::Result<()> {
    let mut request = TunRequest { name: [0; 16], flags: IFF_TUN | IFF_NO_PI, rest: [0; 22] };
    request.name.iter_mut().take(15).zip(name.bytes()).for_each(|(place, byte)| *place = byte);
    // SAFETY: this request takes a pointer to a struct ifreq of 40 bytes, which TunRequest is, and keeps nothing of it. (Its number says
    // `int`, which is the kernel's own mistake of long ago.)
    unsafe { ioctl(file, Setter::<TUNSETIFF, TunRequest>::new(request)) }
}
