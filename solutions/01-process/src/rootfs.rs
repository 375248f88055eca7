//! The container's filesystem, put together by the child in its own mount namespace, and made its root.
//!
//! Nothing here allocates, and nothing here opens a path of the container as a string: see [`beneath`].

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, CWD, FileType, OFlags};
use rustix::io::{Errno, Result};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, mount_change, move_mount,
    open_tree, unmount,
};
use rustix::process::{fchdir, pivot_root};

use crate::beneath::{self, Make};
use crate::devices::{self, Device};
use crate::mount_options::{PRIVATE, RDONLY};
use crate::mounts::{Filesystem, Kind, Mount};
use crate::report::{At, Failure, Outcome, Step};
use crate::sys::{MountAttributes, mount_setattr};
use crate::sysctl;

/// All that is done to the filesystem.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The root folder, as a detached mount.
    pub root: OwnedFd,
    pub readonly: bool,
    pub mounts: Vec<Mount>,
    /// None if /dev is the image's own or the host's.
    pub devices: Option<Vec<Device>>,
    pub sysctls: sysctl::Prepared,
    pub masked_paths: Vec<CString>,
    pub readonly_paths: Vec<CString>,
    /// What the root's propagation is to be in the end, if not private.
    pub propagation: Option<MountPropagationFlags>,
}

const BY_DESCRIPTOR: MoveMountFlags =
    MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH.union(MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH);
const CLONE: OpenTreeFlags =
    OpenTreeFlags::OPEN_TREE_CLONE.union(OpenTreeFlags::OPEN_TREE_CLOEXEC).union(OpenTreeFlags::AT_EMPTY_PATH);

impl Plan {
    /// The mounts. Afterwards the container's tree is complete, though not yet the root.
    pub(crate) fn build(&self) -> Outcome {
        // What we mount must not appear on the host: cut the copied tree off from its original (mount_namespaces(7)).
        mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).at(Step::MountNamespace)?;
        // On top of the host's root, which needs no folder to be made anywhere; absolute paths still lead to the host's.
        move_mount(&self.root, c"", CWD, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).at(Step::Rootfs)?;
        for (index, mount) in self.mounts.iter().enumerate() {
            self.mount(mount).at_index(Step::Mount, index)?;
        }
        if let Some(devices) = &self.devices {
            devices::make(self.root.as_fd(), devices)?;
        }
        Ok(())
    }

    fn mount(&self, mount: &Mount) -> Result<()> {
        let root = self.root.as_fd();
        match &mount.kind {
            Kind::New(filesystem) => {
                let place = if filesystem.no_links {
                    match beneath::open_no_links(root, &mount.destination, OFlags::PATH | OFlags::DIRECTORY) {
                        Err(Errno::NOENT) => beneath::make(root, &mount.destination, Make::Folder)?,
                        found => found?,
                    }
                } else {
                    let place = beneath::make(root, &mount.destination, Make::Folder)?;
                    refuse_proc_elsewhere(&place, &mount.destination)?;
                    refuse_root(&place, root)?;
                    place
                };
                new_filesystem(filesystem, &place)?;
                match filesystem.propagation {
                    None => Ok(()),
                    // What is mounted there now is found by looking again.
                    Some(propagation) => {
                        fchdir(beneath::open(root, &mount.destination, OFlags::PATH)?)?;
                        mount_change(c".", propagation)
                    }
                }
            }
            Kind::Tree { tree, folder } => {
                let make = if *folder { Make::Folder } else { Make::File };
                let place = beneath::make(root, &mount.destination, make)?;
                refuse_proc_elsewhere(&place, &mount.destination)?;
                refuse_root(&place, root)?;
                if is_folder(place.as_fd())? != *folder {
                    return Err(Errno::NOTDIR);
                }
                move_mount(tree, c"", &place, c"", BY_DESCRIPTOR)
            }
            Kind::Seal => {
                let place = beneath::open_no_links(root, &mount.destination, OFlags::PATH)?;
                mount_setattr(place.as_fd(), false, MountAttributes { set: RDONLY, ..MountAttributes::default() })
            }
        }
    }

    /// What hides and protects; after all that still has to be written beneath /proc.
    pub(crate) fn protect(&self) -> Outcome {
        self.set_sysctls()?;
        self.mask_paths()?;
        for (index, path) in self.readonly_paths.iter().enumerate() {
            make_readonly(self.root.as_fd(), path).at_index(Step::ReadonlyPath, index)?;
        }
        if self.readonly {
            let readonly = MountAttributes { set: RDONLY, ..MountAttributes::default() };
            mount_setattr(self.root.as_fd(), false, readonly).at(Step::ReadonlyRootfs)?;
        }
        Ok(())
    }

    fn set_sysctls(&self) -> Outcome {
        if self.sysctls.is_empty() {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let proc_sys = beneath::open_no_links(self.root.as_fd(), c"proc/sys", flags).at(Step::Sysctl)?;
        if fs::fstatfs(&proc_sys).at(Step::Sysctl)?.f_type != fs::PROC_SUPER_MAGIC {
            return Err(Errno::NOSYS).at(Step::Sysctl);
        }
        self.sysctls.apply(proc_sys.as_fd()).map_err(|(index, errno)| Failure { step: Step::Sysctl, index, errno })
    }

    fn mask_paths(&self) -> Outcome {
        let mut covers = Covers::default();
        for (index, path) in self.masked_paths.iter().enumerate() {
            mask(self.root.as_fd(), path, &mut covers).at_index(Step::MaskedPath, index)?;
        }
        Ok(())
    }

    /// Makes the tree the root.
    pub(crate) fn pivot(&self) -> Outcome {
        change_root(self.root.as_fd()).at(Step::PivotRoot)?;
        if let Some(propagation) = self.propagation {
            mount_change(c"/", propagation).at(Step::PivotRoot)?;
        }
        Ok(())
    }
}

