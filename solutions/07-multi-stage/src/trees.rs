//! Trees of files that are shown to a step: of a stage, an image, or a context.

use crate::error::{Error, Result};
use build::context::{Context, Tree};
use build::source::Source;
use layers::{Digest, overlay};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files that a name stands for.
#[derive(Debug)]
pub(crate) enum Files<'a> {
    /// Of an image or a stage: they never change. No layers are no files.
    Layers { folders: Vec<PathBuf>, chain_id: Option<Digest> },
    /// Of the build context.
    Context(&'a Tree),
    /// Of a context that the user named.
    Named(Arc<Context>),
}

impl Files<'_> {
    /// The whole of them, to be read.
    pub(crate) fn source(&self, name: &str) -> Result<Source> {
        let failed = |source| Error::Tree { name: name.to_owned(), source };
        match self {
            Self::Layers { folders, .. } if folders.is_empty() => {
                Ok(Source { root: nothing().map_err(failed)?, chain_id: None })
            }
            Self::Layers { folders, chain_id } => {
                Ok(Source { root: overlay::mount(folders, None)?, chain_id: *chain_id })
            }
            Self::Context(tree) => Ok(Source { root: tree.root().try_clone().map_err(failed)?, chain_id: None }),
            Self::Named(context) => {
                Ok(Source { root: context.tree().root().try_clone().map_err(failed)?, chain_id: None })
            }
        }
    }

    /// Files of layers, with what is written to them going to a folder that is made: nobody will see it again.
    pub(crate) fn writable(folders: &[PathBuf], folder: &Path, name: &str) -> Result<OwnedFd> {
        let (upper, work) = (folder.join("upper"), folder.join("work"));
        for folder in [folder, &upper, &work] {
            fs::create_dir(folder).map_err(|source| Error::Tree { name: name.to_owned(), source })?;
        }
        Ok(overlay::mount_volatile(folders, &upper, &work)?)
    }
}

/// Opens what is at a path beneath a root, only to refer to it. A link leads nowhere else.
pub(crate) fn open(root: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)
}

/// An empty tree.
fn nothing() -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(context.as_fd())?;
    Ok(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY)?)
}
