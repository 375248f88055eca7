//! A container on disk.
//!
//! `<data>/containers/<id>/config.json` is written once by create, and again only by rename and update: the container
//! exists from the moment that file does. `state.json` beside it changes with its life. The folder itself is the lock:
//! whoever moves the container from one state to another holds flock(2) on it, and the kernel lets go of the lock of
//! a process that dies.

use crate::container::id::ContainerId;
use crate::container::state::State;
use crate::durable::{self, Durability};
use crate::{Engine, Error, Kind, Result, api, learner};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// `config.json`: everything that create decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Record {
    pub id: ContainerId,
    /// Without a slash.
    pub name: String,
    /// RFC 3339.
    pub created: String,
    /// The image's ID, `sha256:…`; the name that the user gave is in `config.image`.
    pub image_id: String,
    /// The chain IDs of the image's layers, lowest first: the folders beneath `<data>/layers` that it is mounted from.
    pub layers: Vec<layers::Digest>,
    /// What is executed: the entrypoint and the command, put together.
    pub path: String,
    pub args: Vec<String>,
    /// The request over the image.
    pub config: api::ContainerConfig,
    pub host_config: api::HostConfig,
    /// What it sees besides its image, settled: those above before those beneath.
    #[serde(default)]
    pub mount_points: Vec<volumes::MountPoint>,
    /// The networks it is on, by their names, with what is wanted there.
    #[serde(default)]
    pub networks: BTreeMap<String, api::EndpointSettings>,
}

impl Record {
    /// `--rm`: nothing of this container has to survive the machine.
    pub(crate) fn durability(&self) -> Durability {
        if self.host_config.auto_remove { Durability::Passing } else { Durability::Lasting }
    }
}

/// Where a container's files are. Making one touches nothing on disk.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub id: ContainerId,
    /// `<data>/containers/<id>`: what lasts.
    pub folder: PathBuf,
    /// `<run>/containers/<id>`: what is there while it runs.
    pub run: PathBuf,
}

/// The right to change a container's state; given back by dropping it.
#[derive(Debug)]
pub(crate) struct Lock {
    folder: File,
}

impl Lock {
    /// Shared with a shim that inherits it: the lock lasts until both have let go of it (flock(2)), so a container whose
    /// starter is killed is still locked while its shim starts it.
    pub(crate) fn number(&self) -> RawFd {
        self.folder.as_raw_fd()
    }

    /// The shim's share.
    pub(crate) fn inherited(folder: OwnedFd) -> Self {
        Self { folder: folder.into() }
    }
}

impl Container {
    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    pub(crate) fn state_path(&self) -> PathBuf {
        self.folder.join("state.json")
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.folder.join("log.json")
    }

    /// The writable layer, and the scratch folder that overlayfs wants beside it.
    pub(crate) fn upper_and_work(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("upper"), self.folder.join("work"))
    }

    /// The places for its mounts, where the image has none: see [`crate::spec`].
    pub(crate) fn targets(&self) -> PathBuf {
        self.folder.join("targets")
    }

    /// A container that has been removed, but not all of it: its record, for who finishes the removal.
    pub(crate) fn removed_path(&self) -> PathBuf {
        self.folder.join("removed.json")
    }

    /// What create decided.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such container (any more).
    pub(crate) fn record(&self) -> Result<Record> {
        durable::read_json(&self.config_path())?.ok_or_else(|| no_such_container(self.id.as_str()))
    }

    /// Writes `config.json`. The caller holds the lock.
    pub(crate) fn save_record(&self, record: &Record) -> Result<()> {
        durable::write_json(&self.config_path(), record, record.durability())
    }

    /// What the container is doing, dead shims unmasked.
    pub(crate) fn state(&self) -> Result<State> {
        let state = self.written_state()?;
        if !state.is_orphaned() {
            return Ok(state);
        }
        let last_words = learner::last_words(&self.run);
        // Where there are none, somebody may just have written down the end, and what its shim said with it.
        let written = self.written_state()?;
        if written.is_orphaned() { Ok(State { last_words, ..state.corrected() }) } else { Ok(written) }
    }

    /// `state.json` as it was last written.
    pub(crate) fn written_state(&self) -> Result<State> {
        Ok(durable::read_json(&self.state_path())?.unwrap_or_default())
    }

    /// What its shim said when it panicked, if that was its end.
    pub(crate) fn last_words(&self) -> Option<String> {
        learner::last_words(&self.run).or_else(|| self.written_state().ok()?.last_words)
    }

    /// Writes `state.json`. The caller holds the lock.
    pub(crate) fn save_state(&self, state: &State, durability: Durability) -> Result<()> {
        durable::write_json(&self.state_path(), state, durability)
    }

    /// Waits for the right to change this container.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it was removed before, or while waiting.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let folder = self.open_folder()?;
        folder.lock().map_err(|e| Error::system(format!("lock {}", self.folder.display()), e))?;
        self.still_there(folder)
    }

    /// The same without waiting: None when another process is changing the container.
    pub(crate) fn try_lock(&self) -> Result<Option<Lock>> {
        let folder = self.open_folder()?;
        match folder.try_lock() {
            Ok(()) => self.still_there(folder).map(Some),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(e)) => Err(Error::system(format!("lock {}", self.folder.display()), e)),
        }
    }

    fn open_folder(&self) -> Result<File> {
        File::open(&self.folder).map_err(|e| match e.kind() {
            ErrorKind::NotFound => no_such_container(self.id.as_str()),
            _ => Error::system(format!("open {}", self.folder.display()), e),
        })
    }

    /// The holder before us may have been `rm`: then we have locked a folder that has no name any more.
    fn still_there(&self, folder: File) -> Result<Lock> {
        match folder.metadata() {
            Ok(metadata) if metadata.nlink() > 0 => Ok(Lock { folder }),
            _ => Err(no_such_container(self.id.as_str())),
        }
    }

    /// Makes the folder of a new container, and locks it before anyone can see a `config.json` in it.
    pub(crate) fn make(&self) -> Result<Lock> {
        make_private_folder(&self.folder)?;
        self.lock()
    }
}

