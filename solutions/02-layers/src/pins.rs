//! What is kept for builds to come: `build-cache/<key>.json`.
//!
//! A record says which layer a step of a build made, under a key of everything the step depended on. The layer need not be
//! part of any image: as long as the record is there, the collector of garbage leaves it alone. What else the record
//! says is its owner's business.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::draft::Made;
use crate::error::{Error, Result};
use crate::remove::Use;
use crate::store::Store;

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pin<T> {
    /// None: the step changed no files.
    pub layer: Option<Made>,
    #[serde(flatten)]
    pub about: T,
}

/// The folder of all records.
#[derive(Clone, Debug)]
pub struct Pins {
    folder: PathBuf,
}

impl Pins {
    pub(crate) fn new(data_root: &Path) -> Self {
        Self { folder: data_root.join("build-cache") }
    }

    /// Where they are; made by the first [`Pins::write`].
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, key: &Digest) -> PathBuf {
        self.folder.join(format!("{}.json", key.hex()))
    }

    /// The record of this key. One that cannot be read, as a power cut may leave it, counts as none.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self, key: &Digest) -> Option<Pin<T>> {
        serde_json::from_slice(&fs::read(self.path(key)).ok()?).ok()
    }

    /// Writes a record, replacing one of the same key.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write<T: Serialize>(&self, key: &Digest, pin: &Pin<T>) -> Result<()> {
        let failed = |error: io::Error| Error::io("write", self.path(key))(error);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let file = tempfile::Builder::new().prefix(".pin-").tempfile_in(&self.folder).map_err(failed)?;
        serde_json::to_writer(&file, pin).map_err(|error| failed(error.into()))?;
        file.persist(self.path(key)).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Notes that a record was of use: [`Pins::list`] tells when it was last.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn touch(&self, key: &Digest) -> Result<()> {
        let path = self.path(key);
        let file = fs::File::options().append(true).open(&path).map_err(Error::io("open", &path))?;
        file.set_modified(SystemTime::now()).map_err(Error::io("set the time of", path))
    }

    /// All keys, and when each was last of use.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn list(&self) -> Result<Vec<(Digest, SystemTime)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::io("read", &self.folder))?,
        };
        let mut pins = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let key = name.to_str().and_then(|name| Digest::from_hex(name.strip_suffix(".json")?).ok());
            if let (Some(key), Ok(status)) = (key, entry.metadata()) {
                pins.push((key, status.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
            }
        }
        Ok(pins)
    }

    /// The layers that are kept.
    pub(crate) fn layers(&self) -> Result<Vec<Made>> {
        Ok(self.list()?.iter().filter_map(|(key, _)| self.read::<IgnoredAny>(key)?.layer).collect())
    }
}

impl Store {
    /// The records of builds.
    #[must_use]
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Whether a layer that was made here is still there, whole: its blob and its folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn has(&self, layer: &Made) -> Result<bool> {
        Ok(self.blobs().size(&layer.blob.digest) == Some(layer.blob.size)
            && self.unpacked().contains(&layer.chain_id)?)
    }

    /// Removes records, and what they alone kept. Returns the bytes won; while somebody builds, garbage is left for the
    /// next who collects it. `users` as for [`Store::remove`].
    ///
    /// # Errors
    /// [`Error::Io`], or what `users` says.
    pub fn unpin(&self, keys: &[Digest], users: &dyn Fn() -> Result<Vec<Use>>) -> Result<u64> {
        let before = self.bytes_used();
        self.index.update(|entries| {
            for key in keys {
                let path = self.pins.path(key);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::io("remove", path)(error));
                    }
                    _ => {}
                }
            }
            self.sweep(entries, &users()?)
        })?;
        Ok(before.saturating_sub(self.bytes_used()))
    }
}
