//! Taking containers away.

use crate::{Engine, Filters, Result, api};

#[derive(Clone, Debug, Default)]
pub struct RemoveOptions {
    pub force: bool,
    pub volumes: bool,
}

impl Engine {
    pub fn remove(&self, id: &str, options: &RemoveOptions) -> Result<()> {
        todo!()
    }
    pub fn prune_containers(&self, filters: &Filters) -> Result<api::ContainersPruned> {
        todo!()
    }
}
