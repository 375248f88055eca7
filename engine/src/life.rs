//! start, stop, kill, restart, pause.

use crate::{Engine, Result};

impl Engine {
    pub fn start(&self, id: &str) -> Result<()> {
        todo!()
    }
    /// Seconds of grace (None: the container's own, else 10; negative: for ever), then SIGKILL.
    pub fn stop(&self, id: &str, signal: Option<&str>, grace: Option<i64>) -> Result<()> {
        todo!()
    }
    pub fn restart(&self, id: &str, signal: Option<&str>, grace: Option<i64>) -> Result<()> {
        todo!()
    }
    pub fn kill(&self, id: &str, signal: Option<&str>) -> Result<()> {
        todo!()
    }
    pub fn pause(&self, id: &str) -> Result<()> {
        todo!()
    }
    pub fn unpause(&self, id: &str) -> Result<()> {
        todo!()
    }
    pub fn resize(&self, id: &str, height: u16, width: u16) -> Result<()> {
        todo!()
    }
    /// The processes of a running container, as this process numbers them.
    pub(crate) fn processes(&self, container: &crate::record::Container) -> Result<Vec<i32>> {
        todo!()
    }
    /// `rm -f`: the container's end, whatever it says.
    pub(crate) fn kill_for_removal(&self, container: &crate::record::Container) -> Result<()> {
        todo!()
    }
}
