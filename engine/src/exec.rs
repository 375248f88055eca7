//! Further processes in a running container.

use crate::{Attached, Engine, Result, api};

impl Engine {
    pub fn exec_create(&self, container: &str, config: api::ExecConfig) -> Result<api::IdResponse> {
        todo!()
    }
    /// None when detached.
    pub fn exec_start(&self, exec: &str, start: &api::ExecStart) -> Result<Option<Attached>> {
        todo!()
    }
    pub fn exec_inspect(&self, exec: &str) -> Result<api::ExecInspect> {
        todo!()
    }
    pub fn exec_resize(&self, exec: &str, height: u16, width: u16) -> Result<()> {
        todo!()
    }
    /// The IDs of the execs that run in this container.
    pub(crate) fn running_execs(&self, container: &crate::record::Container) -> Vec<String> {
        todo!()
    }
}
