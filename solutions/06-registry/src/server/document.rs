//! What a manifest that is pushed says: of what it is made, and about what it is.

use super::answer::Refusal;
use layers::Digest;
use layers::manifest::{Descriptor, media_type};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A manifest, as far as a registry is concerned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub media_type: String,
    pub size: u64,
    /// What it points at, and how large each is: config and layers.
    pub blobs: Vec<(Digest, u64)>,
    /// The manifests that it lists, if it is an index.
    pub manifests: Vec<Digest>,
    /// What it is about: a signature has the image here that it signs.
    pub subject: Option<Digest>,
    pub artifact_type: Option<String>,
}

/// "Type and subtype names are limited to 127 characters" (RFC 6838, section 4.2).
const NAME_LIMIT: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u32>,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

impl Held {
    /// Reads a manifest that is said to be of this type.
    pub(super) fn read(bytes: &[u8], content_type: &str) -> Result<Self, Refusal> {
        let bad = |why: String| Refusal::invalid("MANIFEST_INVALID", format!("manifest invalid: {why}"));
        let document: Document = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        let said = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = match (said, document.media_type) {
            ("" | "application/json", Some(own)) => own,
            (said, Some(own)) if own != said => return Err(bad(format!("it calls itself {own}, not {said}"))),
            (said, _) => said.to_owned(),
        };
        if document.schema_version != Some(2) {
            return Err(bad("only schemaVersion 2 is known".to_owned()));
        }
        let size = bytes.len() as u64;
        let subject = document.subject.map(|subject| subject.digest);
        let artifact_type = document.artifact_type.filter(|kind| !kind.is_empty());
        let kinds = [artifact_type.as_ref(), document.config.as_ref().map(|config| &config.media_type)];
        if kinds.iter().flatten().any(|kind| kind.len() > NAME_LIMIT) {
            return Err(bad(format!("a media type has at most {NAME_LIMIT} characters")));
        }
        if media_type::is_index(&media_type) {
            if document.config.is_some() || document.layers.is_some() {
                return Err(bad("it is an index, and has a config or layers".to_owned()));
            }
            let listed = document.manifests.unwrap_or_default().into_iter().map(|one| one.digest);
            let manifests = listed.collect::<BTreeSet<_>>().into_iter().collect();
            return Ok(Self { media_type, size, blobs: Vec::new(), manifests, subject, artifact_type });
        }
        if !media_type::is_manifest(&media_type) {
            return Err(bad(format!("the media type {media_type:?} is not one that this registry keeps")));
        }
        let Some(config) = document.config.filter(|_| document.manifests.is_none()) else {
            return Err(bad("a manifest has a config, and lists no manifests".to_owned()));
        };
        let artifact_type = artifact_type.or_else(|| Some(config.media_type.clone()));
        // What may not be handed out is not here either.
        let elsewhere = |layer: &Descriptor| {
            layer.urls.is_some() || ["foreign", "nondistributable"].iter().any(|word| layer.media_type.contains(word))
        };
        let listed = document.layers.unwrap_or_default().into_iter().filter(|layer| !elsewhere(layer));
        let blobs = std::iter::once(config).chain(listed).map(|blob| (blob.digest, blob.size));
        // One may be listed ten thousand times.
        let blobs = blobs.collect::<BTreeSet<_>>().into_iter().collect();
        Ok(Self { media_type, size, blobs, manifests: Vec::new(), subject, artifact_type })
    }

    /// As an index lists it; with its annotations, which are in the manifest itself and need not be in memory, too.
    pub(super) fn descriptor(&self, digest: &Digest, bytes: &[u8]) -> Descriptor {
        let document: Option<Document> = serde_json::from_slice(bytes).ok();
        Descriptor {
            annotations: document.and_then(|document| document.annotations).unwrap_or_default(),
            artifact_type: self.artifact_type.clone(),
            ..Descriptor::new(&self.media_type, *digest, self.size)
        }
    }
}
