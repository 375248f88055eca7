//! What a command is shown, made ready to be mounted.
//!
//! A part of a mount that is attached nowhere cannot be mounted itself before Linux 6.15. So it is attached for a while, in a
//! mount namespace that only this process has, and that ends with it.

use super::step::Shown;
use crate::{Error, Result, sys};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use process::Tree;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The trees as they are to be mounted. `folder` is this step's own.
pub(super) fn trees(shown: &[Shown], folder: &Path) -> Result<Vec<Tree>> {
    let trouble = |tree: &Shown, e: std::io::Error| Error::system(format!("show the command {}", tree.target), e);
    let mut sources = Vec::new();
    for tree in shown {
        sources.push(sys::inherited(tree.source).map_err(|e| trouble(tree, e))?);
    }
    if shown.iter().any(|tree| tree.within.is_some()) {
        // What belongs to the namespace that we leave could not be mounted from there.
        sources = sources.into_iter().map(detached).collect::<rustix::io::Result<_>>().map_err(leaving)?;
        leave().map_err(leaving)?;
    }
    let mut trees = Vec::new();
    for (number, (tree, source)) in shown.iter().zip(sources).enumerate() {
        let source = match &tree.within {
            None => source,
            Some(path) => {
                within(&source, path, &folder.join(format!("tree-{number}"))).map_err(|e| trouble(tree, e))?
            }
        };
        trees.push(Tree { destination: PathBuf::from(&tree.target), source, readonly: tree.readonly });
    }
    Ok(trees)
}

fn leaving<E: Into<std::io::Error>>(error: E) -> Error {
    Error::system("make a mount namespace for what the command is shown", error.into())
}

/// A mount of its own for a folder or file of the host.
fn detached(source: OwnedFd) -> rustix::io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    match open_tree(&source, c"", flags) {
        // It is attached nowhere, and so belongs to nobody.
        Err(Errno::INVAL) => Ok(source),
        tree => tree,
    }
}

/// From now on this process mounts for itself alone.
fn leave() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
}

/// Attaches a tree at `place`, and opens what is at `path` in it.
fn within(tree: &OwnedFd, path: &Path, place: &Path) -> std::io::Result<OwnedFd> {
    fs::create_dir(place)?;
    move_mount(tree, c"", CWD, place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    let root = openat(CWD, place, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)?)
}
