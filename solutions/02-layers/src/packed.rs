//! An image that is to travel: with its layers compressed.
//!
//! What is built, committed or imported here is kept as it is, which costs no time. A registry gets it compressed, and so
//! the image has a second manifest, of the same config. From then on this is the image's own: it is compressed once,
//! whatever it is pushed to, and always has the same digest. An image that shares a layer with it, or is made of the
//! same steps again, finds the layer compressed.

use crate::digest::{Digest, HashingReader};
use crate::error::{Error, Result};
use crate::gzip;
use crate::layers::Layer;
use crate::manifest::{Descriptor, media_type};
use crate::store::{Image, Store, Writing};
use std::collections::BTreeMap;
use std::io;

impl Store {
    /// The layers that are here in compressed form, by diff ID.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Document`] if the index cannot be read.
    pub fn packed(&self) -> Result<BTreeMap<Digest, Descriptor>> {
        let mut found = BTreeMap::new();
        for entry in self.index.read()? {
            // An image that is damaged has nothing to tell.
            let Ok(image) = self.read_target(&entry.target, entry.id) else { continue };
            for (blob, diff_id) in image.manifest.layers.into_iter().zip(image.config.rootfs.diff_ids) {
                let gzip =
                    matches!(blob.media_type.as_str(), media_type::OCI_LAYER_GZIP | media_type::DOCKER_LAYER_GZIP);
                if gzip && blob.digest != diff_id && self.blobs().size(&blob.digest) == Some(blob.size) {
                    found.insert(diff_id, Descriptor::new(media_type::OCI_LAYER_GZIP, blob.digest, blob.size));
                }
            }
        }
        Ok(found)
    }

    /// Compresses a layer that is here as it is, and verifies it once more on the way. `read` hears how many bytes of it
    /// are done, and may end it.
    ///
    /// # Errors
    /// [`Error::NoSuchBlob`]; [`Error::WrongDigest`]: somebody changed it; [`Error::Io`], or what `read` says.
    pub fn pack(
        &self,
        _writing: &Writing,
        layer: &Layer,
        read: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Result<Descriptor> {
        let path = self.blobs().path(&layer.digest);
        let mut source = HashingReader::new(self.blobs().read(&layer.digest)?);
        let mut blob = self.blobs().writer()?;
        gzip::compress(&mut source, &mut blob, read).map_err(Error::io("compress", &path))?;
        match source.finish() {
            (found, _) if found != layer.digest => Err(Error::WrongDigest { expected: layer.digest, found }),
            (_, raw) => {
                let (digest, size) = blob.commit()?;
                tracing::info!(
                    target: "explain", man = "gzip(1)", shell = %format!("gzip -n {}", path.display()),
                    "compress the layer {} for its way: {size} bytes of {raw}", layer.diff_id.short()
                );
                Ok(Descriptor::new(media_type::OCI_LAYER_GZIP, digest, size))
            }
        }
    }

    /// The image with these blobs for its layers, which hold the same files: it is that from now on, under all names that
    /// meant its old manifest.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn repack(&self, _writing: &Writing, image: &Image, layers: Vec<Descriptor>) -> Result<Image> {
        let old = image.manifest_digest;
        let mut packed = image.clone();
        packed.manifest.layers = layers;
        let docker = packed.manifest.media_type.as_deref() == Some(media_type::DOCKER_MANIFEST);
        for layer in packed.manifest.layers.iter_mut().filter(|_| docker) {
            if layer.media_type == media_type::OCI_LAYER_GZIP {
                media_type::DOCKER_LAYER_GZIP.clone_into(&mut layer.media_type);
            }
        }
        let kind = packed.manifest.media_type.clone().unwrap_or_else(|| media_type::OCI_MANIFEST.to_owned());
        let text = serde_json::to_vec(&packed.manifest)
            .map_err(|error| Error::Document { kind: "manifest", why: error.to_string() })?;
        packed.manifest_digest = self.blobs().put(&text)?;
        packed.target = Descriptor::new(&kind, packed.manifest_digest, text.len() as u64);
        self.index.update(|entries| {
            // One that means an index of several platforms goes on meaning that.
            for entry in entries.iter_mut().filter(|entry| entry.target.digest == old && entry.id == Some(image.id)) {
                entry.target = packed.target.clone();
            }
            Ok(())
        })?;
        Ok(packed)
    }
}
