//! How far a pull or a push is, for whoever shows it.

use layers::Digest;

/// Called from several threads.
pub type Listener<'a> = &'a (dyn Fn(Event) + Sync);

/// Whether whoever asked for it wants no more of it. Called often, from several threads.
pub type Cancelled<'a> = &'a (dyn Fn() -> bool + Sync);

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Of the whole.
    Note { id: Option<String>, text: String },
    /// Of one layer: by its blob's digest when it is pulled, by its diff ID when it is pushed.
    Layer { id: Digest, step: Step },
}

/// Where a layer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    PullingFsLayer,
    Waiting,
    AlreadyExists,
    Downloading {
        current: u64,
        total: u64,
    },
    Retrying {
        seconds: u64,
    },
    VerifyingChecksum,
    DownloadComplete,
    Extracting {
        current: u64,
        total: u64,
    },
    PullComplete,
    Preparing,
    /// What is to be sent is compressed first.
    Compressing {
        current: u64,
        total: u64,
    },
    LayerAlreadyExists,
    MountedFrom(String),
    Pushing {
        current: u64,
        total: u64,
    },
    Pushed,
}

impl Step {
    /// Docker's words for it.
    #[must_use]
    pub fn text(&self) -> String {
        let text = match self {
            Step::PullingFsLayer => "Pulling fs layer",
            Step::Waiting => "Waiting",
            Step::AlreadyExists => "Already exists",
            Step::Downloading { .. } => "Downloading",
            Step::Retrying { seconds: 1 } => "Retrying in 1 second",
            Step::Retrying { seconds } => return format!("Retrying in {seconds} seconds"),
            Step::VerifyingChecksum => "Verifying Checksum",
            Step::DownloadComplete => "Download complete",
            Step::Extracting { .. } => "Extracting",
            Step::PullComplete => "Pull complete",
            Step::Preparing | Step::Compressing { .. } => "Preparing",
            Step::LayerAlreadyExists => "Layer already exists",
            Step::MountedFrom(repository) => return format!("Mounted from {repository}"),
            Step::Pushing { .. } => "Pushing",
            Step::Pushed => "Pushed",
        };
        text.to_owned()
    }

    /// How far it is, in bytes, and of how many.
    #[must_use]
    pub fn detail(&self) -> Option<(u64, u64)> {
        match *self {
            Step::Downloading { current, total }
            | Step::Extracting { current, total }
            | Step::Compressing { current, total }
            | Step::Pushing { current, total } => Some((current, total)),
            _ => None,
        }
    }
}
