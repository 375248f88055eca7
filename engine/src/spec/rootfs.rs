//! A container's root filesystem: its image's layers, and on top of them a folder of its own.

use crate::container::record::{Container, Record};
use crate::durable::Durability;
use crate::{Engine, Error, Result};
use layers::overlay;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

impl Engine {
    /// The container's root, to be run in: a detached mount, which nothing but the container will ever see.
    pub(crate) fn mount_rootfs(&self, container: &Container, record: &Record) -> Result<OwnedFd> {
        let (upper, work) = container.upper_and_work();
        // The upper folder is the container's `/`, which everybody in it may enter; the folder above it is ours alone.
        make_folder(&upper, 0o755)?;
        make_folder(&work, 0o700)?;
        let lower = self.lower_folders(record)?;
        let mounted = match record.durability() {
            Durability::Lasting => overlay::mount(&lower, Some((&upper, &work))),
            Durability::Passing => overlay::mount_volatile(&lower, &upper, &work),
        };
        mounted.map_err(|e| Error::system("mount the container's root filesystem", e))
    }
}

fn make_folder(path: &Path, mode: u32) -> Result<()> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(Error::system(format!("create {}", path.display()), e)),
        _ => Ok(()),
    }
}
