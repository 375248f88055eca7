//! How an image came about, and how large each step of it is.

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::image::seconds;
use crate::store::{FIXED_TIME, Image, Store};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// One row of `docker history`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The image that this step finished, if it is here; Docker shows `<missing>` otherwise.
    pub id: Option<Digest>,
    /// That image's tags.
    pub tags: Vec<String>,
    /// Seconds since 1970.
    pub created: i64,
    pub created_by: String,
    pub comment: String,
    /// Bytes of the unpacked layer; 0 for a step that only changed the recipe.
    pub size: u64,
}

impl Store {
    /// The steps of an image, the newest first.
    ///
    /// # Errors
    /// [`Error::Document`] if the history tells of more layers than there are.
    pub fn history(&self, image: &Image) -> Result<Vec<Step>> {
        self.layer_folders(image)?;
        let mut layers = image.chain_ids().into_iter();
        let mut steps = Vec::new();
        for step in &image.config.history {
            let too_many = || Error::Document {
                kind: "image config",
                why: "too many non-empty layers in History section".to_owned(),
            };
            let size = if step.empty_layer { 0 } else { self.layer_size(&layers.next().ok_or_else(too_many)?)? };
            steps.push(Step {
                id: None,
                tags: Vec::new(),
                // A time that every repeatable build writes says nothing of this one.
                created: match seconds(step.created.as_deref()) {
                    FIXED_TIME => image.made_seconds(),
                    created => created,
                },
                created_by: step.created_by.clone(),
                comment: step.comment.clone(),
                size,
            });
        }
        steps.reverse();
        self.name_steps(&mut steps, image);
        Ok(steps)
    }

    /// The newest step is the image's own; those before it are its parents', as far as they are known here.
    fn name_steps(&self, steps: &mut [Step], image: &Image) {
        let mut next = Some(image.clone());
        for step in steps {
            let Some(image) = next else { break };
            step.id = Some(image.id);
            step.tags = image.tags();
            next = image.parent.and_then(|parent| self.resolve(&parent.to_string()).ok());
        }
    }

    /// The bytes of an image: of its unpacked layers, each counted once.
    ///
    /// # Errors
    /// As [`Store::layer_folders`].
    pub fn size(&self, image: &Image) -> Result<u64> {
        self.layer_folders(image)?;
        image.chain_ids().iter().map(|chain_id| self.layer_size(chain_id)).sum()
    }

    /// The bytes of an unpacked layer's files. Counted once, then kept beside it: `layers/<chain id>/size`.
    ///
    /// # Errors
    /// [`Error::Io`] if the layer is not unpacked.
    pub fn layer_size(&self, chain_id: &Digest) -> Result<u64> {
        let folder = self.unpacked().path(chain_id);
        let kept = folder.with_file_name("size");
        if let Some(size) = fs::read_to_string(&kept).ok().and_then(|text| text.trim().parse().ok()) {
            return Ok(size);
        }
        let size = folder_size(&folder)?;
        // It is only a convenience: a store that may not be written to is counted each time.
        if let Err(error) = fs::write(&kept, format!("{size}\n")) {
            tracing::debug!("cannot keep the size of {chain_id}: {error}");
        }
        Ok(size)
    }
}

/// The bytes of all regular files below a folder, a file with several names once.
///
/// # Errors
/// [`Error::Io`] where something cannot be read.
pub fn folder_size(folder: &Path) -> Result<u64> {
    size_below(folder, &mut HashSet::new())
}

fn size_below(folder: &Path, seen: &mut HashSet<(u64, u64)>) -> Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        let metadata = entry.metadata().map_err(Error::io("examine", entry.path()))?;
        if metadata.is_dir() {
            size += size_below(&entry.path(), seen)?;
        } else if metadata.is_file() && (metadata.nlink() == 1 || seen.insert((metadata.dev(), metadata.ino()))) {
            size += metadata.len();
        }
    }
    Ok(size)
}
