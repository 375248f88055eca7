//! What a container changed in its filesystem, and taking it out.

use crate::container::record::{Container, Record};
use crate::{Engine, Error, Kind, Result, api};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

impl Engine {
    /// `diff`: what the container added (1), changed (0) and deleted (2).
    pub fn changes(&self, id: &str) -> Result<Vec<api::FilesystemChange>> {
        let container = self.find(id)?;
        let record = container.record()?;
        let (upper, _) = container.upper_and_work();
        if !upper.exists() {
            return Ok(Vec::new());
        }
        let changes = layers::diff::changes(&upper, &self.lower_folders(&record)?)?;
        let change = |change: layers::diff::Change| api::FilesystemChange {
            path: change.path.to_string_lossy().into_owned(),
            kind: change.kind as u8,
        };
        Ok(changes.into_iter().map(change).collect())
    }

    /// `export`: all files of the container as a tar.
    pub fn export(&self, id: &str, to: &mut dyn Write) -> Result<()> {
        let container = self.find(id)?;
        let record = container.record()?;
        if container.state()?.status == crate::container::state::Status::Removing {
            let text = format!("You cannot export container {} which is being removed", container.id);
            return Err(Error::new(Kind::Conflict, text));
        }
        let root = self.look_at(&container, &record)?;
        for line in layers::import::export(root.as_fd(), to)? {
            tracing::warn!("export {}: {line}", container.id);
        }
        self.tell_container("export", &container, &record, &[]);
        Ok(())
    }

    /// The container's files, read-only, as a detached mount. The container may run: a second overlay on the same upper
    /// folder would be undefined, so its upper folder is one more read-only layer here.
    pub(crate) fn look_at(&self, container: &Container, record: &Record) -> Result<OwnedFd> {
        let mut stack = self.lower_folders(record)?;
        let (upper, _) = container.upper_and_work();
        if upper.exists() {
            stack.push(upper);
        }
        Ok(layers::overlay::mount(&stack, None)?)
    }

    /// What a container's own layer lies upon, lowest first: the skeleton, the places for its mounts, its image's layers.
    pub(crate) fn lower_folders(&self, record: &Record) -> Result<Vec<PathBuf>> {
        let mut folders = vec![self.skeleton()?];
        folders.extend(Some(self.container(&record.id).targets()).filter(|targets| targets.exists()));
        let unpacked = self.store()?.unpacked();
        folders.extend(record.layers.iter().map(|layer| unpacked.path(layer)));
        Ok(folders)
    }
}