/// An image may hold `/etc/hosts -> /proc/sys/…`: what is mounted on /proc must have been meant for it, or it would stand in for files in
/// whose truth others trust.
fn refuse_proc_elsewhere(place: &OwnedFd, destination: &CStr) -> Result<()> {
    let meant = matches!(destination.to_bytes(), b"proc" | [b'p', b'r', b'o', b'c', b'/', ..]);
    if !meant && fs::fstatfs(place)?.f_type == fs::PROC_SUPER_MAGIC { Err(Errno::LOOP) } else { Ok(()) }
}

/// And it may hold `/data -> /`: what is mounted on the root would hide it, and be above what becomes the root.
fn refuse_root(place: &OwnedFd, root: BorrowedFd<'_>) -> Result<()> {
    let (place, root) = (fs::fstat(place)?, fs::fstat(root)?);
    if (place.st_dev, place.st_ino) == (root.st_dev, root.st_ino) { Err(Errno::BUSY) } else { Ok(()) }
}

/// Makes `root`, a mounted folder, the root of this process's mount namespace, and lets go of the old root with all that is
/// mounted in it.
///
/// chroot(2) would only change where this process begins to look for "/"; the old root would still be mounted, and a process with
/// CAP_SYS_CHROOT can climb back to it. pivot_root(2) exchanges the root *mount*, and then the old one can be unmounted. Its manual page, in
/// "pivot_root(".", ".")", has the way that needs no folder to put the old root in: with the new root as working directory, both
/// arguments are ".", and the old root ends up on top of the new one. Unmounting "." takes it away, lazily (`UnmountFlags::DETACH`), since we
/// came from there. In the end the working directory is the new "/".
///
/// rustix has the calls: `fchdir`, `pivot_root`, `unmount`, and `rustix::process::chdir`; names for the kernel are C strings, `c"."`.
///
/// # Errors
/// What the kernel said of the first call that failed.
pub fn change_root(root: BorrowedFd<'_>) -> Result<()> {
    // exercise: 1.3 change_root: the new root in, the old one gone
    fchdir(root)?;
    pivot_root(c".", c".")?;
    unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
    // end exercise
}

/// Hides one path of the container: puts a cover on it, through which nothing can be read.
///
/// /proc and /sys have files that tell of the host, such as /proc/kcore, its memory. A file is covered with /dev/null
/// ([`Covers::hide_file`]), a folder with an empty one ([`Covers::hide_folder`]): a mount hides what lies under it (mount(8)). What
/// this kernel does not have (ENOENT, or ENOTDIR for something above it) need not be hidden: that is no error.
///
/// `path` is in `root`, which an image filled: a link in it could lead to the host's files. So it is opened with
/// `beneath::open(root, path, OFlags::PATH)`, for which `root` is the end of the world (openat2(2), RESOLVE_IN_ROOT); and what it is,
/// `is_folder` says of the open descriptor (`place.as_fd()`).
///
/// # Errors
/// What the kernel said, if anything but that there is no such path.
pub fn mask(root: BorrowedFd<'_>, path: &CStr, covers: &mut Covers) -> Result<()> {
    // exercise: 1.4 mask: a cover for a path, if it is there
    let place = match beneath::open(root, path, OFlags::PATH) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        place => place?,
    };
    if is_folder(place.as_fd())? { covers.hide_folder(&place) } else { covers.hide_file(&place) }
    // end exercise
}

