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

    /// A folder is covered with an empty tmpfs, a file with /dev/null. One cover of each kind is made, and shown everywhere.
    fn mask_paths(&self) -> Outcome {
        let (mut empty, mut null) = (None, None);
        for (index, path) in self.masked_paths.iter().enumerate() {
            let place = match beneath::open(self.root.as_fd(), path, OFlags::PATH) {
                // What this kernel does not have need not be hidden.
                Err(Errno::NOENT | Errno::NOTDIR) => continue,
                place => place.at_index(Step::MaskedPath, index)?,
            };
            let folder = is_folder(place.as_fd()).at_index(Step::MaskedPath, index)?;
            let (cover, make): (_, fn() -> _) =
                if folder { (&mut empty, empty_folder) } else { (&mut null, host_null) };
            put_cover(cover, make, &place).at_index(Step::MaskedPath, index)?;
        }
        Ok(())
    }

    /// Makes the tree the root, and lets go of the host's.
    ///
    /// pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and is then detached. No folder
    /// of the image is needed for it, and there is no moment in which a process of the container could see it.
    pub(crate) fn pivot(&self) -> Outcome {
        fchdir(&self.root).at(Step::PivotRoot)?;
        pivot_root(c".", c".").at(Step::PivotRoot)?;
        unmount(c".", UnmountFlags::DETACH).at(Step::PivotRoot)?;
        rustix::process::chdir(c"/").at(Step::PivotRoot)?;
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

/// The host's own mount, with what is mounted beneath it.
fn host_mount(host: &CStr, filesystem: &Filesystem, place: &OwnedFd) -> Result<()> {
    let tree = open_tree(CWD, host, CLONE | OpenTreeFlags::AT_RECURSIVE)?;
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
