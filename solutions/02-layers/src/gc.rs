//! Garbage: blobs that no entry of the index leads to, and unpacked layers that no image and no container is made of. What
//! a build remembers is none.

use crate::digest::{Digest, chain_ids};
use crate::error::{Error, Result};
use crate::image::ImageConfig;
use crate::index_file::Entry;
use crate::manifest::{Descriptor, Document, media_type};
use crate::remove::Use;
use crate::store::{Store, Writing};
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

/// How temporary files of the store begin, until they get their names.
const TEMPORARY: [&str; 3] = [".incoming-", ".index-", ".pin-"];

/// What the index leads to.
#[derive(Default)]
struct Reached {
    blobs: HashSet<Digest>,
    layers: HashSet<Digest>,
}

impl Store {
    /// Removes all garbage, and tells which unpacked layers went, the uppermost first. Must be called with the index
    /// locked. While somebody is writing blobs that no entry names yet, it leaves everything: the next one sweeps.
    pub(crate) fn sweep(&self, entries: &[Entry], users: &[Use]) -> Result<Vec<Digest>> {
        let Some(_alone) = self.index.try_collecting()? else { return Ok(Vec::new()) };
        let reached = self.kept(entries)?;
        self.sweep_blobs(&reached)?;
        self.sweep_temporary()?;
        self.blobs().sweep_partial()?;
        let used: HashSet<&Digest> = users.iter().flat_map(|u| &u.layers).chain(&reached.layers).collect();
        let mut gone: Vec<Digest> = self.unpacked().list()?.into_iter().filter(|id| !used.contains(id)).collect();
        gone.sort();
        for layer in &gone {
            self.unpacked().remove(layer)?;
        }
        Ok(gone)
    }

    /// How many blobs and unpacked layers nothing needs.
    pub(crate) fn garbage(&self, entries: &[Entry], users: &[Use]) -> Result<usize> {
        let kept = self.kept(entries)?;
        let used: HashSet<&Digest> = users.iter().flat_map(|user| &user.layers).chain(&kept.layers).collect();
        let blobs = self.blobs().list()?.iter().filter(|blob| !kept.blobs.contains(blob)).count();
        let layers = self.unpacked().list()?.iter().filter(|layer| !used.contains(layer)).count();
        Ok(blobs + layers)
    }

    /// What images and builds need.
    fn kept(&self, entries: &[Entry]) -> Result<Reached> {
        let mut reached = self.reached(entries);
        for layer in self.pins.layers()? {
            reached.blobs.insert(layer.blob.digest);
            reached.layers.insert(layer.chain_id);
        }
        Ok(reached)
    }

    /// Does work that brings new images. If it fails, what it wrote and unpacked until then is removed again; what else
    /// it left over, the next removal sweeps away.
    pub(crate) fn adding<T>(&self, work: impl FnOnce(&Writing) -> Result<T>) -> Result<T> {
        let before = self.unpacked().list()?;
        let writing = self.writing()?;
        let result = work(&writing);
        drop(writing);
        if result.is_err() {
            self.sweep_except(before)?;
        }
        result
    }

    /// Sweeps, and leaves these unpacked layers alone: only who knows the containers may judge them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sweep_except(&self, layers: Vec<Digest>) -> Result<()> {
        let nobody = Use { container: String::new(), running: false, image: Digest::of(b""), layers };
        self.index.update(|entries| self.sweep(entries, &[nobody]))?;
        Ok(())
    }

    fn sweep_blobs(&self, reached: &Reached) -> Result<()> {
        let mut garbage = self.blobs().list()?.into_iter().filter(|blob| !reached.blobs.contains(blob));
        garbage.try_for_each(|blob| self.blobs().remove(&blob))
    }

    /// What a writer left who was killed: nobody is writing now.
    fn sweep_temporary(&self) -> Result<()> {
        let layout = self.blobs().layout();
        [layout, &layout.join("blobs/sha256"), self.pins.folder()].into_iter().try_for_each(remove_temporary)
    }

    /// Whoever comes to write and is alone clears away the blobs that one was at who was killed.
    pub(crate) fn sweep_incoming(&self) -> Result<()> {
        match self.index.try_collecting()? {
            Some(_alone) => remove_temporary(&self.blobs().layout().join("blobs/sha256")),
            None => Ok(()),
        }
    }

    /// Follows every entry down. A blob that is missing or unreadable leads nowhere: an index for many platforms mostly
    /// has only one of them here. A blob once marked is not entered again.
    fn reached(&self, entries: &[Entry]) -> Reached {
        let mut reached = Reached::default();
        let mut next: Vec<Descriptor> = entries.iter().map(|entry| entry.target.clone()).collect();
        while let Some(descriptor) = next.pop() {
            let kind = &descriptor.media_type;
            let known = !reached.blobs.insert(descriptor.digest);
            if known || !(media_type::is_index(kind) || media_type::is_manifest(kind)) {
                continue;
            }
            match self.document(&descriptor) {
                Ok(Document::Index(index)) => next.extend(index.manifests),
                Ok(Document::Manifest(manifest)) => {
                    reached.blobs.extend(manifest.layers.iter().map(|layer| layer.digest));
                    reached.blobs.insert(manifest.config.digest);
                    let config = self.blobs().document(&manifest.config.digest).and_then(|c| ImageConfig::parse(&c));
                    reached.layers.extend(config.map(|c| chain_ids(&c.rootfs.diff_ids)).unwrap_or_default());
                }
                Err(error) => tracing::debug!("{} leads nowhere: {error}", descriptor.digest),
            }
        }
        reached
    }

    /// The bytes of all blobs and unpacked layers.
    pub(crate) fn bytes_used(&self) -> u64 {
        let blobs = self.blobs().list().unwrap_or_default();
        let layers = self.unpacked().list().unwrap_or_default();
        let unpacked = layers.iter().map(|chain_id| self.layer_size(chain_id).unwrap_or_default()).sum::<u64>();
        blobs.iter().filter_map(|blob| self.blobs().size(blob)).sum::<u64>() + unpacked
    }
}

fn remove_temporary(folder: &Path) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        // Nothing was ever built.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::io("read", folder))?,
    };
    for entry in entries.flatten() {
        if TEMPORARY.iter().any(|prefix| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes())) {
            fs::remove_file(entry.path()).map_err(Error::io("remove", entry.path()))?;
        }
    }
    Ok(())
}