/// Docker's words.
pub(crate) fn no_such_container(given: &str) -> Error {
    Error::new(Kind::NotFound, format!("No such container: {given}"))
}

/// A folder that only its owner may enter, with those above it. An existing one is left as it is.
pub(crate) fn make_private_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).map_err(|e| Error::system(format!("create {}", path.display()), e))
}

impl Engine {
    /// The files of the container with this ID.
    pub(crate) fn container(&self, id: &ContainerId) -> Container {
        Container {
            id: id.clone(),
            folder: self.containers_folder().join(id.as_str()),
            run: self.roots.run.join("containers").join(id.as_str()),
        }
    }

    pub(crate) fn containers_folder(&self) -> PathBuf {
        self.roots.data.join("containers")
    }

    /// The folders of all containers, those half made or half removed included, in no order.
    pub(crate) fn containers(&self) -> Result<Vec<Container>> {
        let path = self.containers_folder();
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::system(format!("read {}", path.display()), e)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| ContainerId::parse(&name)).map(|id| self.container(&id)).collect())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Roots;

    /// A record as create would make it.
    pub(crate) fn record(name: &str, config: api::ContainerConfig, host_config: api::HostConfig) -> Record {
        Record {
            id: ContainerId::random(),
            name: name.to_owned(),
            created: crate::container::state::now(),
            image_id: format!("sha256:{}", "1".repeat(64)),
            layers: Vec::new(),
            path: "sh".to_owned(),
            args: Vec::new(),
            config,
            host_config,
            mount_points: Vec::new(),
            networks: BTreeMap::new(),
        }
    }

    /// An engine in a folder of its own.
    pub(crate) fn engine() -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let roots = Roots { data: folder.path().to_owned(), run: folder.path().join("run") };
        let engine = Engine::open(roots).unwrap();
        (folder, engine)
    }

    /// A container of that name in it.
    pub(crate) fn add(engine: &Engine, name: &str) -> Container {
        let record = record(name, Default::default(), Default::default());
        let container = engine.container(&record.id);
        let _lock = container.make().unwrap();
        engine.reserve_name(name, &record.id, Durability::Passing).unwrap();
        container.save_record(&record).unwrap();
        container
    }

    #[test]
    fn a_removed_container_cannot_be_locked() {
        let (_folder, engine) = engine();
        let container = add(&engine, "web");
        let lock = container.lock().unwrap();
        assert!(container.try_lock().unwrap().is_none());
        fs::remove_dir_all(&container.folder).unwrap();
        drop(lock);
        assert_eq!(container.lock().unwrap_err().kind, Kind::NotFound);
    }

    #[test]
    fn one_that_waited_for_the_lock_while_it_was_removed_is_told() {
        let (_folder, engine) = engine();
        let container = add(&engine, "web");
        let lock = container.lock().unwrap();
        let waiting = std::thread::spawn({
            let container = container.clone();
            move || container.lock().map(drop).unwrap_err().kind
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        fs::remove_dir_all(&container.folder).unwrap();
        drop(lock);
        assert_eq!(waiting.join().unwrap(), Kind::NotFound);
    }

    #[test]
    fn config_json_is_readable_by_people() {
        let mut record = record("web", Default::default(), Default::default());
        record.id = ContainerId::parse(&"a".repeat(64)).unwrap();
        record.created = "2026-01-02T03:04:05Z".to_owned();
        let value = serde_json::to_value(&record).unwrap();
        let fields: Vec<_> = value.as_object().unwrap().keys().collect();
        let expected = [
            "Id",
            "Name",
            "Created",
            "ImageId",
            "Layers",
            "Path",
            "Args",
            "Config",
            "HostConfig",
            "MountPoints",
            "Networks",
        ];
        assert_eq!(fields, expected);
        assert_eq!(serde_json::from_value::<Record>(value).unwrap(), record);
    }
}
