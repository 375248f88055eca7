//! `--network container:NAME`: another container's network, with the files that tell who one is there.

use super::Attachment;
use super::connected::near_end;
use crate::container::record::Container;
use crate::spec::mounts::NETWORK_FILES;
use crate::{Engine, Error, Kind, Result};
use network::Links;
use std::path::PathBuf;

/// In the run folder of a container whose network another has joined.
const MARK: &str = "joined";

/// A network namespace that is another container's.
#[derive(Debug)]
pub(crate) struct Joined {
    pub namespace: PathBuf,
    pub hostname: String,
}

impl Engine {
    /// Finds the network of a container that runs, and copies its files for this one.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it does not run.
    pub(crate) fn join_network_of(&self, other: &str, container: &Container) -> Result<Joined> {
        let other = self.find(other)?;
        let (record, state) = (other.record()?, other.state()?);
        if !state.status.is_running() || state.pid <= 0 {
            let text = format!("cannot join network of a non running container: {}", record.id);
            return Err(Error::new(Kind::Conflict, text));
        }
        // The namespace may outlive its first owner now.
        let (mark, trouble) = (other.run.join(MARK), |e| Error::system("join a network", e));
        std::fs::write(mark, "").map_err(trouble)?;
        for (name, _) in NETWORK_FILES {
            let (from, to) = (other.run.join(name), container.run.join(name));
            std::fs::copy(&from, &to).map_err(|e| Error::system(format!("copy {}", from.display()), e))?;
        }
        Ok(Joined { namespace: format!("/proc/{}/ns/net", state.pid).into(), hostname: record.config.hostname })
    }
}

/// Unplugs a container that is at its end, where that does not happen by itself: its cables go with its namespace, but whoever has
/// joined that is still in it, with addresses that somebody else may be given next.
pub(super) fn unplug(container: &Container, attachments: &[Attachment]) -> Result<()> {
    if !container.run.join(MARK).exists() {
        return Ok(());
    }
    let mut links = Links::open()?;
    attachments.iter().try_for_each(|attachment| Ok(links.remove(&near_end(attachment))?))
}
