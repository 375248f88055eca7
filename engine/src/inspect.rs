//! Everything about one container.

use crate::{Engine, Result, api};

impl Engine {
    pub fn inspect(&self, id: &str, size: bool) -> Result<api::ContainerInspect> {
        todo!()
    }
    pub fn top(&self, id: &str, ps_args: &str) -> Result<api::TopResponse> {
        todo!()
    }
}
