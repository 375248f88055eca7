//! The volumes of an engine: folders with a name.
//!
//! ```text
//!   volumes/my-volume/volume.json     what it is: labels, options, when it was made
//!   volumes/my-volume/_data/          what is in it: this folder is what containers see
//!   volumes/.new-…   .gone-…          being made, being deleted; of a process that died, whoever comes by deletes it
//! ```
//!
//! A volume exists from the rename that gives its folder its name, whole, until the one that takes it away. In between,
//! flock(2) on the folder says what is going on: whoever is about to write down that a container uses the volume holds it
//! *shared* ([`Held`]), whoever removes it *exclusively*. The kernel lets go of the locks of a process that dies.

use crate::mount_point::NewVolume;
use crate::name::VolumeName;
use crate::options::Options;
use crate::{Error, Result};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The folder of a volume that containers see.
const DATA: &str = "_data";
const RECORD: &str = "volume.json";

pub(crate) const BEING_MADE: &str = ".new-";
pub(crate) const BEING_DELETED: &str = ".gone-";

/// What volumes are made by; there is no other driver.
pub const DRIVER: &str = "local";

/// By this label one knows a volume that nobody gave a name.
pub const ANONYMOUS_LABEL: &str = "com.docker.volume.anonymous";

/// The volumes of an engine. Cheap to make; all state is on disk.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) folder: PathBuf,
}

/// A volume, as its `volume.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Volume {
    pub name: String,
    pub driver: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub options: Option<BTreeMap<String, String>>,
    #[serde(skip)]
    folder: PathBuf,
}

/// A volume that nobody can remove while this lives.
#[derive(Debug)]
pub struct Held {
    pub volume: Volume,
    _folder: File,
}

impl Volume {
    /// Where its data is on the host: its own folder, whatever its options show there instead.
    pub fn mountpoint(&self) -> PathBuf {
        self.folder.join(DATA)
    }

    /// What it is made of.
    pub fn backing(&self) -> Options {
        // It was looked at when the volume was made.
        Options::parse(self.options.as_ref().unwrap_or(&BTreeMap::new())).unwrap_or(Options::Folder)
    }

    /// The folder whose content containers see.
    pub fn data(&self) -> PathBuf {
        match self.backing() {
            Options::Bind { device, .. } => device.into(),
            Options::Folder | Options::Tmpfs { .. } => self.mountpoint(),
        }
    }

    /// A file that is the volume's alone, and no container's: who fills the volume locks it.
    pub(crate) fn record_path(&self) -> PathBuf {
        self.folder.join(RECORD)
    }

    /// A folder that is the volume's alone.
    pub(crate) fn own_folder(&self) -> &Path {
        &self.folder
    }
}

impl Store {
    /// The volumes beneath `root`.
    pub fn new(root: &Path) -> Self {
        Self { folder: root.join("volumes") }
    }

    /// The volume of this name.
    ///
    /// # Errors
    /// [`Error::NoSuchVolume`].
    pub fn get(&self, name: &str) -> Result<Volume> {
        let missing = || Error::NoSuchVolume(name.to_owned());
        let name = VolumeName::parse(name).map_err(|_| missing())?;
        self.read(&name)?.ok_or_else(missing)
    }

    /// All volumes, by name.
    ///
    /// # Errors
    /// The folder of volumes cannot be read. (A volume that cannot hides no other; it is told to the log.)
    pub fn list(&self) -> Result<Vec<Volume>> {
        self.sweep();
        let mut volumes = Vec::new();
        for name in self.names()?.iter().filter_map(|name| VolumeName::parse(name).ok()) {
            match self.read(&name) {
                Ok(volume) => volumes.extend(volume),
                Err(error) => tracing::warn!("{error}"),
            }
        }
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(volumes)
    }

