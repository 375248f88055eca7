//! What can be wrong with a project's files. Whatever stands in a file is told with that file, its line and the key.

use crate::tree::At;
use std::io;
use std::path::{Path, PathBuf};

/// Why a project could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something at a place of a file.
    #[error("{at}: {what}")]
    At { at: String, what: String },
    #[error("no configuration file provided: not found")]
    NoFile,
    #[error("{}", unread(path, source))]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: a file of more than {limit} bytes is not read", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error(
        "invalid project name {0:?}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as \
         well as start with a letter or number"
    )]
    ProjectName(String),
    #[error("project name must not be empty: name it by --project-name, or by `name:` in the file")]
    NoProjectName,
    #[error("no such service: {0}")]
    NoService(String),
    #[error("{place}: {what}")]
    EnvFile { place: String, what: String },
    /// What the engine answered.
    #[error(transparent)]
    Engine(#[from] daemon::Error),
    /// Why a project is not as it should be; the text says all.
    #[error("{0}")]
    Failed(String),
}

/// [`Error`]'s.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error about what stands there; `key` is the dotted path to it, and empty where there is none.
    pub(crate) fn at(at: &At, key: &str, what: impl std::fmt::Display) -> Self {
        let what = if key.is_empty() { what.to_string() } else { format!("{key}: {what}") };
        Self::At { at: at.to_string(), what }
    }
}

/// In docker compose's words, which are Go's, where there is nothing to read.
fn unread(path: &Path, source: &io::Error) -> String {
    let path = path.display();
    match source.kind() {
        io::ErrorKind::NotFound => format!("open {path}: no such file or directory"),
        io::ErrorKind::PermissionDenied => format!("open {path}: permission denied"),
        _ => format!("cannot read {path}: {source}"),
    }
}
