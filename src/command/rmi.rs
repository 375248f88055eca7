//! `kesako rmi`.

use super::Verb;
use crate::failure::Exit;
use crate::output::{put, warn};
use crate::session::{self, Session};
use engine::api::ImageDeleted;

/// Remove one or more images
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// Force removal of the image
    #[arg(short, long)]
    force: bool,
    /// Do not delete untagged parents
    #[arg(long)]
    no_prune: bool,
    #[arg(required = true)]
    images: Vec<String>,
}

impl Verb for Remove {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = session.connect()?;
        let mut failures = Vec::new();
        // With --force, an image that is not there is no failure.
        let mut fatal = false;
        for image in &self.images {
            let mut request = client.delete(format!("/images/{image}"));
            for (flag, given) in [("force", self.force), ("noprune", self.no_prune)] {
                if given {
                    request = request.query(flag, 1);
                }
            }
            match request.json::<Vec<ImageDeleted>>().await {
                Ok(steps) => put(steps.iter().map(describe).collect::<String>())?,
                Err(error) => {
                    fatal |= !(self.force && error.is_not_found());
                    failures.push(session::message(&error.into()));
                }
            }
        }
        match (failures.is_empty(), fatal) {
            (true, _) => Ok(()),
            (false, true) => Err(Exit::with(1, failures.join("\n"))),
            (false, false) => {
                warn(failures.join("\n"));
                Ok(())
            }
        }
    }
}

pub(super) fn describe(step: &ImageDeleted) -> String {
    match (&step.deleted, &step.untagged) {
        (Some(id), _) => format!("Deleted: {id}\n"),
        (None, Some(name)) => format!("Untagged: {name}\n"),
        (None, None) => String::new(),
    }
}
