//! The places for a container's mounts. mount(2) wants a folder or a file to stand on, which the image may not have.
//!
//! Made in the container's own layer, they would show in `diff` and land in `commit`. So they are made in a folder of
//! their own, *below* the image's layers, as the [skeleton](super::skeleton) is: where the image has something itself, it
//! hides them.

use crate::container::record::{Container, Record};
use crate::container::remove::delete_folder;
use crate::rooted::{open, resolve};
use crate::spec::mounts;
use crate::volume::at_start::Shown;
use crate::{Engine, Error, Result};
use rustix::fs::{FileType, OFlags, fstat};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

impl Engine {
    /// Makes the places for these mounts anew: what a source is, a folder or a file, may have changed since the last start.
    /// Notes which of them the image has, too.
    pub(crate) fn make_targets(&self, container: &Container, record: &Record, shown: &mut Shown) -> Result<()> {
        let folder = container.targets();
        delete_folder(&folder)?;
        let targets: Vec<_> = mounts::targets(record, shown).collect();
        if targets.is_empty() {
            return Ok(());
        }
        let image = layers::overlay::mount(&self.lower_folders(record)?, None)?;
        make_folder(&folder).map_err(|e| Error::system(format!("create {}", folder.display()), e))?;
        let others: Vec<&str> = targets.iter().map(|(target, _)| *target).collect();
        let mut modes = BTreeMap::new();
        for (target, is_file) in targets {
            let Some(place) = resolve(image.as_fd(), target) else { continue };
            let made = make(&folder, &place, is_file);
            made.map_err(|e| Error::system(format!("make a place for the mount on {target}"), e))?;
            // What is mounted above it hides what the image has.
            let above = |other: &&str| Path::new(target).starts_with(other) && *target != **other;
            if !others.iter().chain(&["/dev", "/proc", "/sys"]).any(above) {
                modes.extend(mode_of_folder(image.as_fd(), &place).map(|mode| (target.to_owned(), mode)));
            }
        }
        shown.modes_in_image = modes;
        Ok(())
    }
}

fn make(folder: &Path, place: &Path, is_file: bool) -> std::io::Result<()> {
    let path = folder.join(place);
    if !is_file {
        return make_folder(&path);
    }
    path.parent().map_or(Ok(()), make_folder)?;
    // Two mounts may be meant for one place, by way of a link.
    if path.exists() { Ok(()) } else { File::options().write(true).create_new(true).mode(0o755).open(path).map(drop) }
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o755).create(path) {
        // A file, in the way of one who asked for both; the mount will say so.
        Err(_) if fs::symlink_metadata(path).is_ok() => Ok(()),
        made => made,
    }
}

/// The mode of a folder of the image, if there is one at this path, on which there is no link.
fn mode_of_folder(root: BorrowedFd<'_>, path: &Path) -> Option<u32> {
    let status = fstat(open(root, path, OFlags::PATH | OFlags::NOFOLLOW).ok()?).ok()?;
    (FileType::from_raw_mode(status.st_mode) == FileType::Directory).then_some(status.st_mode & 0o7777)
}
