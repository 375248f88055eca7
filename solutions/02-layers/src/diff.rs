//! What a container changed: the way back from an overlay's upper folder to a layer.
//!
//! Nothing has to be compared: overlayfs copied up what was touched, and marked what was removed.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, OFlags, Stat, statat};
use rustix::io::Errno;

use crate::error::Result;
use crate::overlay::open_folder;
use crate::pack::{self, Walk, failed, is_whiteout};
use crate::place::names;
use crate::unpack::Whiteouts;
use crate::whiteout;

/// What happened to a path, with the numbers of the Engine API (`GET /containers/{id}/changes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    Modified = 0,
    Added = 1,
    Deleted = 2,
}

/// One line of `docker diff`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Absolute, as seen in the container.
    pub path: PathBuf,
    pub kind: ChangeKind,
}

/// Writes the upper folder as an uncompressed layer. Returns what could not be taken along, a line each.
///
/// # Errors
/// If a file cannot be read or the layer not be written.
pub fn write_layer(upper: &Path, to: &mut dyn Write) -> Result<Vec<String>> {
    tracing::info!(
        target: "explain", man = "tar(5)", shell = %format!("tar --sort=name --xattrs -cf layer.tar -C {} .", upper.display()),
        "what the container wrote becomes a layer; what it removed becomes whiteouts"
    );
    pack::pack(open_folder(upper)?.as_fd(), Whiteouts::Overlay, to)
}

/// What the upper folder changes about the layers below it (lowest first), sorted by path.
///
/// As Docker tells it: a folder counts as modified if it differs itself, or if anything below it does.
///
/// # Errors
/// If a folder cannot be read.
pub fn changes(upper: &Path, lower: &[PathBuf]) -> Result<Vec<Change>> {
    let root = open_folder(upper)?;
    let below = Below(lower.iter().rev().map(|layer| open_folder(layer)).collect::<Result<_>>()?);
    let mut changes = BTreeMap::new();
    let mut walk = Walk::new(root.as_fd())?;
    while let Some((path, status)) = walk.next()? {
        let Some(kind) = kind_of_change(&below, &path, &status)? else { continue };
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            changes.entry(folder.to_path_buf()).or_insert(ChangeKind::Modified);
        }
        changes.insert(path.clone(), kind);
        if kind == ChangeKind::Modified && is_opaque(root.as_fd(), &path, &status)? {
            // It took the place of a folder: what the upper one does not hold is gone.
            let kept = names(pack::open(root.as_fd(), &path, OFlags::RDONLY).map_err(failed("open", &path))?.as_fd());
            let kept = kept.map_err(crate::Error::io("read", &path))?;
            let gone = below.names(&path)?.into_iter().filter(|name| !kept.contains(name));
            changes.extend(gone.map(|name| (path.join(name), ChangeKind::Deleted)));
        }
    }
    Ok(changes.into_iter().map(|(path, kind)| Change { path: Path::new("/").join(path), kind }).collect())
}

/// What happened to a path that the upper folder holds: one letter of `docker diff`, or nothing.
///
/// overlayfs never writes to the layers below. What a container removes leaves a whiteout in the upper folder, what it
/// touches is copied up and changed there, and all folders on the way are copied up too, unchanged. `status` is what the
/// upper folder has at `path`, and [`Below::find`] what the layers below show there. So:
///
/// * a whiteout ([`is_whiteout`]): [`ChangeKind::Deleted`];
/// * nothing below: [`ChangeKind::Added`];
/// * a folder here and a folder below, with the same mode, owner, group and time of change (`st_mode`, `st_uid`,
///   `st_gid`, `st_mtime`, `st_mtime_nsec`): it was only on the way to something else, and counts as no change: `None`;
/// * all else: [`ChangeKind::Modified`], a file also if its bytes should be the same: nothing is read to find out.
///
/// Kernel, overlayfs.rst, "whiteouts and opaque directories" and "Non-directories"; stat(2).
fn kind_of_change(below: &Below, path: &Path, status: &Stat) -> Result<Option<ChangeKind>> {
    // exercise: 2.5 kind_of_change: deleted, added, modified, or only on the way
    if is_whiteout(status) {
        return Ok(Some(ChangeKind::Deleted));
    }
    let Some(old) = below.find(path)? else { return Ok(Some(ChangeKind::Added)) };
    let folder = |status: &Stat| FileType::from_raw_mode(status.st_mode) == FileType::Directory;
    let aspects = |status: &Stat| (status.st_mode, status.st_uid, status.st_gid, status.st_mtime, status.st_mtime_nsec);
    // A folder is copied up for what is in it, and then the same as before.
    let same = folder(status) && folder(&old) && aspects(status) == aspects(&old);
    Ok((!same).then_some(ChangeKind::Modified))
    // end exercise
}

fn is_opaque(root: std::os::fd::BorrowedFd<'_>, path: &Path, status: &Stat) -> Result<bool> {
    if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
        return Ok(false);
    }
    let folder = pack::open(root, path, OFlags::RDONLY).map_err(failed("open", path))?;
    Ok(whiteout::is_opaque(folder))
}

/// The layers below, topmost first, looked at the way overlayfs merges them.
struct Below(Vec<OwnedFd>);

impl Below {
    /// What the layers show at this path.
    fn find(&self, path: &Path) -> Result<Option<Stat>> {
        for layer in self.layers(path.parent().unwrap_or(Path::new("")))? {
            match stat(layer, path)? {
                Some(status) if is_whiteout(&status) => return Ok(None),
                Some(status) => return Ok(Some(status)),
                None => {}
            }
        }
        Ok(None)
    }

    /// The names that the layers show in this folder.
    fn names(&self, path: &Path) -> Result<Vec<std::ffi::OsString>> {
        let mut found = BTreeMap::new();
        for layer in self.layers(path)? {
            let folder = pack::open(layer.as_fd(), path, OFlags::RDONLY).map_err(failed("open", path))?;
            for name in names(folder.as_fd()).map_err(crate::Error::io("read", path))? {
                let status = statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed("examine", path))?;
                found.entry(name).or_insert(!is_whiteout(&status));
            }
        }
        Ok(found.into_iter().filter_map(|(name, shown)| shown.then_some(name)).collect())
    }

    /// The layers whose folders are merged at this path: down to one that is opaque on the way, or that holds
    /// something else in its place.
    fn layers(&self, path: &Path) -> Result<Vec<&OwnedFd>> {
        let mut merged: Vec<&OwnedFd> = self.0.iter().collect();
        let mut here = PathBuf::new();
        for part in path.components() {
            here.push(part);
            let mut next = Vec::new();
            for layer in merged {
                match stat(layer, &here)? {
                    None => continue,
                    Some(status) if FileType::from_raw_mode(status.st_mode) != FileType::Directory => break,
                    Some(_) => next.push(layer),
                }
                let folder = pack::open(layer.as_fd(), &here, OFlags::RDONLY).map_err(failed("open", &here))?;
                if whiteout::is_opaque(folder) {
                    break;
                }
            }
            merged = next;
        }
        Ok(merged)
    }
}

/// What one layer alone holds at this path.
fn stat(layer: &OwnedFd, path: &Path) -> Result<Option<Stat>> {
    match pack::open(layer.as_fd(), path, OFlags::PATH) {
        Ok(file) => statat(file, c"", AtFlags::EMPTY_PATH).map(Some).map_err(failed("examine", path)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(errno) => Err(failed("examine", path)(errno)),
    }
}
