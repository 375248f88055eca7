//! An image out of parts that are here: a recipe, and the layers it is made of.

use crate::digest::Digest;
use crate::error::Result;
use crate::image::ImageConfig;
use crate::manifest::Descriptor;
use crate::reference::Reference;
use crate::store::{Image, Store, Writing};

impl Store {
    /// Makes an image of this recipe and these layers (lowest first, as many as the recipe lists diff IDs) under these
    /// names. Each is taken from whoever has it. From the moment it is registered a power cut cannot take it:
    /// `unsynced` are those of its layers that may not be on the disk yet ([`crate::Draft::seal`]).
    ///
    /// # Errors
    /// Nothing is registered if a layer is missing, or the disk is full.
    pub fn compose(
        &self,
        writing: &Writing,
        recipe: &ImageConfig,
        layers: Vec<Descriptor>,
        unsynced: &[Digest],
        names: &[Reference],
    ) -> Result<Image> {
        let names: Vec<Reference> = names.iter().map(|name| name.clone().or_latest()).collect();
        let image = match self.known(recipe, &layers)? {
            // What was built before asks nothing of the disk.
            Some(image) if names.iter().all(|name| image.names.contains(name)) => return Ok(image),
            Some(image) => image,
            None => {
                self.blobs().sync(unsynced)?;
                self.unlisted(writing, recipe, layers)?
            }
        };
        self.enter(&[(image.clone(), names)])?;
        self.resolve(&image.id.to_string())
    }

    /// The image of this recipe and these layers, in no list: to be written to an archive ([`crate::archive::write`]) before
    /// the next collection of garbage takes it.
    ///
    /// # Errors
    /// A layer is missing, or the disk is full.
    pub fn unlisted(&self, _writing: &Writing, recipe: &ImageConfig, layers: Vec<Descriptor>) -> Result<Image> {
        self.prepare(&self.put_image(recipe, layers)?, None)
    }

    /// The very same image, if it is registered already, and whole.
    fn known(&self, recipe: &ImageConfig, layers: &[Descriptor]) -> Result<Option<Image>> {
        let Ok(image) = self.resolve(&recipe.id().to_string()) else { return Ok(None) };
        let same = image.manifest.layers.iter().map(|layer| layer.digest).eq(layers.iter().map(|layer| layer.digest));
        Ok(Some(image).filter(|image| same && self.prepare(&image.target, None).is_ok()))
    }
}
