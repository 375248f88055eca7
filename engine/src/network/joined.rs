//! `--network container:NAME`: another container's network, with the files that tell who one is there.

use crate::container::record::Container;
use crate::spec::mounts::NETWORK_FILES;
use crate::{Engine, Error, Kind, Result};
use std::path::PathBuf;

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
        for (name, _) in NETWORK_FILES {
            let (from, to) = (other.run.join(name), container.run.join(name));
            std::fs::copy(&from, &to).map_err(|e| Error::system(format!("copy {}", from.display()), e))?;
        }
        Ok(Joined { namespace: format!("/proc/{}/ns/net", state.pid).into(), hostname: record.config.hostname })
    }
}
