//! Is the store whole? Everything in it can be proved: a blob by its digest, an image by what its manifest lists, an
//! unpacked layer by unpacking it once more and comparing.
//!
//! [`Store::check`] looks and changes nothing. [`Store::repair`] takes away what is broken, so that it can come again,
//! and what belongs to nothing; what is whole stays.

mod blobs;
mod repair;
mod unpacked;

pub use blobs::layout;

use crate::digest::Digest;
use crate::error::Result;
use crate::index_file::Entry;
use crate::manifest::{Descriptor, Document, media_type};
use crate::remove::Use;
use crate::store::{Image, Store};
use blobs::Damaged;
use std::collections::{BTreeMap, BTreeSet};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `blob sha256:…`, `image app:v1`.
    pub object: String,
    pub what: String,
    /// What to do.
    pub way_out: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    pub images: usize,
    pub blobs: usize,
    /// Of all blobs.
    pub bytes: u64,
    /// Unpacked layers that were compared.
    pub layers: usize,
    /// Unpacked layers that no whole image has: there is nothing to compare them with.
    pub unproven: usize,
    /// Blobs and unpacked layers that nothing needs. That is no fault: the next removal of an image takes them.
    pub garbage: usize,
    pub problems: Vec<Problem>,
    wrong: Wrong,
}

/// For the repair.
#[derive(Debug, Default)]
struct Wrong {
    index: bool,
    blobs: BTreeSet<Digest>,
    /// Unpacked layers, by chain ID.
    layers: BTreeSet<Digest>,
}

/// How an image is.
enum State {
    Whole,
    /// It can be run, but not sent anywhere.
    Lacks(Vec<(Digest, String)>),
    /// Nothing can be done with it.
    Lost(String),
}

const AGAIN: &str = "--repair removes it, and it can be pulled or built again";

impl Store {
    /// Proves what is here. `users` says what the containers are made of.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io): something that cannot be read at all; what is wrong is no error.
    pub fn check(&self, users: &dyn Fn() -> Result<Vec<Use>>) -> Result<Findings> {
        // Nobody takes anything away meanwhile.
        let _writing = self.index.writing()?;
        let mut found = Findings::default();
        let damaged = blobs::damaged(self.blobs(), &mut found)?;
        let entries = match self.index.read() {
            Ok(entries) => entries,
            Err(error) => {
                found.wrong.index = true;
                let way_out = "--repair writes it anew: all images that are here, but without their names";
                found.problem("index.json", error.to_string(), way_out);
                Vec::new()
            }
        };
        let images = self.check_images(&entries, &damaged, &mut found);
        blobs::tell(&damaged, &needed(&images), &mut found);
        self.check_unpacked(&images, &mut found)?;
        let users = users()?;
        self.check_users(&users, &mut found)?;
        if !found.wrong.index {
            found.garbage = self.garbage(&self.index.read()?, &users)?;
        }
        Ok(found)
    }

    /// Each image once, with the layers that it has as they should be.
    fn check_images(&self, entries: &[Entry], damaged: &Damaged, found: &mut Findings) -> Vec<(String, Image)> {
        let mut images = Vec::new();
        let mut seen: Vec<&Entry> = Vec::new();
        for entry in entries {
            if seen.iter().any(|known| known.same_image(entry) && known.target.digest == entry.target.digest) {
                continue;
            }
            seen.push(entry);
            let names = entries.iter().filter(|other| other.same_image(entry)).filter_map(|other| other.name.as_ref());
            let name = names.map(ToString::to_string).min_by_key(|name| (name.contains('@'), name.clone()));
            let id = entry.id.map_or_else(|| entry.target.digest.short(), |id| id.short());
            let name = name.map_or_else(|| format!("image {id}"), |name| format!("image {name} ({id})"));
            match self.state(entry, damaged) {
                (State::Whole, Some(image)) => images.push((name, image)),
                (State::Lacks(layers), Some(image)) => {
                    for (layer, how) in layers {
                        let what = format!(
                            "its layer {layer} is {how}: it runs, since the layer is unpacked, but cannot be pushed or saved"
                        );
                        found.problem(&name, what, "pull or build it again, after --repair");
                    }
                    images.push((name, image));
                }
                (State::Lost(why), _) => found.problem(&name, why, AGAIN),
                (_, None) => {}
            }
        }
        found.images = images.iter().map(|(_, image)| image.id).collect::<BTreeSet<_>>().len();
        images
    }

