//! What can go wrong between stages. What the user reads is BuildKit's, where it has words for it.

use build::dockerfile::Source;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between stages.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `--target`: what is said of it.
    #[error("{0}")]
    NoTarget(String),
    /// `--from` with a number.
    #[error("invalid stage index {0}")]
    NoStage(String),
    #[error("failed to parse platform {0}: {1}")]
    Platform(String, layers::Error),
    #[error("failed to parse stage name {0:?}: {1}")]
    Image(String, layers::Error),
    /// Each needs the next, and the last the first.
    #[error("circular dependency detected on stage: {}{}", .0.first().map_or("", String::as_str), way(.0))]
    Circle(Vec<String>),
    /// `COPY --from` a stage that comes later.
    #[error("cannot copy from stage {from:?}, it needs to be defined before current stage {stage:?}")]
    CopyBelow { from: String, stage: String },
    /// `RUN --mount=from=` a stage that comes later.
    #[error("cannot mount from stage {from:?} to {target:?}, stage needs to be defined before current command")]
    MountBelow { from: String, target: String },
    /// Something in the Dockerfile, told with its lines, or in a step.
    #[error(transparent)]
    Build(#[from] build::Error),
    /// `required`.
    #[error("secret {0}: not found")]
    NoSecret(String),
    #[error("secret {0} is no text, and cannot be an environment variable; leave `env` out to have it as a file")]
    SecretNoText(String),
    #[error("cannot show secret {id}: {source}")]
    Secret { id: String, source: io::Error },
    /// `required`.
    #[error("no SSH key {0:?} forwarded from the client")]
    NoSsh(String),
    #[error(
        "ssh {id}: only the socket of an agent can be forwarded; add the keys to one with ssh-add, and give --ssh {id}=$SSH_AUTH_SOCK"
    )]
    SshKeys { id: String },
    #[error("cannot forward the SSH agent on {}: {source}", agent.display())]
    Ssh { agent: PathBuf, source: io::Error },
    #[error("cannot use the cache mount in {}: {source}", path.display())]
    Cache { path: PathBuf, source: io::Error },
    #[error("invalid mount target {0:?}")]
    Target(String),
    #[error("cannot show the files of {name}: {source}")]
    Tree { name: String, source: io::Error },
    /// An image or a context, in the words of who looked for it.
    #[error("{0}")]
    Origin(String),
    #[error("these stages wait for each other: {}", .0.join(", "))]
    Stuck(Vec<String>),
    #[error(transparent)]
    Layers(#[from] layers::Error),
    #[error("cannot begin another thread: {0}; a build needs one for each stage that is under way")]
    Thread(io::ErrorKind),
}

impl Error {
    /// Tells it of these lines.
    pub(crate) fn at(self, source: &Source, lines: &RangeInclusive<usize>) -> Self {
        match self {
            Self::Build(error @ build::Error::Dockerfile { .. }) => Self::Build(error),
            error => Self::Build(source.blame(lines, error.to_string())),
        }
    }
}

/// So many stages of a circle are named.
const MOST_NAMED: usize = 8;

/// ` (a needs b, which needs a)`, where more than one is in it.
fn way(stages: &[String]) -> String {
    let Some((first, others)) = stages.split_first().filter(|(_, others)| !others.is_empty()) else {
        return String::new();
    };
    let mut names: Vec<&str> = others.iter().take(MOST_NAMED).map(String::as_str).collect();
    if others.len() > MOST_NAMED {
        names.push("…");
    }
    names.push(first);
    let needs: Vec<_> = names.iter().map(|stage| format!(" needs {stage}")).collect();
    format!(" ({first}{})", needs.join(", which"))
}
