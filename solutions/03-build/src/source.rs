//! Where files to be copied or mounted come from, other than the build context. Chapter 7 knows the stages, and what a
//! `RUN --mount` needs.

use crate::instruction::Mount;
use crate::run;
use layers::Digest;
use std::os::fd::OwnedFd;

/// Finds what `--from` and `--mount` name.
pub trait Sources: Sync {
    /// A stage, an image or a named context. Waits until it is there.
    ///
    /// # Errors
    /// There is none, or its own build failed: a line that says why.
    fn source(&self, name: &str) -> Result<Source, String>;

    /// What decides whether a step with this mount can be reused: the files of a bind mount, and what a cache begins with;
    /// nothing of a secret or a tmpfs. To be asked before [`Sources::mount`], which may have to wait for others and to copy
    /// files, and is only for a step that is not reused.
    ///
    /// # Errors
    /// It cannot be had: a line that says why.
    fn content(&self, mount: &Mount) -> Result<Option<Digest>, String>;

    /// What a `RUN --mount` asks for, with all its variables expanded. `cwd` is the step's working directory.
    ///
    /// # Errors
    /// It cannot be had: a line that says why.
    fn mount(&self, mount: &Mount, cwd: &str) -> Result<Mounted, String>;
}

/// A tree of files.
#[derive(Debug)]
pub struct Source {
    /// Its root: a detached, read-only mount, or a folder.
    pub root: OwnedFd,
    /// What its files are known by, where they cannot change: the chain ID of an image's layers. None for a folder of
    /// the host, whose files have to be looked at.
    pub chain_id: Option<Digest>,
}

/// A mount that is ready for its command.
#[derive(Debug)]
pub struct Mounted {
    /// None where there is nothing to mount: a secret that nobody gave and nobody requires, or one that is a variable.
    pub mount: Option<run::Mount>,
    /// `NAME=value` for the command: never written anywhere.
    pub env: Option<String>,
    /// Held until the command has ended: a lock, a temporary folder.
    pub held: Option<Held>,
}

/// See [`Mounted::held`].
pub type Held = Box<dyn Guard>;

/// Lets go when it is dropped.
pub trait Guard: Send + std::fmt::Debug {}