/// What hides: one cover of each kind is made, and shown in every place.
#[derive(Debug, Default)]
pub struct Covers {
    empty: Option<OwnedFd>,
    null: Option<OwnedFd>,
}

impl Covers {
    /// Covers an open folder with an empty one, read-only.
    ///
    /// # Errors
    /// What the kernel said; ENOTDIR if it is no folder.
    pub fn hide_folder(&mut self, place: &OwnedFd) -> Result<()> {
        put_cover(&mut self.empty, empty_folder, place)
    }

    /// Covers an open file with the host's /dev/null.
    ///
    /// # Errors
    /// What the kernel said; ENOTDIR if it is a folder.
    pub fn hide_file(&mut self, place: &OwnedFd) -> Result<()> {
        put_cover(&mut self.null, host_null, place)
    }
}

/// mount(2) on a folder that is open: by way of the working directory, since mount(2) takes paths only.
fn new_filesystem(filesystem: &Filesystem, place: &OwnedFd) -> Result<()> {
    fchdir(place)?;
    let try_with = |data: &CStr| mount(&*filesystem.source, c".", &*filesystem.fstype, filesystem.flags, data);
    match try_with(&filesystem.data) {
        Err(Errno::INVAL) if filesystem.data_without_gid != filesystem.data => try_with(&filesystem.data_without_gid),
        Err(Errno::PERM) => match filesystem.instead {
            Some(host) => host_mount(host, filesystem, place),
            None => Err(Errno::PERM),
        },
        done => done,
    }
}

/// The host's own mount, with what is mounted beneath it. One that the host does not have (an mqueue, mostly: message queues
/// need no mount, mq_overview(7)), the container that shares the host's does not have either.
fn host_mount(host: &CStr, filesystem: &Filesystem, place: &OwnedFd) -> Result<()> {
    let tree = match open_tree(CWD, host, CLONE | OpenTreeFlags::AT_RECURSIVE) {
        Err(Errno::NOENT) => return Ok(()),
        tree => tree?,
    };
    // ro, nosuid, nodev and noexec are the same bits in both calls (linux/mount.h).
    let set = u64::from(filesystem.flags.bits()) & 0xf;
    mount_setattr(tree.as_fd(), true, MountAttributes { set, propagation: PRIVATE, ..MountAttributes::default() })?;
    move_mount(&tree, c"", place, c"", BY_DESCRIPTOR)
}

fn make_readonly(root: BorrowedFd<'_>, path: &CStr) -> Result<()> {
    let place = match beneath::open(root, path, OFlags::PATH) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        place => place?,
    };
    let tree = open_tree(&place, c"", CLONE | OpenTreeFlags::AT_RECURSIVE)?;
    mount_setattr(tree.as_fd(), true, MountAttributes { set: RDONLY, ..MountAttributes::default() })?;
    move_mount(&tree, c"", &place, c"", BY_DESCRIPTOR)
}

/// Puts a cover on a place: the first is made, the others are clones of it.
fn put_cover(first: &mut Option<OwnedFd>, make: fn() -> Result<OwnedFd>, place: &OwnedFd) -> Result<()> {
    let on_place = |cover: &OwnedFd| move_mount(cover, c"", place, c"", BY_DESCRIPTOR);
    match first {
        Some(first) => on_place(&open_tree(first, c"", CLONE)?),
        None => on_place(first.insert(make()?)),
    }
}

/// The host's /dev/null, and nothing else that may lie under that name (CVE-2025-31133: never the image's). Read-only, which does not
/// hinder writing to a device, but does hinder the container's root from changing the owner or mode of the host's.
fn host_null() -> Result<OwnedFd> {
    let null = open_tree(CWD, c"/dev/null", OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    let found = fs::fstat(&null)?;
    let is_device = FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice;
    if !is_device || found.st_rdev != fs::makedev(1, 3) {
        return Err(Errno::NODEV);
    }
    mount_setattr(null.as_fd(), false, MountAttributes { set: RDONLY, ..MountAttributes::default() })?;
    Ok(null)
}

fn empty_folder() -> Result<OwnedFd> {
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"source", c"tmpfs")?;
    fsconfig_set_flag(&context, c"ro")?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY)
}

fn is_folder(fd: BorrowedFd<'_>) -> Result<bool> {
    Ok(FileType::from_raw_mode(fs::fstat(fd)?.st_mode) == FileType::Directory)
}
