//! What a stage is built from, if that is an image.

use crate::{Engine, Result};
use build::stage::State;

impl Engine {
    /// The image of this name, unpacked.
    pub(super) fn base(&self, name: &str) -> Result<State> {
        let image = self.image(name)?;
        self.store()?.layer_folders(&image)?;
        Ok(State::of_image(&image))
    }
}
