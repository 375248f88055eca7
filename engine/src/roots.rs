//! Where everything lives.

use crate::Result;
use std::path::{Path, PathBuf};

/// The two folders of an engine.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/var/lib/kesako`, rootless `$XDG_DATA_HOME/kesako`.
    pub data: PathBuf,
    /// `/run/kesako`, rootless `$XDG_RUNTIME_DIR/kesako`.
    pub run: PathBuf,
}

impl Roots {
    /// From `--root`/`KESAKO_ROOT` (then `DIR` and `DIR/run`), else the defaults of this user.
    pub fn find(root: Option<&Path>) -> Result<Self> {
        todo!()
    }
}
