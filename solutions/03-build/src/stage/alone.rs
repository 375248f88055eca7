//! `COPY --link`: a layer that is the same upon anything, and so is reused where what is below has changed.
//!
//! It is remembered twice: as every step, under a key that stands for all before it, and under one that stands for itself
//! alone. If only the second is found, the blob is taken as it is, and unpacked upon the layers that are below now.

use super::Making;
use super::files::Work;
use crate::cache::{self, Key};
use crate::error::Result;
use layers::digest::chain_ids;
use layers::layers::Layer;
use layers::{Digest, Made};

impl Making<'_> {
    /// What the same step made upon other layers, put upon those that are here.
    pub(super) fn reused_alone(&self, work: &Work) -> Result<Option<Option<Made>>> {
        let store = self.build.store;
        let Some(key) = work.alone.as_ref() else { return Ok(None) };
        let below = self.state.chain_id();
        if self.state.anew.is_none() && cache::find(store, &work.key.finish(), below)?.is_some() {
            return Ok(None);
        }
        let Some(found) = cache::find_anywhere(store, &key.finish())? else { return Ok(None) };
        let layer = found.layer.map(|made| self.upon_these(&made)).transpose()?;
        cache::keep(store, &work.key, &self.place(), &found.about.step, below, layer.clone())?;
        Ok(Some(layer))
    }

    fn upon_these(&self, made: &Made) -> Result<Made> {
        let store = self.build.store;
        let diff_ids: Vec<Digest> = self.state.image.rootfs.diff_ids.iter().copied().chain([made.diff_id]).collect();
        let blobs = self.state.blobs.iter().chain([&made.blob]);
        let layers: Vec<Layer> = blobs
            .zip(&diff_ids)
            .map(|(blob, diff_id)| Layer {
                digest: blob.digest,
                media_type: blob.media_type.clone(),
                diff_id: *diff_id,
            })
            .collect();
        store.unpacked().ensure(store.blobs(), &layers)?;
        let chain_id = chain_ids(&diff_ids).last().copied().unwrap_or(made.chain_id);
        Ok(Made { chain_id, ..made.clone() })
    }
}

/// The key of a step that depends on nothing before it.
pub(super) fn alone(key: &Key) -> Key {
    key.after(Digest::of(b"nothing"))
}
