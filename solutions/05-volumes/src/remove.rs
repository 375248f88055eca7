//! Removing a volume that nobody uses.
//!
//! Between the question whether it is in use and the removal, nobody may begin to use it. So the lock comes first, then
//! the question: who creates a container holds the volume's lock, shared, until the container is written down.

use crate::name::VolumeName;
use crate::store::{BEING_DELETED, BEING_MADE, Store, Volume, is_at, open};
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::ErrorKind;

impl Store {
    /// Removes a volume with all that is in it. `users` says which containers use it, and is asked when nobody can begin to.
    ///
    /// # Errors
    /// [`Error::NoSuchVolume`]; [`Error::InUse`]; whatever `users` fails with.
    pub fn remove<E: From<Error>>(
        &self,
        name: &str,
        users: impl FnOnce() -> Result<Vec<String>, E>,
    ) -> Result<Volume, E> {
        let missing = || Error::NoSuchVolume(name.to_owned());
        let name = VolumeName::parse(name).map_err(|_| missing())?;
        let path = self.path(&name);
        // ANCHOR: remove
        let _lock = self.lock(&name)?.ok_or_else(missing)?;
        let volume = self.get(name.as_str())?;
        let users = users()?;
        if !users.is_empty() {
            return Err(Error::InUse { name: volume.name, users }.into());
        }
        // With this it is gone, and its name is free, however long the deletion takes. (Nobody waits for the disk: what a power
        // cut brings back can be removed again.)
        let gone = self.passing_name(BEING_DELETED);
        fs::rename(&path, &gone).map_err(Error::io("remove", &path))?;
        // ANCHOR_END: remove
        tracing::info!(
            target: "explain",
            man = "unlink(2)",
            shell = format!("rm -r {}", path.display()),
            "deleting the volume {name}, with all that is in it"
        );
        fs::remove_dir_all(&gone).map_err(Error::io("delete", gone))?;
        Ok(volume)
    }

    /// The right to remove a volume: waits until nobody holds it. None if there is none of this name (any more).
    fn lock(&self, name: &VolumeName) -> Result<Option<File>> {
        let path = self.path(name);
        loop {
            let Some(folder) = open(&path)? else { return Ok(None) };
            folder.lock().map_err(Error::io("lock", &path))?;
            if is_at(&folder, &path) {
                return Ok(Some(folder));
            }
        }
    }

    /// Deletes what processes have left that died while they made or deleted a volume.
    pub(crate) fn sweep(&self) {
        let names = self.names().unwrap_or_default();
        for name in names.iter().filter(|name| [BEING_MADE, BEING_DELETED].iter().any(|p| name.starts_with(p))) {
            let path = self.folder.join(name);
            // Where somebody is at work, it is locked.
            let Ok(Some(folder)) = open(&path) else { continue };
            if folder.try_lock().is_err() {
                continue;
            }
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!("{} cannot be deleted: {error}", path.display());
                }
                _ => {}
            }
        }
    }
}
