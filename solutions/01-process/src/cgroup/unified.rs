//! A group in the unified (v2) tree.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use super::files::{explain_mkdir, read, write};
use super::hierarchy::{self, Controller};
use crate::{Error, Result};

/// The folder in the v2 tree, open: it stays this one, whatever happens to the name.
#[derive(Debug)]
pub(super) struct Unified {
    pub(super) path: PathBuf,
    pub(super) folder: OwnedFd,
}

impl Unified {
    /// Makes the folder; nothing where there is no v2 tree or the user may not.
    pub(super) fn create(name: &str) -> Option<Self> {
        let path = hierarchy::make(&hierarchy::unified()?, None, name).ok()?;
        explain_mkdir(&path);
        Self::open(path).ok()
    }

    pub(super) fn open(path: PathBuf) -> rustix::io::Result<Self> {
        let folder = rustix::fs::openat(CWD, &path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { path, folder })
    }

    /// Whether this tree has the controller; then it is switched on along the path.
    ///
    /// A controller works in a folder when the parent's `cgroup.subtree_control` names it, and the parent has it itself
    /// when the grandparent's does.
    pub(super) fn controls(&self, controller: Controller) -> Result<bool> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let top = parent.parent().unwrap_or(Path::new("/"));
        if has_controller(&self.path, controller) {
            return Ok(true);
        }
        if !has_controller(top, controller) {
            return Ok(false);
        }
        for folder in [top, parent] {
            switch_on(folder, controller)?;
        }
        Ok(true)
    }
}

pub(super) fn has_controller(folder: &Path, controller: Controller) -> bool {
    read(folder, "cgroup.controllers").is_ok_and(|text| text.split_whitespace().any(|word| word == controller.name()))
}

/// Hands a controller down to the groups beneath.
///
/// A folder that does so may hold no processes itself (cgroups(7), «no internal processes»; the top of the machine's
/// tree, which has no `cgroup.type`, is exempt). In a tree delegated to us these are the engine and its kin: they step
/// aside, into a leaf.
fn switch_on(folder: &Path, controller: Controller) -> Result<()> {
    let inside = read(folder, "cgroup.procs")?;
    if !inside.is_empty() && folder.join("cgroup.type").exists() {
        let leaf = folder.join("kesako-engine");
        match fs::create_dir(&leaf) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::Cgroup { action: "make", path: leaf, source });
            }
            _ => explain_mkdir(&leaf),
        }
        inside.lines().try_for_each(|pid| write(&leaf, "cgroup.procs", pid))?;
    }
    write(folder, "cgroup.subtree_control", &format!("+{}", controller.name()))
}
