//! Waiting for a container to end.

use crate::{Engine, Result, api};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitCondition {
    NotRunning,
    NextExit,
    Removed,
}

impl Engine {
    /// Checks the container now, and returns what blocks until the condition holds (so that a caller can answer the
    /// request's head before it blocks).
    pub fn wait(&self, id: &str, condition: WaitCondition) -> Result<Waiting> {
        todo!()
    }
}

/// A wait that has begun.
#[derive(Debug)]
pub struct Waiting {}

impl Waiting {
    /// Blocks.
    pub fn finish(self) -> Result<api::WaitResponse> {
        todo!()
    }
}
