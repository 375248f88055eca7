//! Archives from before `manifest.json` (Docker 1.9 and older): `repositories` leads to a layer, and each layer's `json`
//! to its parent. Such an image has no config document; one is made from these.

use super::load::{Archive, parse};
use crate::compression;
use crate::digest::{Digest, HashingReader};
use crate::error::{Error, Result};
use crate::image::{Config, History, ImageConfig};
use crate::manifest::Descriptor;
use crate::reference::Reference;
use serde::Deserialize;
use std::collections::BTreeMap;

/// More would not mount.
const LAYERS_MAX: usize = 500;

/// `<layer>/json`.
#[derive(Deserialize)]
struct Layer {
    parent: Option<String>,
    created: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    architecture: Option<String>,
    os: Option<String>,
    #[serde(default)]
    config: Option<Config>,
    #[serde(default)]
    container_config: Option<Config>,
}

/// The images that `repositories` (name, tag, layer) lists.
pub(super) fn images(
    archive: &Archive<'_>,
    repositories: BTreeMap<String, BTreeMap<String, String>>,
) -> Result<Vec<(Descriptor, Vec<Reference>)>> {
    let tags = repositories.iter().flat_map(|(name, tags)| tags.iter().map(move |(tag, top)| (name, tag, top)));
    tags.map(|(name, tag, top)| Ok((image(archive, top)?, vec![Reference::from_parts(name, tag)?]))).collect()
}

fn image(archive: &Archive<'_>, top: &str) -> Result<Descriptor> {
    let mut config = ImageConfig::default();
    let mut blobs = Vec::new();
    for (id, layer) in chain(archive, top)? {
        let blob = archive.layer(&format!("{id}/layer.tar"))?;
        config.rootfs.diff_ids.push(diff_id(archive, &blob)?);
        blobs.push(blob);
        config.history.push(History {
            created: layer.created.clone(),
            created_by: layer.container_config.and_then(|c| c.cmd).unwrap_or_default().join(" "),
            author: layer.author.clone().unwrap_or_default(),
            comment: layer.comment.unwrap_or_default(),
            empty_layer: false,
        });
        // The uppermost comes last, and its word counts.
        config.created = layer.created;
        config.author = layer.author.unwrap_or_default();
        config.architecture = layer.architecture.unwrap_or(config.architecture);
        config.os = layer.os.unwrap_or(config.os);
        config.config = layer.config.unwrap_or_default();
    }
    let json = serde_json::to_vec(&config).map_err(|e| Error::Load(e.to_string()))?;
    archive.put_docker_image(&json, blobs)
}

/// The layers from the lowest to `top`.
fn chain(archive: &Archive<'_>, top: &str) -> Result<Vec<(String, Layer)>> {
    let mut chain = Vec::new();
    let mut next = Some(top.to_owned());
    while let Some(id) = next {
        if chain.len() == LAYERS_MAX {
            return Err(Error::Load(format!("{top} has more than {LAYERS_MAX} layers, or goes in circles")));
        }
        let path = format!("{id}/json");
        let layer: Layer = parse(&path, &archive.document(&path)?)?;
        next = layer.parent.clone().filter(|parent| !parent.is_empty());
        chain.push((id, layer));
    }
    chain.reverse();
    Ok(chain)
}

fn diff_id(archive: &Archive<'_>, blob: &Descriptor) -> Result<Digest> {
    let plain = compression::decompress(archive.store.blobs().read(&blob.digest)?, "").map_err(Error::Stream)?;
    let mut hashing = HashingReader::new(plain);
    std::io::copy(&mut hashing, &mut std::io::sink()).map_err(Error::Stream)?;
    Ok(hashing.finish().0)
}
