//! What can go wrong in a build. The words are BuildKit's where it has them.

use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

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
    /// A `--mount` that is none, once its variables were expanded.
    #[error("{0}")]
    Mount(String),
}
