//! The build context: the files that `COPY` and `ADD` may take.
//!
//! It is opened once, as a file descriptor, and every path is resolved beneath that: what a link in it says, or a `..`,
//! leads nowhere else. Files are examined ([`walk`]), filtered by `.dockerignore` ([`crate::ignore`]), and known by the digests of
//! their contents ([`contents`]), which are remembered from one build to the next ([`memory`]).

#[path = "../../../../solutions/03-build/src/context/archive.rs"]
mod archive;
#[path = "../../../../solutions/03-build/src/context/contents.rs"]
pub(crate) mod contents;
pub(crate) mod entry;
#[path = "../../../../solutions/03-build/src/context/memory.rs"]
pub(crate) mod memory;
#[path = "../../../../solutions/03-build/src/context/rooted.rs"]
pub(crate) mod rooted;
#[path = "../../../../solutions/03-build/src/context/tree.rs"]
mod tree;
#[path = "../../../../solutions/03-build/src/context/walk.rs"]
pub(crate) mod walk;

use std::fs::File;
use std::io::{Read, Seek as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use layers::unpack::{Limits, Options, Whiteouts};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{getegid, geteuid};
use tempfile::TempDir;

use crate::add::{begins_like_one, fetch, is_git, is_url, unpack};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
pub use archive::Outgoing;
pub use tree::Tree;

/// What the only file of a context is called that was fetched and is no archive.
const DOCKERFILE: &str = "Dockerfile";

/// Where the files of a build come from.
#[derive(Debug)]
pub struct Context {
    tree: Tree,
    /// What was unpacked goes with the context.
    _unpacked: Option<TempDir>,
}

impl Context {
    /// A folder of the host. What is read of it is remembered beneath `cache`, the folder of the build cache.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn folder(path: &Path, cache: Option<&Path>) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, path, flags, Mode::empty()).map_err(Error::io("open the build context", path))?;
        Ok(Self { tree: Tree::folder(root, "context", cache)?, _unpacked: None })
    }

    /// An archive, which may be compressed: `docker build - < context.tar`, and what a client sends. It is unpacked into
    /// a folder of its own within `folder`, which goes with the context.
    ///
    /// # Errors
    /// It is no archive, or one that reaches out of its folder, or larger than `limits`.
    pub fn archive(stream: impl Read + Send, folder: &Path, limits: Limits) -> Result<Self> {
        let unpacked = new_folder(folder)?;
        let mut context = Self::folder(unpacked.path(), None)?;
        // Whoever packed it: in the image its files belong to root.
        let owner = Some((geteuid().as_raw(), getegid().as_raw()));
        let options = Options { layer: "the build context", whiteouts: Whiteouts::Keep, limits, owner };
        for note in unpack(stream, context.tree.root().as_fd(), &options)?.notes {
            tracing::warn!("the build context: {note}");
        }
        context._unpacked = Some(unpacked);
        Ok(context)
    }

    /// What a URL leads to: an archive, or a Dockerfile, which then is all there is.
    ///
    /// # Errors
    /// It cannot be fetched; it is a git repository; or as [`Context::archive`].
    pub fn url(url: &str, folder: &Path, limits: Limits, cancel: Option<&Cancel>) -> Result<Self> {
        if !Self::is_remote(url) || is_git(url) || !is_url(url) {
            return Err(Error::Git(url.to_owned()));
        }
        let unpacked = new_folder(folder)?;
        let path = unpacked.path().join(DOCKERFILE);
        let mut file = File::create_new(&path).map_err(Error::io("create", &path))?;
        fetch(url, &mut file, cancel)?;
        let mut file = File::open(&path).map_err(Error::io("open", &path))?;
        if begins_like_one(&file) {
            file.rewind().map_err(Error::io("read", &path))?;
            return Self::archive(&file, folder, limits);
        }
        let mut context = Self::folder(unpacked.path(), None)?;
        context._unpacked = Some(unpacked);
        Ok(context)
    }

    /// Whether what was given as a context is to be fetched, and is no folder.
    pub fn is_remote(context: &str) -> bool {
        is_url(context) || is_git(context) || context.starts_with("github.com/")
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

fn new_folder(folder: &Path) -> Result<TempDir> {
    tempfile::Builder::new().prefix("context-").tempdir_in(folder).map_err(Error::io("create a folder in", folder))
}
