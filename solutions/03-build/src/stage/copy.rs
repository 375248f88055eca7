//! COPY and ADD.

use super::Making;
use crate::error::{Error, Result};
use crate::instruction::{Copy, Step};

impl Making<'_> {
    pub(super) fn copy(&mut self, step: &Step, copy: &Copy, index: usize) -> Result<()> {
        let _ = (copy, index);
        Err(Error::Source(format!("not yet: {}", step.text)))
    }
}
