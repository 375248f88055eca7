//! Which manifest is in which repository, under which tags: in memory, and in the layout's `index.json`.
//!
//! Each line of that is a descriptor, with the repository as an annotation; one that has a tag has it as its name
//! within the layout, too (`team/app:v1`), which is where other tools look.

use super::document::Held;
use layers::manifest::{Descriptor, Index};
use layers::{Blobs, Digest};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const REPOSITORY: &str = "kesako.registry.repository";

/// All repositories, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalogue {
    pub repositories: BTreeMap<String, Repository>,
}

/// One of them. It is there as long as it has a manifest.
#[derive(Clone, Debug, Default)]
pub(super) struct Repository {
    pub manifests: BTreeMap<Digest, Arc<Held>>,
    pub tags: BTreeMap<String, Digest>,
}

impl Catalogue {
    /// Reads `index.json`. A manifest that is not there, or cannot be read, is left out.
    pub(super) fn read(blobs: &Blobs) -> io::Result<Self> {
        let index: Index = serde_json::from_slice(&fs::read(blobs.layout().join("index.json"))?)?;
        let mut catalogue = Self::default();
        for descriptor in index.manifests {
            let Some(name) = descriptor.annotations.get(REPOSITORY) else { continue };
            let held = match blobs.document(&descriptor.digest) {
                Ok(bytes) => Held::read(&bytes, &descriptor.media_type).map_err(|refusal| refusal.message),
                Err(error) => Err(error.to_string()),
            };
            match held {
                Ok(held) => {
                    let repository = catalogue.repositories.entry(name.clone()).or_default();
                    repository.manifests.insert(descriptor.digest, Arc::new(held));
                    let tag = descriptor
                        .annotations
                        .get(REF_NAME)
                        .and_then(|full| full.strip_prefix(name)?.strip_prefix(':'));
                    if let Some(tag) = tag {
                        repository.tags.insert(tag.to_owned(), descriptor.digest);
                    }
                }
                Err(why) => tracing::warn!("{name}: the manifest {} is left out: {why}", descriptor.digest),
            }
        }
        Ok(catalogue)
    }

    /// Writes `index.json`: the old one or the new one is there after a crash, never a piece.
    pub(super) fn write(&self, layout: &Path) -> io::Result<()> {
        let mut manifests = Vec::new();
        for (name, repository) in &self.repositories {
            let mut tags: BTreeMap<&Digest, Vec<&String>> = BTreeMap::new();
            repository.tags.iter().for_each(|(tag, digest)| tags.entry(digest).or_default().push(tag));
            for (digest, held) in &repository.manifests {
                let line = |tag: Option<&String>| {
                    let mut line = Descriptor::new(&held.media_type, *digest, held.size);
                    line.annotations.insert(REPOSITORY.to_owned(), name.clone());
                    if let Some(tag) = tag {
                        line.annotations.insert(REF_NAME.to_owned(), format!("{name}:{tag}"));
                    }
                    line
                };
                match tags.remove(digest) {
                    None => manifests.push(line(None)),
                    Some(tags) => manifests.extend(tags.into_iter().map(|tag| line(Some(tag)))),
                }
            }
        }
        let bytes = serde_json::to_vec(&Index { manifests, ..Index::default() })?;
        let mut file = tempfile::Builder::new()
            .prefix(".index-")
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(layout)?;
        file.write_all(&bytes)?;
        file.as_file().sync_data()?;
        file.persist(layout.join("index.json"))?;
        File::open(layout)?.sync_all()
    }

    /// All blobs that are needed, manifests too.
    pub(super) fn reached(&self) -> std::collections::HashSet<Digest> {
        let manifests = self.repositories.values().flat_map(|repository| &repository.manifests);
        let all = manifests.flat_map(|(digest, held)| held.blobs.iter().map(|(blob, _)| *blob).chain([*digest]));
        all.collect()
    }
}
