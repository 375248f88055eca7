//! The places for a container's mounts. mount(2) wants a folder or a file to stand on, which the image may not have.
//!
//! Made in the container's own layer, they would show in `diff` and land in `commit`. So they are made in a folder of
//! their own, *below* the image's layers, as the [skeleton](super::skeleton) is: where the image has something itself, it
//! hides them.

use crate::container::record::{Container, Record};
use crate::container::remove::delete_folder;
use crate::spec::mounts;
use crate::volume::at_start::Shown;
use crate::{Engine, Error, Result};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2, readlinkat};
use rustix::io::Errno;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, DirBuilder, File};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// As many links as Linux itself follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

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

/// Where a path of the container leads, its links followed, as far as there is anything; the rest of it is taken as it is.
/// None for what leads nowhere. The image's own text decides here, so it is only ever joined to a folder that holds nothing
/// but what we have made.
fn resolve(root: BorrowedFd<'_>, path: &str) -> Option<PathBuf> {
    let mut ahead: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    let mut here: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = ahead.pop_front() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                here.pop();
                continue;
            }
            _ => here.push(part),
        }
        let Some(link) = link_at(root, &here.join("/")).ok()? else { continue };
        links += 1;
        if links > MOST_LINKS {
            return None;
        }
        // A link is read from the folder that it is in, or from the root.
        here.pop();
        if link.starts_with('/') {
            here.clear();
        }
        for part in link.split('/').rev() {
            ahead.push_front(part.to_owned());
        }
    }
    Some(here.iter().collect())
}

/// The mode of a folder of the image, if there is one at this path, on which there is no link.
fn mode_of_folder(root: BorrowedFd<'_>, path: &Path) -> Option<u32> {
    let status = fstat(open(root, path).ok()?).ok()?;
    (FileType::from_raw_mode(status.st_mode) == FileType::Directory).then_some(status.st_mode & 0o7777)
}

fn open(root: BorrowedFd<'_>, path: impl AsRef<Path>) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat2(root, path.as_ref(), flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
}

/// The text of the link at a path on which there is no other; None if it is none, or if there is nothing.
fn link_at(root: BorrowedFd<'_>, path: &str) -> rustix::io::Result<Option<String>> {
    let found = match open(root, path) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        found => found?,
    };
    if FileType::from_raw_mode(fstat(&found)?.st_mode) != FileType::Symlink {
        return Ok(None);
    }
    // What is no text cannot be asked for by name either.
    Ok(readlinkat(&found, c"", Vec::new())?.into_string().ok())
}
