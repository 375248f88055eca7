//! A new image: what a container wrote becomes a layer, and a recipe goes with it.

use crate::diff;
use crate::digest::Digest;
use crate::error::Result;
use crate::image::{Config, History, ImageConfig};
use crate::manifest::{Descriptor, Manifest, Platform, media_type};
use crate::reference::Reference;
use crate::store::{Image, Store, Writing};
use std::path::Path;

/// The two zero blocks that end every tar: an archive of nothing.
const EMPTY_TAR: [u8; 1024] = [0; 1024];

/// What is said about a new image.
#[derive(Clone, Debug, Default)]
pub struct About {
    pub author: String,
    pub comment: String,
    /// What the history shows as the step's command.
    pub created_by: String,
    /// RFC 3339; None is now.
    pub created: Option<String>,
}

/// A layer of a new image.
#[derive(Clone, Debug)]
pub(crate) struct NewLayer {
    pub descriptor: Descriptor,
    pub diff_id: Digest,
}

impl Store {
    /// Makes an image of what a container wrote (`upper`, the upper folder of its overlay) on top of its image. With a
    /// `name`, takes it from whoever has it. Returns the image, and a line for each file that could not be taken along
    /// (sockets).
    ///
    /// # Errors
    /// If a file cannot be read, or the image not be written; nothing is registered then.
    pub fn commit(
        &self,
        parent: Option<&Image>,
        upper: &Path,
        config: Config,
        about: About,
        name: Option<&Reference>,
    ) -> Result<(Image, Vec<String>)> {
        self.adding(|writing| {
            let mut blob = self.blobs().writer()?;
            let left_out = diff::write_layer(upper, &mut blob)?;
            let (digest, size) = blob.commit()?;
            let layer = NewLayer { descriptor: Descriptor::new(media_type::OCI_LAYER, digest, size), diff_id: digest };
            let layer = Some(layer).filter(|l| l.diff_id != Digest::of(&EMPTY_TAR));
            let image = self.assemble(writing, Base::new(parent), layer, config, about, name)?;
            Ok((image, left_out))
        })
    }

    /// One more layer (or none) on top of `base`, with a new recipe.
    pub(crate) fn assemble(
        &self,
        writing: &Writing,
        base: Base,
        layer: Option<NewLayer>,
        config: Config,
        about: About,
        name: Option<&Reference>,
    ) -> Result<Image> {
        let created = about.created.unwrap_or_else(|| jiff::Timestamp::now().to_string());
        let Base { mut image, mut layers, parent } = base;
        image.history.push(History {
            created: Some(created.clone()),
            created_by: about.created_by,
            author: about.author.clone(),
            comment: about.comment.clone(),
            empty_layer: layer.is_none(),
        });
        if let Some(layer) = layer {
            image.rootfs.diff_ids.push(layer.diff_id);
            layers.push(layer.descriptor);
        }
        (image.author, image.comment) = (about.author, about.comment);
        (image.created, image.config) = (Some(created), config);
        let target = self.put_image(&image, layers)?;
        self.register(writing, &target, name, parent)
    }

    /// Writes a config and the manifest that ties it to its layers. Returns the manifest's descriptor.
    pub(crate) fn put_image(&self, image: &ImageConfig, layers: Vec<Descriptor>) -> Result<Descriptor> {
        let config = self.put_json(media_type::OCI_CONFIG, image)?;
        let layers = layers.into_iter().map(as_oci).collect();
        self.put_json(media_type::OCI_MANIFEST, &Manifest::new(config, layers))
    }

    /// Writes a document.
    pub(crate) fn put_json(&self, media_type: &str, document: &impl serde::Serialize) -> Result<Descriptor> {
        let bytes = as_json(document)?;
        let digest = self.blobs().put(&bytes)?;
        Ok(Descriptor::new(media_type, digest, bytes.len() as u64))
    }
}

/// A document's bytes, which its digest names.
pub(crate) fn as_json(document: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(document).map_err(|e| crate::Error::Document { kind: "document", why: e.to_string() })
}

/// An OCI manifest names a Docker layer, the same bytes, in its own words.
fn as_oci(layer: Descriptor) -> Descriptor {
    match layer.media_type.as_str() {
        media_type::DOCKER_LAYER_GZIP => Descriptor { media_type: media_type::OCI_LAYER_GZIP.to_owned(), ..layer },
        _ => layer,
    }
}

/// What a new image starts from.
pub(crate) struct Base {
    image: ImageConfig,
    layers: Vec<Descriptor>,
    parent: Option<Digest>,
}

impl Base {
    /// Another image, or nothing.
    pub(crate) fn new(parent: Option<&Image>) -> Self {
        parent.map_or_else(
            || Self::scratch(Platform::host()),
            |p| Self { image: p.config.clone(), layers: p.manifest.layers.clone(), parent: Some(p.id) },
        )
    }

    /// Nothing, for this platform.
    pub(crate) fn scratch(platform: Platform) -> Self {
        let Platform { architecture, os, variant, os_version, os_features } = platform;
        let image = ImageConfig { architecture, os, variant, os_version, os_features, ..ImageConfig::default() };
        Self { image, layers: Vec::new(), parent: None }
    }
}