    /// The names of all that lies among the volumes.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::io("read", &self.folder))?,
        };
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    /// The volume of this name, such that nobody removes it for now.
    ///
    /// # Errors
    /// [`Error::NoSuchVolume`].
    pub fn hold(&self, name: &VolumeName) -> Result<Held> {
        let missing = || Error::NoSuchVolume(name.to_string());
        let path = self.path(name);
        loop {
            let folder = open(&path)?.ok_or_else(missing)?;
            folder.lock_shared().map_err(Error::io("lock", &path))?;
            // Whoever had it before us may have removed it; and perhaps there is another of this name by now.
            if is_at(&folder, &path) {
                let volume = self.read(name)?.ok_or_else(missing)?;
                let held = Held { volume, _folder: folder };
                held.finish_filling()?;
                return Ok(held);
            }
        }
    }

    /// The same, and makes the volume where there is none. Whether it was made is the second answer.
    ///
    /// # Errors
    /// The driver or an option does not exist.
    pub fn hold_or_make(&self, name: &VolumeName, new: &NewVolume) -> Result<(Held, bool)> {
        if !matches!(new.driver.as_str(), "" | DRIVER) {
            return Err(Error::Driver { name: name.to_string(), driver: new.driver.clone() });
        }
        new.backing(name.as_str())?;
        loop {
            match self.hold(name) {
                Err(Error::NoSuchVolume(_)) => {}
                held => return held.map(|held| (held, false)),
            }
            if let Some(held) = self.make(name, new)? {
                return Ok((held, true));
            }
        }
    }

    /// Makes a volume: all of it under another name, and then one rename. None if somebody else was quicker.
    fn make(&self, name: &VolumeName, new: &NewVolume) -> Result<Option<Held>> {
        let (making, folder) = self.begin()?;
        let volume = Volume {
            name: name.to_string(),
            driver: DRIVER.to_owned(),
            created_at: now(),
            labels: new.labels.clone(),
            options: Some(new.options.clone()).filter(|options| !options.is_empty()),
            folder: making.clone(),
        };
        write(&volume, !new.passing)?;
        let path = self.path(name);
        // A folder takes the place of an empty one only (rename(2)), and no volume is empty: two cannot both win.
        match fs::rename(&making, &path) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
                fs::remove_dir_all(&making).map_err(Error::io("remove", making))?;
                return Ok(None);
            }
            Err(e) => return Err(Error::io("make", path)(e)),
        }
        if !new.passing {
            sync(&self.folder)?;
        }
        tracing::info!(
            target: "explain",
            man = "rename(2)",
            shell = format!("mkdir -p {}", path.join(DATA).display()),
            "making the volume {name}: a folder that is no part of any container"
        );
        Ok(Some(Held { volume: Volume { folder: path, ..volume }, _folder: folder }))
    }

    /// An empty folder for a volume that is being made, locked as the volume will be.
    fn begin(&self) -> Result<(PathBuf, File)> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(Error::io("create", &self.folder))?;
        loop {
            let path = self.passing_name(BEING_MADE);
            DirBuilder::new().mode(0o700).create(&path).map_err(Error::io("create", &path))?;
            // Until it is locked, it looks like what a dead process has left, and may be swept away.
            let Some(folder) = open(&path)? else { continue };
            folder.lock_shared().map_err(Error::io("lock", &path))?;
            if is_at(&folder, &path) {
                return Ok((path, folder));
            }
        }
    }

    /// Where the data of a volume of this name is on the host, or would be.
    pub fn mountpoint(&self, name: &str) -> PathBuf {
        self.folder.join(name).join(DATA)
    }

    pub(crate) fn path(&self, name: &VolumeName) -> PathBuf {
        self.folder.join(name.as_str())
    }

    /// A name that no volume can have.
    pub(crate) fn passing_name(&self, prefix: &str) -> PathBuf {
        self.folder.join(format!("{prefix}{:016x}", rand::rng().random::<u64>()))
    }

    fn read(&self, name: &VolumeName) -> Result<Option<Volume>> {
        let folder = self.path(name);
        let damaged = |why: String| Error::Damaged { path: folder.clone(), why };
        match fs::read(folder.join(RECORD)) {
            Ok(text) => {
                let volume: Volume = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
                // The folder's name is the one that counts.
                Ok(Some(Volume { name: name.to_string(), folder, ..volume }))
            }
            Err(e) if e.kind() == ErrorKind::NotFound && folder.exists() => Err(damaged("is missing".to_owned())),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(damaged(e.to_string())),
        }
    }
}

/// Writes a volume into its folder, and, if it shall last, onto the disk.
fn write(volume: &Volume, lasting: bool) -> Result<()> {
    let data = volume.mountpoint();
    // Others may enter: in the container, it is a folder as any other. (Whatever the umask.)
    DirBuilder::new().mode(0o755).create(&data).map_err(Error::io("create", &data))?;
    fs::set_permissions(&data, Permissions::from_mode(0o755)).map_err(Error::io("set the mode of", &data))?;
    let path = volume.record_path();
    let written = || -> std::io::Result<()> {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        let mut text = serde_json::to_vec_pretty(volume)?;
        text.push(b'\n');
        file.write_all(&text)?;
        if lasting { file.sync_all() } else { Ok(()) }
    };
    written().map_err(Error::io("write", &path))?;
    if lasting { sync(&volume.folder) } else { Ok(()) }
}

/// Makes the names in a folder last.
fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("write", folder))
}

/// Opens a folder, if it is there.
pub(crate) fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        folder => folder.map(Some).map_err(Error::io("open", path)),
    }
}

/// Whether an open folder still is what this path names.
pub(crate) fn is_at(folder: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (folder.metadata(), fs::metadata(path)) {
        (Ok(folder), Ok(there)) => identity(folder) == identity(there),
        _ => false,
    }
}

/// This moment, to the second, as Docker shows it.
fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
