//! What can go wrong in a build. The words are BuildKit's where it has them.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in a build.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call on a file failed.
    #[error("cannot {step} {path}: {source}", path = path.display())]
    Io { step: &'static str, path: PathBuf, source: io::Error },
    /// A line of a `.dockerignore`, or an `--exclude`.
    #[error("failed parsing {origin}: {pattern:?}: {why}")]
    Pattern { origin: String, pattern: String, why: &'static str },
    /// A file that is not what it has to be.
    #[error("{what}: {why}")]
    Unsuitable { what: String, why: String },
    /// A source of a COPY that is not there, or that the build may not see.
    #[error(
        "failed to compute cache key: failed to calculate checksum of ref {from}: {path:?}: not found{}",
        if *hidden { " (it is excluded by .dockerignore)" } else { "" }
    )]
    NotFound { from: String, path: String, hidden: bool },
    /// Something that is no folder where one is needed.
    #[error("cannot copy to non-directory: {0}")]
    NotFolder(String),
    /// A folder where a file is to be.
    #[error("cannot replace to directory {0} with file")]
    FolderInTheWay(String),
    /// Files that would all get one name.
    #[error("When using COPY with more than one source file, the destination must be a directory and end with a /")]
    SeveralSources,
    /// A `--chmod` that is none.
    #[error("{0}")]
    Chmod(String),
    /// A `COPY` of what only `ADD` takes.
    #[error("source can't be a {0} for COPY")]
    CopyUrl(&'static str),
    /// A `--checksum` that is none, or that what was fetched does not have.
    #[error("{0}")]
    Checksum(String),
    /// A repository, which would have to be cloned.
    #[error("{0} is a git repository, which cannot be fetched here: clone it, and build from its folder")]
    Git(String),
    /// A URL that cannot be fetched.
    #[error("failed to load {url}: {why}")]
    Fetch { url: String, why: String },
    /// An archive that cannot be unpacked.
    #[error("failed to unpack {archive}: {why}")]
    Archive { archive: String, why: String },
    /// Whoever wanted the build does not want it any more.
    #[error("context canceled")]
    Cancelled,
    /// An archive was refused, or could not be written.
    #[error(transparent)]
    Layers(#[from] layers::Error),
    /// Something in the Dockerfile is wrong. The text shows the lines, and then says why, in Docker's words.
    #[error("{excerpt}{message}")]
    Dockerfile {
        message: String,
        /// `Dockerfile:3` and the lines around it; empty where no line is to blame.
        excerpt: String,
        /// The lines to blame, from 1; 0 where there is none.
        lines: RangeInclusive<usize>,
    },
    /// A word whose variables cannot be replaced by values.
    #[error("failed to process {word:?}: {why}")]
    Expand { word: String, why: String },
    /// An instruction that turns out to be none, once its variables are expanded.
    #[error("{0}")]
    Instruction(String),
    /// An instruction that alters the recipe, and makes no sense.
    #[error("{0}")]
    Recipe(String),
    /// What a step needs cannot be had.
    #[error("{0}")]
    Source(String),
    /// The command of a RUN.
    #[error("process {} did not complete successfully: exit code: {code}", crate::recipe::go_quoted(command))]
    Command { command: String, code: i32 },
}

impl Error {
    /// For `map_err`: which step on which path failed.
    pub(crate) fn io<E: Into<io::Error>>(step: &'static str, path: impl AsRef<Path>) -> impl FnOnce(E) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { step, path, source: source.into() }
    }

    /// For `map_err`: what failed while a file got its attributes.
    pub(crate) fn fault(path: &Path) -> impl FnOnce(layers::Fault) -> Self {
        let path = path.to_path_buf();
        move |fault| match fault {
            layers::Fault::Step(step, source) => Self::Io { step, path, source },
            fault => Self::Layers(fault.at("", path.as_os_str().as_encoded_bytes())),
        }
    }
}
