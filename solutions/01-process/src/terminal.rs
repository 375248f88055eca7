//! A terminal for the container, from its own devpts (pts(4)).
//!
//! The slave must be a device of the container: a program asks for its name (`tty`, ttyname(3)) and looks for it in
//! /dev/pts. So the child opens the pair itself, and sends the master to its parent, which stays outside.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, FileType, OFlags, Uid};
use rustix::io::{Errno, Result};
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use rustix::process::ioctl_tiocsctty;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::beneath::{self, Make};
use crate::report;

/// linux/magic.h
const DEVPTS_SUPER_MAGIC: fs::FsWord = 0x1cd1;

/// Opens a pair, hands the master to the parent and returns the slave. `root` is the container's.
pub(crate) fn open(root: BorrowedFd<'_>, size: Winsize, owner: Uid, parent: BorrowedFd<'_>) -> Result<OwnedFd> {
    let master = beneath::open_no_links(root, c"dev/pts/ptmx", OFlags::RDWR | OFlags::NOCTTY)?;
    // In a container that runs already, somebody may have put another file there.
    let found = fs::fstat(&master)?;
    let is_ptmx =
        FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice && found.st_rdev == fs::makedev(5, 2);
    if !is_ptmx || fs::fstatfs(&master)?.f_type != DEVPTS_SUPER_MAGIC {
        return Err(Errno::NODEV);
    }
    unlockpt(&master)?;
    // By the master, not by the name /dev/pts/N: nobody can slip another one in.
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    tcsetwinsize(&slave, size)?;
    if !owner.is_root() {
        // The process must be able to open /dev/tty and its own terminal again.
        fs::fchown(&slave, Some(owner), None)?;
    }
    report::send_terminal(parent, &master)?;
    Ok(slave)
}

/// /dev/console is the container's terminal.
pub(crate) fn bind_console(root: BorrowedFd<'_>, slave: &OwnedFd) -> Result<()> {
    let place = beneath::make(root, c"dev/console", Make::File)?;
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(slave, c"", clone)?;
    move_mount(
        &tree,
        c"",
        &place,
        c"",
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
    )
}

/// Makes it the controlling terminal of this session (ioctl_tty(2), TIOCSCTTY), whose leader we are.
pub(crate) fn control(slave: &OwnedFd) -> Result<()> {
    ioctl_tiocsctty(slave.as_fd())
}
