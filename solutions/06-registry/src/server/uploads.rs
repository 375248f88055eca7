//! Blobs on their way in: files that grow, each with a number that only its sender knows.
//!
//! What has arrived stays if the sender is cut off, or we are; how much that is, the sender asks, and goes on there.

use super::answer::Refusal;
use crate::error::{Error, Result};
use http::StatusCode;
use layers::digest::Hasher;
use layers::{Blobs, Digest};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// More than any honest crowd has open; each is a file that is open, of which a process may have 1024, mostly.
const MOST: usize = 500;
/// Nobody goes on with an upload after so long.
pub(super) const FORGOTTEN: Duration = Duration::from_hours(24);
/// The same, when there are too many.
const IDLE: Duration = Duration::from_mins(10);
const PREFIX: &str = "upload-";

/// All of them.
#[derive(Debug)]
pub(super) struct Uploads {
    folder: PathBuf,
    open: Mutex<HashMap<String, Arc<Mutex<Upload>>>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Upload {
    path: PathBuf,
    file: File,
    hasher: State,
}

/// The digest so far. (A type of its own only because a hasher shows nothing.)
#[derive(Default)]
struct State(Hasher);

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.size())
    }
}

impl Uploads {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        Ok(Self { folder: folder.to_owned(), open: Mutex::default() })
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Mutex<Upload>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, and returns its number.
    pub(super) fn begin(&self) -> Result<String, Refusal> {
        if self.opened().len() >= MOST {
            // A crowd of senders that died is no reason to refuse the living.
            self.sweep(IDLE).map_err(Refusal::trouble)?;
        }
        if self.opened().len() >= MOST {
            let text = format!("{MOST} uploads are open already");
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", text));
        }
        let file = tempfile::Builder::new().prefix(PREFIX).rand_bytes(32).tempfile_in(&self.folder);
        let kept = file.and_then(|file| Ok(file.keep()?));
        let (file, path) = kept.map_err(|error| Refusal::disk("begin an upload", &error))?;
        let id = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let upload = Upload { path, file, hasher: State::default() };
        self.opened().insert(id.clone(), Arc::new(Mutex::new(upload)));
        Ok(id)
    }

    /// Finds one, also of those that were begun before we were.
    pub(super) fn find(&self, id: &str) -> Result<Arc<Mutex<Upload>>, Refusal> {
        let unknown = || Refusal::unknown("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        let number = id.strip_prefix(PREFIX).ok_or_else(unknown)?;
        if !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(unknown());
        }
        let mut open = self.opened();
        if let Some(upload) = open.get(id) {
            return Ok(upload.clone());
        }
        let path = self.folder.join(id);
        let file = OpenOptions::new().read(true).append(true).open(&path).map_err(|_| unknown())?;
        let mut upload = Upload { path, file, hasher: State::default() };
        upload.hash_what_is_there().map_err(Refusal::trouble)?;
        let upload = Arc::new(Mutex::new(upload));
        open.insert(id.to_owned(), upload.clone());
        Ok(upload)
    }

    /// It is a blob now, or was given up.
    pub(super) fn end(&self, id: &str) {
        self.opened().remove(id);
    }

    /// The disk is full: who has sent nothing for a while has to begin again.
    pub(super) fn make_room(&self) {
        if let Err(error) = self.sweep(IDLE) {
            tracing::warn!("cannot sweep the uploads: {error}");
        }
    }

    /// Removes those that nobody has gone on with for so long.
    pub(super) fn sweep(&self, longer: Duration) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let age = entry.metadata().and_then(|status| status.modified());
            let age = age.map(|touched| SystemTime::now().duration_since(touched).unwrap_or_default());
            if age.is_ok_and(|age| age > longer) {
                if let Some(id) = entry.file_name().to_str() {
                    self.end(id);
                }
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Upload {
    /// How many bytes are here.
    pub(super) fn size(&self) -> u64 {
        self.hasher.0.size()
    }

    /// Adds what comes. If it breaks off, what came is kept.
    pub(super) fn append(&mut self, mut from: impl Read) -> Result<(), Refusal> {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.file.write_all(&buffer[..count]).map_err(|error| self.failed(&error))?;
                    self.hasher.0.update(&buffer[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(Refusal::invalid("BLOB_UPLOAD_INVALID", format!("the upload broke off: {error}")));
                }
            }
        }
    }

    /// The disk may have taken a part of the piece: that is cut off, so that what is here is what was hashed. If the
    /// disk is full, all of it makes room for others.
    fn failed(&self, error: &io::Error) -> Refusal {
        let refusal = Refusal::disk("write the upload", error);
        if refusal.status == StatusCode::INSUFFICIENT_STORAGE {
            self.discard();
            return refusal;
        }
        match self.file.set_len(self.size()) {
            Ok(()) => refusal,
            Err(worse) => Refusal::trouble(format!("cannot undo what was written of the upload: {worse}")),
        }
    }

    /// Makes it a blob, if it is the one.
    pub(super) fn finish(&mut self, blobs: &Blobs, wanted: &Digest) -> Result<(), Refusal> {
        let found = self.hasher.0.clone().finish();
        if found != *wanted {
            self.discard();
            return Err(Refusal::invalid(
                "DIGEST_INVALID",
                format!("provided digest did not match uploaded content: it has {found}"),
            ));
        }
        Ok(blobs.adopt(wanted, &self.file, &self.path)?)
    }

    pub(super) fn discard(&self) {
        self.file.set_len(0).ok();
        // If it stays, it is swept away later.
        fs::remove_file(&self.path).ok();
    }

    fn hash_what_is_there(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match self.file.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.hasher.0.update(&buffer[..count]),
            }
        }
    }
}
