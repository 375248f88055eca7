//! Taking containers away.

use crate::container::record::{Container, Lock, Record};
use crate::container::state::{State, Status};
use crate::durable;
use crate::filters::{labels_allow, only, until};
use crate::{Engine, Error, Filters, Kind, Result, api, words};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// `rm` and its flags.
#[derive(Clone, Debug, Default)]
pub struct RemoveOptions {
    /// Kill it first if it runs.
    pub force: bool,
    /// Its anonymous volumes, too.
    pub volumes: bool,
}

impl Engine {
    /// Deletes a container.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it runs, and `force` was not said.
    pub fn remove(&self, id: &str, options: &RemoveOptions) -> Result<()> {
        let container = self.find(id)?;
        self.remove_found(&container, options).map_err(|error| match error.kind {
            Kind::NotFound => error,
            kind => {
                let name = container.record().map_or_else(|_| id.to_owned(), |record| format!("/{}", record.name));
                Error::new(kind, format!("cannot remove container {name:?}: {error}"))
            }
        })
    }

    fn remove_found(&self, container: &Container, options: &RemoveOptions) -> Result<()> {
        let status = container.state()?.status;
        if status.is_running() {
            if !options.force {
                return Err(Error::new(Kind::Conflict, refusal(status)));
            }
            self.kill_for_removal(container)?;
        }
        let lock = match container.lock() {
            // `--rm`, or another rm: it is gone, which is what was wanted.
            Err(error) if error.kind == Kind::NotFound => return Ok(()),
            lock => lock?,
        };
        let (record, state) = match container.record().and_then(|record| Ok((record, container.state()?))) {
            Err(error) if error.kind == Kind::NotFound => return Ok(()),
            found => found?,
        };
        // Somebody may have started it while we waited for the lock.
        if state.status.is_running() {
            return Err(Error::new(Kind::Conflict, refusal(state.status)));
        }
        self.delete(container, &record, State { volumes_too: options.volumes, ..state }, &lock)
    }

    /// Deletes a container that does not run, and its volumes if the state says so.
    ///
    /// First it is marked, so that whoever finds it marked and unlocked finishes the work. A full disk takes no mark; but
    /// there, of all places, one must be able to remove.
    pub(crate) fn delete(&self, container: &Container, record: &Record, state: State, lock: &Lock) -> Result<()> {
        let removing = State { status: Status::Removing, ..state };
        if let Err(error) = container.save_state(&removing, record.durability()) {
            tracing::warn!("the removal of container {} is not marked: {error}", container.id);
        }
        // Its shim tidies up behind itself; one that was killed did not.
        self.clear(container)?;
        self.retract(container, record, removing.volumes_too, lock)?;
        delete_files(container, lock)
    }

    /// Takes a container out of the world: its name is free, and nobody finds it any more. With `volumes`, those that go with
    /// it go. What it leaves are files, for [`delete_files`] or for the next one who comes by: a folder without a record
    /// belongs to nobody.
    pub(crate) fn retract(&self, container: &Container, record: &Record, volumes: bool, _lock: &Lock) -> Result<()> {
        self.retire_name(&record.name, container)?;
        self.forget_execs_of(container);
        if volumes {
            // Under this name it uses no volume any more, and yet says which ones must go, if we do not get to it.
            fs::rename(container.config_path(), container.removed_path())
                .map_err(|e| Error::system(format!("remove {}", container.config_path().display()), e))?;
            self.remove_volumes_of(record);
        } else {
            // Who made it may have been killed before the note of its volumes was gone; they stay.
            delete_file(&container.removed_path())?;
            delete_file(&container.config_path())?;
        }
        self.tell_container("destroy", container, record, &[]);
        Ok(())
    }

    /// Deletes the folder of a creation or a removal that died. One that somebody works in is locked, and stays.
    pub(crate) fn clear_leftovers(&self, container: &Container) {
        let Ok(Some(_lock)) = container.try_lock() else { return };
        if !container.record().is_err_and(|error| error.kind == Kind::NotFound) {
            return;
        }
        match durable::read_json(&container.removed_path()) {
            Ok(removed) => removed.iter().for_each(|record| self.remove_volumes_of(record)),
            Err(error) => tracing::warn!("the volumes of container {} stay: {error}", container.id),
        }
        if let Err(error) = self.clear(container).and_then(|()| delete_folder(&container.folder)) {
            tracing::warn!("leftovers of container {}: {error}", container.id);
        }
    }

    /// Finishes a removal that was killed. False while somebody is still at it.
    pub(crate) fn finish_removal(&self, container: &Container, record: &Record, state: &State) -> bool {
        let Ok(Some(lock)) = container.try_lock() else { return false };
        let finished = self.delete(container, record, state.clone(), &lock);
        if let Err(error) = &finished {
            tracing::warn!("the removal of container {}: {error}", container.id);
        }
        finished.is_ok()
    }

    /// Deletes all containers that do not run.
    pub fn prune_containers(&self, filters: &Filters) -> Result<api::ContainersPruned> {
        only(filters, &["label", "label!", "until"])?;
        let until = until(filters)?;
        let mut pruned = api::ContainersPruned::default();
        for entry in self.entries()? {
            let young = until.is_some_and(|until| words::seconds(&entry.record.created) >= until.as_second());
            if entry.state.status.is_running() || young || !labels_allow(filters, &entry.record.config.labels) {
                continue;
            }
            let (own, _) = self.sizes(&entry.container, &entry.record).unwrap_or_default();
            match self.remove_found(&entry.container, &RemoveOptions::default()) {
                Ok(()) => {
                    pruned.space_reclaimed += own.unwrap_or(0).unsigned_abs();
                    pruned.containers_deleted.get_or_insert_default().push(entry.record.id.to_string());
                }
                // It was started, or removed, by someone else meanwhile.
                Err(error) => tracing::warn!("failed to prune container {}: {error}", entry.record.id),
            }
        }
        self.tell("container", "prune", "", &[("reclaimed", &pruned.space_reclaimed.to_string())]);
        Ok(pruned)
    }
}

fn refusal(status: Status) -> String {
    match status {
        Status::Paused => "container is paused and must be unpaused first".to_owned(),
        status => format!("container is {status}: stop the container before removing or force remove"),
    }
}

/// Deletes the files of a container that has been retracted: most of what a removal costs.
pub(crate) fn delete_files(container: &Container, _lock: &Lock) -> Result<()> {
    // The folder that is locked comes last: without it, somebody else could believe that nobody is at work here.
    delete_folder(&container.run)?;
    delete_folder(&container.folder)
}

/// Deletes a folder and all in it. None there is as well.
pub(crate) fn delete_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::system(format!("remove {}", path.display()), e)),
        _ => Ok(()),
    }
}

pub(crate) fn delete_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::system(format!("remove {}", path.display()), e)),
        _ => Ok(()),
    }
}
