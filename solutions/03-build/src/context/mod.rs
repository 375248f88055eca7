//! The build context: the files that `COPY` and `ADD` may take.
//!
//! It is opened once, as a file descriptor, and every path is resolved beneath that: what a link in it says, or a `..`,
//! leads nowhere else. Files are examined ([`walk`]), filtered by `.dockerignore` ([`crate::ignore`]), and known by the digests of
//! their contents ([`contents`]), which are remembered from one build to the next ([`memory`]).

mod archive;
pub(crate) mod contents;
pub(crate) mod entry;
pub(crate) mod memory;
pub(crate) mod rooted;
mod tree;
pub(crate) mod walk;

use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::error::{Error, Result};
pub use archive::Outgoing;
pub use tree::Tree;

/// Where the files of a build come from.
#[derive(Debug)]
pub struct Context {
    tree: Tree,
}

impl Context {
    /// A folder of the host. What is read of it is remembered beneath `cache`, the folder of the build cache.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn folder(path: &Path, cache: Option<&Path>) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, path, flags, Mode::empty()).map_err(Error::io("open the build context", path))?;
        Ok(Self { tree: Tree::folder(root, "context", cache)? })
    }

    /// Its files.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Its files, to set what is hidden of them ([`Tree::read_ignore`]).
    pub fn tree_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }
}
