//! What was built before, and may be reused: the prefix rule.
//!
//! A step is reused if the same was done to the same. Both are in its *key*: a digest of the key of the step before it, and
//! of everything this step depends on, a list of [`Key::part`]s. So a key stands for a whole prefix of a Dockerfile:
//! where one step differs, all after it have other keys too, and are built anew.
//!
//! A record under the key says which layer came out ([`layers::Pin`]). Instructions that alter only the recipe have no key:
//! `LABEL` changes nothing that a later RUN could see.

#[path = "../../../../solutions/03-build/src/cache/reason.rs"]
pub mod reason;

use crate::error::Result;
use layers::digest::Digest;
use layers::{Made, Pin, Store};
use serde::{Deserialize, Serialize};

/// A key in the making.
#[derive(Clone, Debug)]
pub struct Key {
    parent: Digest,
    kind: String,
    parts: Vec<Part>,
    told: Vec<Part>,
}

/// Something that a step depends on, and the digest of what it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part(pub String, pub Digest);

/// The part that stands for all files that are copied.
pub const CONTENT: &str = "content";

/// Where in which build a step stands: how an earlier record of the same step is found, to say what differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Tells one project's builds from another's.
    pub project: String,
    /// The stage, by name or number.
    pub stage: String,
    /// Steps that change files, from 1.
    pub step: usize,
}

/// What is written down about a step, besides its layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// As it is written in the Dockerfile.
    pub step: String,
    /// What it does: `RUN`.
    pub kind: String,
    /// The key of the step before.
    pub parent: Digest,
    /// The chain ID of the layers below. A layer is of use only upon these.
    pub below: Option<Digest>,
    pub place: Place,
    pub parts: Vec<Part>,
    /// What [`CONTENT`] is made of: files and folders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Part>,
}

impl Key {
    /// Begins the key of a step after the one with the key `parent`. `kind`: what the step does.
    #[must_use]
    pub fn new(parent: Digest, kind: &str) -> Self {
        Self { parent, kind: kind.to_owned(), parts: Vec::new(), told: Vec::new() }
    }

    /// The same, after another step.
    #[must_use]
    pub fn after(&self, parent: Digest) -> Self {
        Self { parent, ..self.clone() }
    }

    /// Adds something that the step depends on: its name, as a user is told of it, and its value.
    pub fn part(&mut self, name: impl Into<String>, value: impl AsRef<[u8]>) {
        self.digest(name, Digest::of(value.as_ref()));
    }

    /// Adds something of which the digest is known.
    pub fn digest(&mut self, name: impl Into<String>, digest: Digest) {
        self.parts.push(Part(name.into(), digest));
    }

    /// Adds what one of the parts ([`CONTENT`]) is made of: no part of the key, but it tells what exactly differs.
    #[must_use]
    pub fn told(self, told: Vec<Part>) -> Self {
        Self { told, ..self }
    }

    /// The key itself: the digest of one line for each thing it depends on. Two keys are equal only if all lines are; so a
    /// line has to be of one meaning only, whatever is in the names.
    ///
    /// The lines, each with its newline: the key of the step before, as it is printed (`sha256:…`); the kind; and for each
    /// part its digest, one space, and its name as JSON writes a string (so that a newline in it ends no line).
    #[must_use]
    pub fn finish(&self) -> Digest {
        // exercise: 3.7 finish: a key that stands for a step and all that is before it
        todo!("exercise 3.7, finish: a key that stands for a step and all that is before it")
        // end exercise
    }
}

/// A step's record, found.
pub type Found = Pin<Record>;

/// The record under this key, if its layer is here and whole, and lies upon the layers that are below now.
///
/// # Errors
/// If the store cannot be read.
pub fn find(store: &Store, key: &Digest, below: Option<Digest>) -> Result<Option<Found>> {
    let Some(found) = store.pins().read::<Record>(key) else { return Ok(None) };
    if found.about.below != below {
        return Ok(None);
    }
    match &found.layer {
        Some(layer) if !store.has(layer)? => Ok(None),
        _ => {
            store.pins().touch(key)?;
            Ok(Some(found))
        }
    }
}

/// The record under this key, upon whatever its layer lay, if its blob is here.
///
/// # Errors
/// If the store cannot be read.
pub fn find_anywhere(store: &Store, key: &Digest) -> Result<Option<Found>> {
    let Some(found) = store.pins().read::<Record>(key) else { return Ok(None) };
    let here = |layer: &Made| store.blobs().size(&layer.blob.digest) == Some(layer.blob.size);
    if !found.layer.as_ref().is_none_or(here) {
        return Ok(None);
    }
    store.pins().touch(key)?;
    Ok(Some(found))
}

/// Writes down what came out of a step.
///
/// # Errors
/// If it cannot be written.
pub fn keep(
    store: &Store,
    key: &Key,
    place: &Place,
    step: &str,
    below: Option<Digest>,
    layer: Option<Made>,
) -> Result<()> {
    let about = Record {
        step: step.to_owned(),
        kind: key.kind.clone(),
        parent: key.parent,
        below,
        place: place.clone(),
        parts: key.parts.clone(),
        told: key.told.clone(),
    };
    Ok(store.pins().write(&key.finish(), &Pin { layer, about })?)
}
