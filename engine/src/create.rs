//! Making a container.

use crate::{Engine, Result, api};

impl Engine {
    pub fn create(&self, name: Option<&str>, request: api::CreateRequest) -> Result<api::CreateResponse> {
        todo!()
    }
    pub fn rename(&self, id: &str, name: &str) -> Result<()> {
        todo!()
    }
}
