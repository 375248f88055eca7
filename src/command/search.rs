//! `kesako search`, which says why there is none.

use super::Plain;
use crate::session::Session;

/// Search Docker Hub for images
#[derive(Debug, clap::Args)]
pub(super) struct Search {
    #[arg(required = true)]
    term: String,
}

impl Plain for Search {
    fn run(self, _: Session) -> anyhow::Result<()> {
        anyhow::bail!(
            "cannot search for {:?}: registries have no search in their protocol; look on https://hub.docker.com, and try: kesako pull NAME",
            self.term
        )
    }
}
