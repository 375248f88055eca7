//! Unpacked layers: each has to hold what its blob unpacks to. So it is unpacked once more, and compared.

use super::{Findings, State};
use crate::compare::first_difference;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layers::Layers;
use crate::store::{Image, Store};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

/// How the folders begin in which layers are unpacked to be compared.
const SCRATCH: &str = ".check-";

impl Store {
    pub(super) fn check_unpacked(&self, images: &[(String, Image)], found: &mut Findings) -> Result<()> {
        self.sweep_scratch()?;
        // Who may not be compared (half of it, after a power cut) is unpacked again by whoever needs it.
        let mut open: BTreeSet<Digest> = BTreeSet::new();
        for layer in self.unpacked().list()? {
            if self.unpacked().contains(&layer)? {
                open.insert(layer);
            }
        }
        let mut proven = BTreeSet::new();
        for (name, image) in images {
            let chain = image.chain_ids();
            let whole = image.manifest.layers.iter().all(|blob| {
                !found.wrong.blobs.contains(&blob.digest) && self.blobs().size(&blob.digest) == Some(blob.size)
            });
            if !whole || !chain.iter().any(|layer| open.contains(layer)) {
                continue;
            }
            if let State::Lost(why) = self.compare(image, &chain, &mut open, &mut proven, found)? {
                found.problem(name, why, "--repair removes it, and it can be pulled or built again");
            }
        }
        found.layers = proven.len();
        found.unproven = open.len();
        Ok(())
    }

    /// Compares what has not been compared yet of an image's layers.
    fn compare(
        &self,
        image: &Image,
        chain: &[Digest],
        open: &mut BTreeSet<Digest>,
        proven: &mut BTreeSet<Digest>,
        found: &mut Findings,
    ) -> Result<State> {
        let folder = self.layers_folder();
        let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&folder);
        let scratch = scratch.map_err(Error::io("create a folder in", &folder))?;
        let again = Layers::open(scratch.path())?.with_limits(self.limits());
        for layer in chain.iter().filter(|layer| proven.contains(layer)) {
            // What is known to be right need not be unpacked for those above it.
            let place = again.path(layer);
            let parent = place.parent().unwrap_or(scratch.path());
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            symlink(self.unpacked().path(layer), &place).map_err(Error::io("create", &place))?;
        }
        let folders = match again.ensure(self.blobs(), &image.layers()?) {
            Ok(folders) => folders,
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(error) => return Ok(State::Lost(format!("it cannot be unpacked: {error}"))),
        };
        for (layer, folder) in chain.iter().zip(&folders) {
            if !open.remove(layer) {
                continue;
            }
            proven.insert(*layer);
            let own = self.unpacked().path(layer);
            if let Some(difference) = first_difference(folder, &own)? {
                let what = format!("it is not what its blob unpacks to (first), in {}: {difference}", own.display());
                found.problem(&format!("unpacked layer {layer}"), what, "--repair unpacks it again");
                found.wrong.layers.insert(*layer);
            }
        }
        Ok(State::Whole)
    }

    /// What a check left that was killed.
    fn sweep_scratch(&self) -> Result<()> {
        let folder = self.layers_folder();
        for entry in fs::read_dir(&folder).map_err(Error::io("read", &folder))?.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(SCRATCH.as_bytes()) {
                fs::remove_dir_all(entry.path()).map_err(Error::io("remove", entry.path()))?;
            }
        }
        Ok(())
    }

    fn layers_folder(&self) -> std::path::PathBuf {
        let any = self.unpacked().path(&Digest::of(b""));
        any.ancestors().nth(2).unwrap_or(&any).to_owned()
    }
}
