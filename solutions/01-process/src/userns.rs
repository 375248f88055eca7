//! User namespaces: being root of a small world (user_namespaces(7)).

use crate::{Error, Result, oci};

/// The ID maps of a container with a user namespace of its own.
#[derive(Debug)]
pub(crate) struct Maps {
    uids: String,
    gids: String,
}

impl Maps {
    pub(crate) fn of(linux: &oci::Linux) -> Result<Self> {
        let lines = |maps: &Option<Vec<oci::LinuxIdMapping>>| -> String {
            let maps = maps.as_deref().unwrap_or_default();
            maps.iter().map(|map| format!("{} {} {}\n", map.container_id(), map.host_id(), map.size())).collect()
        };
        let maps = Self { uids: lines(linux.uid_mappings()), gids: lines(linux.gid_mappings()) };
        if maps.uids.is_empty() || maps.gids.is_empty() {
            return Err(Error::Unsupported("a user namespace needs uidMappings and gidMappings".to_owned()));
        }
        Ok(maps)
    }

    /// Gives the child its IDs. We are root where it was made, so there is no need of newuidmap(1).
    pub(crate) fn write(&self, pid: i32) -> Result<()> {
        tracing::info!(
            target: "explain",
            man = "user_namespaces(7)",
            shell = format!("echo {} > /proc/{pid}/uid_map", self.uids.trim_end()),
            "mapping the container's users to users of the host"
        );
        for (file, map) in [("uid_map", &self.uids), ("gid_map", &self.gids)] {
            let path = format!("/proc/{pid}/{file}");
            std::fs::write(&path, map).map_err(|source| Error::System { step: format!("write {path}"), source })?;
        }
        Ok(())
    }
}

/// Puts this single-threaded process into a new user and mount namespace, with the user as root of it.
#[allow(clippy::todo)]
pub fn enter() -> Result<()> {
    todo!()
}
