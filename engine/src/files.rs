//! What a container changed in its filesystem, and taking it out.

use crate::{Engine, Result, api};
use std::io::Write;

impl Engine {
    pub fn changes(&self, id: &str) -> Result<Vec<api::FilesystemChange>> {
        todo!()
    }
    pub fn export(&self, id: &str, to: &mut dyn Write) -> Result<()> {
        todo!()
    }
}
