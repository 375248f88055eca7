//! Making an image of a container or of a tar archive.

use crate::{Engine, Result, api};
use std::io::Read;

#[derive(Clone, Debug, Default)]
pub struct CommitOptions {
    pub repo: String,
    pub tag: String,
    pub comment: String,
    pub author: String,
    pub pause: bool,
    /// Dockerfile instructions: `CMD …`, `ENV …`
    pub changes: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    pub repo: String,
    pub tag: String,
    pub message: String,
    pub changes: Vec<String>,
    pub platform: String,
}

impl Engine {
    pub fn commit(
        &self,
        container: &str,
        options: &CommitOptions,
        config: Option<api::ContainerConfig>,
    ) -> Result<api::IdResponse> {
        todo!()
    }
    pub fn import(&self, from: &mut dyn Read, options: &ImportOptions) -> Result<api::IdResponse> {
        todo!()
    }
}
