//! The engine and its host.

use crate::{Engine, Result, api};

impl Engine {
    pub fn version(&self) -> api::Version {
        todo!()
    }
    pub fn info(&self) -> Result<api::Info> {
        todo!()
    }
}
