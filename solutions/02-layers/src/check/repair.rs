//! Mending: what is broken is taken away, what can be made again is made again.

use super::Findings;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::index_file::Entry;
use crate::manifest::Descriptor;
use crate::remove::Use;
use crate::store::Store;
use std::collections::BTreeMap;

impl Store {
    /// Mends what [`Store::check`] found. Nothing goes that is whole, nor what a container is made of.
    ///
    /// # Errors
    /// [`Error::Conflict`]: a running container uses a layer that has to be unpacked again; [`Error::Io`].
    pub fn repair(&self, found: &Findings, users: &dyn Fn() -> Result<Vec<Use>>) -> Result<()> {
        let uses = users()?;
        for layer in &found.wrong.layers {
            if let Some(user) = uses.iter().find(|user| user.running && user.layers.contains(layer)) {
                let short = user.container.get(..12).unwrap_or(&user.container);
                return Err(Error::Conflict(format!(
                    "the unpacked layer {layer} is damaged, and the running container {short} uses it: stop it first"
                )));
            }
        }
        for blob in &found.wrong.blobs {
            self.blobs().remove(blob)?;
        }
        let manifests = self.manifests_by_id()?;
        if found.wrong.index {
            self.index.begin_anew(manifests.iter().map(|(id, target)| unnamed(*id, target)))?;
        }
        self.index.update(|entries| {
            self.mend_entries(entries, &manifests);
            Ok(())
        })?;
        for layer in &found.wrong.layers {
            self.unpacked().remove(layer)?;
        }
        self.unpack_again(&users()?)?;
        self.index.update(|entries| self.sweep(entries, &users()?))?;
        Ok(())
    }

    /// Takes out images that cannot be read or run. One that has another manifest that is whole goes on by that.
    fn mend_entries(&self, entries: &mut Vec<Entry>, manifests: &BTreeMap<Digest, Descriptor>) {
        for entry in entries.iter_mut().filter(|entry| !self.is_usable(entry)) {
            if let Some(target) = entry.id.and_then(|id| manifests.get(&id)) {
                entry.target = target.clone();
            }
        }
        entries.retain(|entry| self.is_usable(entry));
    }

    fn is_usable(&self, entry: &Entry) -> bool {
        let Ok(image) = self.read_target(&entry.target, entry.id) else { return false };
        let whole = image.manifest.layers.iter().all(|blob| self.blobs().size(&blob.digest) == Some(blob.size));
        let unpacked = || image.chain_ids().iter().all(|layer| self.unpacked().contains(layer).unwrap_or(false));
        image.layers().is_ok() && (whole || unpacked())
    }

    /// The layers of all images, and so those of containers whose image is here.
    fn unpack_again(&self, users: &[Use]) -> Result<()> {
        for image in self.images()? {
            let whole = image.manifest.layers.iter().all(|blob| self.blobs().size(&blob.digest) == Some(blob.size));
            if !whole {
                continue;
            }
            match self.layer_folders(&image) {
                Err(error @ Error::Io { .. }) => return Err(error),
                Ok(_) => {}
                // A blob that is what it says and yet no layer: nobody can run it.
                Err(error) => {
                    tracing::warn!("image {} is removed: {error}", image.id);
                    let used = users.iter().any(|user| user.image == image.id);
                    self.index.update(|entries| {
                        entries.retain(|entry| used || entry.id != Some(image.id));
                        Ok(())
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn unnamed(id: Digest, target: &Descriptor) -> Entry {
    Entry { target: target.clone(), name: None, id: Some(id), parent: None, tagged: None, made: None }
}