    fn state(&self, entry: &Entry, damaged: &Damaged) -> (State, Option<Image>) {
        let image = match self.read_target(&entry.target, entry.id) {
            Ok(image) => image,
            Err(error) => return (State::Lost(format!("its manifest or config cannot be read: {error}")), None),
        };
        let layers = match image.layers() {
            Ok(layers) => layers,
            Err(error) => return (State::Lost(error.to_string()), None),
        };
        let mut lacks = Vec::new();
        for blob in &image.manifest.layers {
            let how = match self.blobs().size(&blob.digest) {
                None => "missing".to_owned(),
                Some(_) if damaged.contains_key(&blob.digest) => "damaged".to_owned(),
                Some(size) if size != blob.size => format!("{size} bytes, not {}", blob.size),
                Some(_) => continue,
            };
            lacks.push((blob.digest, how));
        }
        lacks.dedup();
        if lacks.is_empty() {
            return (State::Whole, Some(image));
        }
        let chain = image.chain_ids();
        let unpacked =
            chain.iter().zip(&layers).all(|(chain_id, _)| self.unpacked().contains(chain_id).unwrap_or(false));
        if unpacked {
            return (State::Lacks(lacks), Some(image));
        }
        let all: Vec<String> = lacks.iter().map(|(layer, how)| format!("{layer} is {how}")).collect();
        (State::Lost(format!("of its layers, {}", all.join(", "))), None)
    }

    /// What containers are made of is there.
    fn check_users(&self, users: &[Use], found: &mut Findings) -> Result<()> {
        for user in users {
            for layer in &user.layers {
                if !self.unpacked().contains(layer)? && !found.wrong.layers.contains(layer) {
                    let short = user.container.get(..12).unwrap_or(&user.container);
                    let what = format!("its layer {layer} is not unpacked");
                    let way_out = format!("--repair unpacks it, if its image {} is here", user.image.short());
                    found.problem(&format!("container {short}"), what, &way_out);
                }
            }
        }
        Ok(())
    }

    /// The manifests of whole images among the blobs, by the image's ID, for a store whose index says nothing of them.
    fn manifests_by_id(&self) -> Result<BTreeMap<Digest, Descriptor>> {
        let mut found = BTreeMap::new();
        for digest in self.blobs().list()? {
            let Ok(bytes) = self.blobs().document(&digest) else { continue };
            let kinds = [media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST];
            let parsed = kinds.iter().find_map(|kind| match Document::parse(&bytes, kind) {
                Ok(Document::Manifest(manifest)) => Some((*kind, manifest)),
                _ => None,
            });
            let Some((kind, manifest)) = parsed else { continue };
            let target = Descriptor::new(manifest.media_type.as_deref().unwrap_or(kind), digest, bytes.len() as u64);
            let whole = manifest.layers.iter().all(|layer| self.blobs().size(&layer.digest) == Some(layer.size));
            if whole && self.read_target(&target, None).is_ok_and(|image| image.layers().is_ok()) {
                found.insert(manifest.config.digest, target);
            }
        }
        Ok(found)
    }
}

/// Which image needs which blob.
fn needed(images: &[(String, Image)]) -> BTreeMap<Digest, &str> {
    let mut found = BTreeMap::new();
    for (name, image) in images {
        for layer in &image.manifest.layers {
            found.entry(layer.digest).or_insert(name.as_str());
        }
    }
    found
}

impl Findings {
    fn problem(&mut self, object: &str, what: String, way_out: &str) {
        self.problems.push(Problem { object: object.to_owned(), what, way_out: way_out.to_owned() });
    }
}
