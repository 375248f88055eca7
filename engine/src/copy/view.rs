//! The files of a container, its volumes included, held open.
//!
//! A container that runs has them mounted, in a mount namespace of its own; its shim hands us its root. Of one that does not run
//! they are mounted here, in a mount namespace that only a thread of ours ever was in and that ends with the view. Until then
//! the container is locked: nobody starts it upon the same folders.

use crate::builder::stubs::Stubs;
use crate::container::record::{Container, Lock, Record};
use crate::container::state::Status;
use crate::volume::at_start::{Shown, ShownMount};
use crate::{Engine, Error, Kind, Result, rooted, shim, sys};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxAttributes, StatxFlags, fstat, fstatfs, openat, statx};
use rustix::mount::{MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount_change, move_mount, open_tree};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use volumes::Source;

/// What for the files are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A container's files.
#[derive(Debug)]
pub(super) struct View {
    pub container: Container,
    pub record: Record,
    /// Declared, and so dropped, before the rest: with the namespace its mounts go.
    root: shim::Root,
    _mounted: Option<Mounted>,
}

/// What was mounted for the view alone.
#[derive(Debug)]
struct Mounted {
    engine: Engine,
    record: Record,
    shown: Shown,
    _lock: Lock,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What is held open cannot be unmounted.
        self.shown = Shown::default();
        self.engine.hide_mounts(&self.record);
    }
}

impl View {
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.folder.as_fd()
    }
}

impl Engine {
    /// Opens the files of a container.
    pub(super) fn view(&self, id: &str, access: Access) -> Result<View> {
        let container = self.find(id)?;
        loop {
            let record = container.record()?;
            if container.state()?.status.is_running()
                && let Some(root) = shim::root_of(&container)?
            {
                return Ok(View { container, record, root, _mounted: None });
            }
            let lock = container.lock()?;
            match self.settle(&container, &record, &lock)?.status {
                // It has just been started.
                status if status.is_running() => drop(lock),
                Status::Removing | Status::Dead => {
                    let text = format!("container {} is marked for removal", container.id);
                    return Err(Error::new(Kind::Conflict, text));
                }
                _ => return self.mount_view(container, record, lock, access),
            }
        }
    }

    /// Mounts the files of a container that does not run.
    fn mount_view(&self, container: Container, record: Record, lock: Lock, access: Access) -> Result<View> {
        let mut shown = self.show_mounts(&record)?;
        // Memory that nobody uses holds nothing.
        shown.mounts.retain(|mount| !matches!(mount.point.source, Source::Tmpfs(_)));
        let engine = Self::assume(self.roots.clone());
        let mut mounted = Mounted { engine, record: record.clone(), shown, _lock: lock };
        self.make_targets(&container, &record, &mut mounted.shown)?;
        let folder = match access {
            // The upper folder as one more layer below: nothing is made there that was not.
            Access::Read => self.look_at(&container, &record)?,
            Access::Write => self.mount_rootfs(&container, &record)?,
        };
        let trees = mounted.shown.mounts.iter().map(tree).collect::<Result<Vec<_>>>()?;
        let assembled = std::thread::spawn(move || assemble(folder, trees)).join();
        let root =
            assembled.map_err(|_| Error::new(Kind::System, "mounting the container's files was broken off"))??;
        Ok(View { container, record, root, _mounted: Some(mounted) })
    }
}

/// A mount that is attached nowhere yet, and where it is wanted.
struct Tree {
    tree: OwnedFd,
    target: PathBuf,
}

/// A volume, or a folder of the host, with the rights that the container has there.
fn tree(shown: &ShownMount) -> Result<Tree> {
    let target = PathBuf::from(&shown.point.destination);
    let failed = |e: std::io::Error| Error::system(format!("show {} at {}", shown.path.display(), target.display()), e);
    let alone = matches!(&shown.point.source, Source::Bind(bind) if bind.alone);
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let flags = if alone { flags } else { flags | OpenTreeFlags::AT_RECURSIVE };
    let tree = open_tree(CWD, &shown.path, flags).map_err(|errno| failed(errno.into()))?;
    sys::make_private(tree.as_fd(), shown.read_only).map_err(failed)?;
    Ok(Tree { tree, target })
}

/// Puts the mounts upon the root, in a mount namespace of this thread's own.
fn assemble(root: OwnedFd, trees: Vec<Tree>) -> Result<shim::Root> {
    let failed = |e: std::io::Error| Error::system("mount the container's files", e);
    unshare(CloneFlags::CLONE_NEWNS).map_err(|errno| failed(errno.into()))?;
    let assembled = || {
        // Nothing of it must appear on the host (mount_namespaces(7)).
        mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
        // On top of the host's root, which needs no folder to be made anywhere; nobody looks there for it.
        move_mount(&root, c"", CWD, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
        for Tree { tree, target } in &trees {
            let is_folder = FileType::from_raw_mode(fstat(tree)?.st_mode) == FileType::Directory;
            Stubs::default().make(root.as_fd(), target, is_folder)?;
            let place = rooted::open(root.as_fd(), target, OFlags::PATH)?;
            let by_descriptor = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
            move_mount(tree, c"", &place, c"", by_descriptor)?;
        }
        openat(CWD, "/proc/thread-self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    };
    let namespace = assembled().map_err(|errno: rustix::io::Errno| failed(errno.into()))?;
    Ok(shim::Root { folder: root, namespace })
}

/// Whether a file is none on any disk or in memory, but the kernel's own voice (statfs(2), linux/magic.h).
pub(super) fn is_kernels(file: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    const KERNELS: [u64; 14] = [
        0x9fa0,      // proc
        0x6265_6572, // sysfs
        0x0027_e0eb, // cgroup
        0x6367_7270, // cgroup2
        0x1cd1,      // devpts
        0x1980_0202, // mqueue
        0x6462_6720, // debugfs
        0x7472_6163, // tracefs
        0x7363_6673, // securityfs
        0xcafe_4a11, // bpf
        0x6165_676c, // pstore
        0xde5e_81e4, // efivarfs
        0x4249_4e4d, // binfmt_misc
        0x6265_6570, // configfs
    ];
    #[allow(clippy::unnecessary_cast, reason = "this type differs from machine to machine")]
    Ok(KERNELS.contains(&(fstatfs(file)?.f_type as u64)))
}

/// Whether something is mounted on this file.
pub(super) fn is_mount_root(file: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let found = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::empty())?;
    Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}
