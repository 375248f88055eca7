//! What a container changed: the way back from an overlay's upper folder to a layer.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::Result;

/// What happened to a path, with the numbers of the Engine API (`GET /containers/{id}/changes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    Modified = 0,
    Added = 1,
    Deleted = 2,
}

/// One line of `docker diff`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Absolute, as seen in the container.
    pub path: PathBuf,
    pub kind: ChangeKind,
}

/// What the upper folder changes about the layers below it (lowest first), sorted by path.
///
/// # Errors
/// If a folder cannot be read.
pub fn changes(upper: &Path, lower: &[PathBuf]) -> Result<Vec<Change>> {
    let _ = (upper, lower);
    Ok(Vec::new())
}

/// Writes the upper folder as an uncompressed layer. Returns what could not be taken along, a line each.
///
/// # Errors
/// If a file cannot be read or the layer not be written.
pub fn write_layer(upper: &Path, to: &mut dyn Write) -> Result<Vec<String>> {
    let _ = (upper, to);
    Ok(Vec::new())
}
