//! A layer that is made here: written to, packed, and kept as it stands.
//!
//! What is written to the mount goes to a folder of its own (overlayfs's upper folder). That folder *is* the layer: it
//! is packed once, into an uncompressed tar whose digest is also its diff ID, and then renamed to where the tar would
//! be unpacked, `layers/<chain id>/fs`. Nothing is written a second time, and nothing waits for the disk: whoever makes
//! an image of it does ([`crate::Store::compose`]).

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};
use serde::{Deserialize, Serialize};

use crate::diff;
use crate::digest::{Digest, chain_ids};
use crate::error::{Error, Result};
use crate::layers::create_root;
use crate::manifest::{Descriptor, media_type};
use crate::overlay::{self, open_folder};
use crate::pack::{self, Walk, failed, is_whiteout};
use crate::place::Place;
use crate::store::{Store, Writing};
use crate::whiteout;

/// A layer that was made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its blob.
    pub blob: Descriptor,
    pub diff_id: Digest,
    /// Its folder's name.
    pub chain_id: Digest,
}

/// A layer in the making. The folder it is made in must be on the filesystem of the data root, and is removed by whoever
/// made it.
#[derive(Debug)]
pub struct Draft {
    upper: PathBuf,
    work: PathBuf,
    /// The folders below, lowest first.
    lower: Vec<PathBuf>,
}

impl Draft {
    /// Begins a layer upon these folders (lowest first), in `folder`, which is made.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(folder: &Path, lower: Vec<PathBuf>) -> Result<Self> {
        let (upper, work) = (folder.join("upper"), folder.join("work"));
        fs::create_dir(folder).map_err(Error::io("create", folder))?;
        create_root(&upper)?;
        fs::create_dir(&work).map_err(Error::io("create", &work))?;
        Ok(Self { upper, work, lower })
    }

    /// What is below, and what has been written so far, as one writable filesystem: a detached mount. One at a time.
    ///
    /// # Errors
    /// As [`overlay::mount`].
    pub fn mount(&self) -> Result<OwnedFd> {
        overlay::mount_volatile(&self.lower, &self.upper, &self.work)
    }

    /// The folder that holds what was written, with overlayfs's own marks.
    #[must_use]
    pub fn upper(&self) -> &Path {
        &self.upper
    }

    /// Makes a layer of what was written, upon the layers with these diff IDs; None if that is nothing. Also returns
    /// a line for each file that no layer can hold. The mount must be gone.
    ///
    /// # Errors
    /// If a file cannot be read, or the layer not be written; then there is none.
    pub fn seal(self, store: &Store, _writing: &Writing, below: &[Digest]) -> Result<(Option<Made>, Vec<String>)> {
        let notes = self.leave_out()?;
        if self.is_empty()? {
            return Ok((None, notes));
        }
        let mut blob = store.blobs().writer()?;
        diff::write_layer(&self.upper, &mut blob)?;
        let (diff_id, size) = blob.commit_unsynced()?;
        let chain_id = chain_ids(&[below, &[diff_id]].concat()).last().copied().unwrap_or(diff_id);
        store.unpacked().adopt(&chain_id, &self.upper)?;
        let blob = Descriptor::new(media_type::OCI_LAYER, diff_id, size);
        Ok((Some(Made { blob, diff_id, chain_id }), notes))
    }

    /// Removes what an archive would not take along: the folder has to be what the archive unpacks to.
    fn leave_out(&self) -> Result<Vec<String>> {
        let root = open_folder(&self.upper)?;
        let mut walk = Walk::new(root.as_fd())?;
        let mut notes = Vec::new();
        while let Some((path, status)) = walk.next()? {
            let name = path.file_name().unwrap_or_default();
            let kind = FileType::from_raw_mode(status.st_mode);
            let why = if kind == FileType::Socket {
                "a socket is no part of an image"
            } else if name.as_bytes().starts_with(whiteout::PREFIX) && !is_whiteout(&status) {
                "in a layer this name would hide another"
            } else {
                continue;
            };
            notes.push(format!("{} was left out: {why}", path.display()));
            let parent = path.parent().unwrap_or(Path::new(""));
            let folder = pack::open(root.as_fd(), parent, OFlags::PATH).map_err(failed("open", parent))?;
            let place = Place { folder: folder.as_fd(), name, path: &path };
            place.remove().map_err(|fault| fault.at("in the making", path.as_os_str().as_bytes()))?;
        }
        Ok(notes)
    }

    /// Whether nothing was changed. Folders alone may only have been on the way to something that is gone again, and are
    /// compared with those below; anything else is a change.
    fn is_empty(&self) -> Result<bool> {
        let root = open_folder(&self.upper)?;
        let mut walk = Walk::new(root.as_fd())?;
        let mut any = false;
        while let Some((_, status)) = walk.next()? {
            if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
                return Ok(false);
            }
            any = true;
        }
        Ok(!any || diff::changes(&self.upper, &self.lower)?.is_empty())
    }
}
