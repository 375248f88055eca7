//! What can go wrong between stages. What the user reads is BuildKit's, where it has words for it.

use build::dockerfile::Source;
use std::io;
use std::ops::RangeInclusive;

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

/// `: a needs b, which needs a`, where more than one is in it.
fn way(stages: &[String]) -> String {
    let Some((first, others)) = stages.split_first().filter(|(_, others)| !others.is_empty()) else {
        return String::new();
    };
    let others: Vec<_> = others.iter().chain([first]).map(|stage| format!(" needs {stage}")).collect();
    format!(" ({first}{})", others.join(", which"))
}
