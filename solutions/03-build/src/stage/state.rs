//! What a stage has become so far.

use super::Build;
use crate::recipe;
use crate::scope::Scope;
use layers::digest::chain_ids;
use layers::image::{Config, RootFs};
use layers::manifest::{Descriptor, Platform};
use layers::{Digest, Image, ImageConfig, Made};

/// An image in the making, and what later steps of it have to know.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub image: ImageConfig,
    /// The layers' blobs, lowest first; their diff IDs are in the recipe.
    pub blobs: Vec<Descriptor>,
    /// Those that were made here, and may not be on the disk yet.
    pub unsynced: Vec<Digest>,
    pub scope: Scope,
    /// Of the last step that changes files.
    pub key: Digest,
    /// The first step that could not be reused: none after it can.
    pub anew: Option<String>,
}

impl State {
    /// `FROM scratch`: nothing, for this platform.
    #[must_use]
    pub fn scratch(platform: Platform) -> Self {
        let Platform { architecture, os, variant, os_version, os_features } = platform;
        let config = Config { working_dir: "/".to_owned(), ..Config::default() };
        let rootfs = RootFs::default();
        let image = ImageConfig {
            architecture,
            os,
            variant,
            os_version,
            os_features,
            config,
            rootfs,
            ..ImageConfig::default()
        };
        Self::new(image, Vec::new(), Digest::of(b"scratch"))
    }

    /// `FROM` an image.
    #[must_use]
    pub fn of_image(image: &Image) -> Self {
        let key = image.chain_ids().last().copied().unwrap_or_else(|| Digest::of(b"scratch"));
        Self::new(image.config.clone(), image.manifest.layers.clone(), key)
    }

    fn new(mut image: ImageConfig, blobs: Vec<Descriptor>, key: Digest) -> Self {
        let env = image.config.env.get_or_insert_default();
        if !env.iter().any(|variable| variable.starts_with("PATH=")) {
            env.push(recipe::PATH.to_owned());
        }
        let scope = Scope::of_image(env);
        Self { image, blobs, unsynced: Vec::new(), scope, key, anew: None }
    }

    /// The chain ID of all layers so far.
    #[must_use]
    pub fn chain_id(&self) -> Option<Digest> {
        chain_ids(&self.image.rootfs.diff_ids).last().copied()
    }

    /// The ID that the image would have if it ended here.
    #[must_use]
    pub fn id(&self, build: &Build<'_>) -> Digest {
        build.finished(self).id()
    }

    pub(super) fn push(&mut self, layer: &Made) {
        self.image.rootfs.diff_ids.push(layer.diff_id);
        self.blobs.push(layer.blob.clone());
        self.unsynced.push(layer.blob.digest);
    }
}
