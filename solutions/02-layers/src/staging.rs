//! A layer on its way to its place: unpacked beside it, and moved there once it is proved to be the one.
//!
//! Unpacking asks nothing of the layers below, whiteouts being marks of their own. So the layers of an image may be
//! unpacked in any order, while their blobs are still coming; only into their places they go from the lowest up.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::attributes::{Attributes, Writer};
use crate::compression;
use crate::digest::HashingReader;
use crate::error::{Error, Fault, Result};
use crate::layers::{Layer, create_root, remove_all};
use crate::pack;
use crate::pipe::pipe;
use crate::unpack::{self, Limits, Options, Whiteouts};
use crate::unsynced;

pub(crate) const PARTIAL: &str = "fs.partial";

/// The right to unpack a layer that is missing: nobody else does while it lives. Dropped before [`Claim::register`], it
/// leaves nothing of the layer.
#[derive(Debug)]
pub struct Claim {
    place: PathBuf,
    limits: Limits,
    /// Its folders without an entry of their own, once it is unpacked.
    implied: Mutex<Option<Vec<PathBuf>>>,
    registered: bool,
    _lock: File,
}

impl Claim {
    /// Of the layer that goes to this place, whose folder is locked.
    pub(crate) fn new(place: PathBuf, lock: File, limits: Limits) -> Self {
        Self { place, limits, implied: Mutex::default(), registered: false, _lock: lock }
    }

    fn partial(&self) -> PathBuf {
        self.place.with_file_name(PARTIAL)
    }

    /// Unpacks the blob, which may still be coming, beside the layer's place, and compares its diff ID. May be called
    /// again: what was unpacked before is thrown away.
    ///
    /// # Errors
    /// If the archive is refused, or the disk refuses it.
    pub fn unpack(&self, layer: &Layer, blob: impl Read + Send) -> Result<()> {
        let name = layer.digest.to_string();
        let partial = self.partial();
        tracing::info!(
            target: "explain", man = "tar(5)",
            shell = %format!("tar --xattrs -xf content/blobs/sha256/{} -C {}", layer.digest.hex(), self.place.display()),
            "unpack layer {} once, for all images and containers that share it", layer.digest.short()
        );
        remove_all(&partial)?;
        let root = create_root(&partial)?;
        let options = Options { layer: &name, whiteouts: Whiteouts::Overlay, limits: self.limits, owner: None };
        let (inlet, outlet) = pipe();
        let mut stream = HashingReader::new(outlet);
        // One inflates, one hashes and writes.
        let unpacked = thread::scope(|scope| {
            // The bytes decide, whatever the media type says: Docker pushes on what came uncompressed, and calls it
            // gzipped. The diff ID proves that it is the layer.
            scope.spawn(move || inlet.carry(compression::decompress(blob, "")));
            let unpacked = unpack::unpack(&mut stream, root.as_fd(), &options);
            let (found, _) = stream.finish();
            unpacked.map(|unpacked| (unpacked, found))
        });
        let (unpacked, found) = unpacked?;
        if found != layer.diff_id {
            return Err(Error::WrongDiffId { layer: name, expected: layer.diff_id, found });
        }
        for note in &unpacked.notes {
            // No warning: as an ordinary user with a single ID nearly every image has some, and runs all the same.
            tracing::info!("layer {name}: {note}");
        }
        *self.implied.lock().unwrap_or_else(PoisonError::into_inner) = Some(unpacked.implied);
        Ok(())
    }

    /// Puts what was unpacked into its place. Whoever calls this knows that the blob is the one; the layers below, whose
    /// folders these are, are in their places.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Unpack`]; then nothing of it stays.
    pub fn register(mut self, layer: &Layer, lower: &[PathBuf]) -> Result<()> {
        let partial = self.partial();
        let implied = self.implied.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let root = File::open(&partial).map_err(Error::io("open", &partial))?;
        for folder in implied.unwrap_or_default() {
            let name = folder.as_os_str().as_encoded_bytes();
            inherit(root.as_fd(), &folder, lower).map_err(|fault| fault.at(&layer.digest.to_string(), name))?;
        }
        unsynced::note(&partial, &self.place)?;
        fs::rename(&partial, &self.place).map_err(Error::io("rename", &partial))?;
        self.registered = true;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let (false, Some(folder)) = (self.registered, self.place.parent())
            && let Err(error) = remove_all(folder)
        {
            // Nothing to fail for: the next who wants the layer removes it.
            tracing::warn!("{error}");
        }
    }
}

/// A folder without an entry of its own would hide the owner and mode that the layers below gave it (`/tmp`, say): so
/// it takes them over.
fn inherit(root: BorrowedFd<'_>, path: &Path, lower: &[PathBuf]) -> Result<(), Fault> {
    for layer in lower.iter().rev() {
        let layer = File::open(layer).map_err(Fault::step("open a layer below"))?;
        match pack::open(layer.as_fd(), path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(folder) => {
                let wanted = Attributes::read(folder.as_fd()).map_err(Fault::step("examine its folder below"))?;
                let own = pack::open(root, path, OFlags::RDONLY | OFlags::DIRECTORY);
                let own = own.map_err(Fault::step("open its folder"))?;
                return Writer::new(true).write(own.as_fd(), path.as_os_str().as_encoded_bytes(), &wanted, None);
            }
            Err(Errno::NOENT) => {}
            // Something else is in its place, and hides what is further below.
            Err(_) => break,
        }
    }
    Ok(())
}
