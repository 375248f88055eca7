//! The content store: blobs by digest, in an OCI image layout that any other tool can read in place.
//!
//! A blob either has exactly the bytes its name promises or does not exist: it is written to a temporary file in the
//! same folder, verified, and only then renamed. OCI image-spec, image-layout.md.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};

/// The largest document (manifest, index, config) that is read into memory; registries refuse larger ones too.
pub const DOCUMENT_LIMIT: u64 = 4 << 20;

/// The blobs of an OCI image layout.
#[derive(Debug, Clone)]
pub struct Blobs {
    layout: PathBuf,
    folder: PathBuf,
}

impl Blobs {
    /// Opens the layout in this folder, making what is missing.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be made.
    pub fn open(layout: &Path) -> Result<Blobs> {
        let folder = layout.join("blobs/sha256");
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        }
        create_once(&layout.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        create_once(&layout.join("index.json"), br#"{"schemaVersion":2,"manifests":[]}"#)?;
        Ok(Blobs { layout: layout.to_path_buf(), folder })
    }

    /// The folder that holds `oci-layout`, `index.json` and `blobs`.
    pub fn layout(&self) -> &Path {
        &self.layout
    }

    /// Where this blob is, or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.hex())
    }

    /// The size of a blob, if the store holds it.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|metadata| metadata.len())
    }

    /// Whether the store holds this blob.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.size(digest).is_some()
    }

    /// Opens a blob for reading. Its bytes were verified when it was written.
    ///
    /// # Errors
    /// [`Error::NoSuchBlob`] if the store does not hold it.
    pub fn read(&self, digest: &Digest) -> Result<File> {
        let path = self.path(digest);
        File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::NoSuchBlob(*digest),
            _ => Error::Io { step: "open", path, source },
        })
    }

    /// Reads a document and verifies it once more: it is small, and all else hangs on it.
    ///
    /// # Errors
    /// [`Error::BlobTooLarge`] past [`DOCUMENT_LIMIT`], [`Error::WrongDigest`] if the file was tampered with.
    pub fn document(&self, digest: &Digest) -> Result<Vec<u8>> {
        let file = self.read(digest)?;
        let size = file.metadata().map_err(Error::io("examine", self.path(digest)))?.len();
        if size > DOCUMENT_LIMIT {
            return Err(Error::BlobTooLarge { digest: *digest, size, limit: DOCUMENT_LIMIT });
        }
        let mut bytes = Vec::with_capacity(size as usize);
        file.take(DOCUMENT_LIMIT).read_to_end(&mut bytes).map_err(Error::io("read", self.path(digest)))?;
        match Digest::of(&bytes) {
            found if found == *digest => Ok(bytes),
            found => Err(Error::WrongDigest { expected: *digest, found }),
        }
    }

    /// Stores these bytes under their own digest.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if self.size(&digest) != Some(bytes.len() as u64) {
            let mut writer = self.writer()?;
            writer.take_in(bytes)?;
            writer.commit()?;
        }
        Ok(digest)
    }

    /// Stores what `source` yields, and verifies what was promised of it. Returns its digest and size.
    ///
    /// # Errors
    /// [`Error::WrongDigest`] or [`Error::WrongSize`] if a promise is broken; nothing is stored then.
    pub fn write(&self, source: impl Read, digest: Option<Digest>, size: Option<u64>) -> Result<(Digest, u64)> {
        let mut writer = self.writer()?;
        receive(source, &mut writer, digest, size)?;
        writer.commit()
    }

    /// A blob whose digest is only known once all of it is written.
    ///
    /// # Errors
    /// [`Error::Io`] if no temporary file can be made.
    pub fn writer(&self) -> Result<BlobWriter> {
        let file = tempfile::Builder::new()
            .prefix(".incoming-")
            .tempfile_in(&self.folder)
            .map_err(Error::io("create a file in", &self.folder))?;
        Ok(BlobWriter { folder: self.folder.clone(), file, hasher: Hasher::default() })
    }

    /// Waits until these blobs, names and all, are on the disk: see [`BlobWriter::commit_unsynced`].
    ///
    /// # Errors
    /// [`Error::NoSuchBlob`], [`Error::Io`].
    pub fn sync<'a>(&self, digests: impl IntoIterator<Item = &'a Digest>) -> Result<()> {
        let mut any = false;
        for digest in digests {
            self.read(digest)?.sync_data().map_err(Error::io("sync", self.path(digest)))?;
            any = true;
        }
        if any { sync_folder(&self.folder) } else { Ok(()) }
    }

    /// Removes a blob; one that is not there is no error, since two may collect garbage at once.
    ///
    /// # Errors
    /// [`Error::Io`] if it is there and stays.
    pub fn remove(&self, digest: &Digest) -> Result<()> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// All blobs in the store.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Digest>> {
        let entries = fs::read_dir(&self.folder).map_err(Error::io("read", &self.folder))?;
        Ok(entries.flatten().filter_map(|entry| Digest::from_hex(entry.file_name().to_str()?).ok()).collect())
    }
}

/// Takes in a blob that somebody sends, and believes nothing that was said of it.
///
/// A blob is named by the SHA-256 of its bytes, and whoever asks for it mostly knows its size too: both stand in the
/// manifest. So nobody who sends one has to be trusted: hash what arrives, and compare (OCI image-spec, descriptor.md,
/// "Verification").
///
/// Read `source` to its end, piece by piece, for a layer may be larger than the memory; give each piece to
/// [`BlobWriter::take_in`], which writes and hashes it. A read that was interrupted ([`io::ErrorKind::Interrupted`]) is
/// tried again. A sender who has more than the promised `size` is not listened to: one byte too many is enough to know.
/// Then compare, first the size and then the digest, where they were promised, with [`BlobWriter::size`] and
/// [`BlobWriter::digest`]. What is refused here is never given its name, and vanishes.
///
/// # Errors
/// [`Error::WrongSize`], [`Error::WrongDigest`]; `Error::io("receive a blob for", &to.folder)` if the sender fails.
fn receive(mut source: impl Read, to: &mut BlobWriter, digest: Option<Digest>, size: Option<u64>) -> Result<()> {
    // exercise: 2.1 receive: hash what arrives, stop one byte past the promised size, compare size and digest
    todo!("exercise 2.1, receive: hash what arrives, stop one byte past the promised size, compare size and digest")
    // end exercise
}

/// A blob on its way into the store. Dropped without [`BlobWriter::commit`], it leaves nothing behind.
pub struct BlobWriter {
    folder: PathBuf,
    file: NamedTempFile,
    hasher: Hasher,
}

impl BlobWriter {
    /// Writes and hashes the next bytes.
    fn take_in(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(Error::io("write", self.file.path()))
    }

    /// How many bytes it has so far.
    fn size(&self) -> u64 {
        self.hasher.size()
    }

    /// The digest of what it has so far.
    fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Gives the blob its name, which is the digest of its bytes. Returns the digest and the size.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written; nothing is stored then.
    pub fn commit(self) -> Result<(Digest, u64)> {
        // Data before name: after a power cut a blob is whole, or absent.
        self.file.as_file().sync_data().map_err(Error::io("sync", self.file.path()))?;
        let folder = self.folder.clone();
        let committed = self.name()?;
        sync_folder(&folder)?;
        Ok(committed)
    }

    /// As [`BlobWriter::commit`], without waiting for the disk: what needs the blob to last calls [`Blobs::sync`]. Until
    /// then a power cut may take it, or leave a part of it, which its size tells.
    ///
    /// # Errors
    /// As [`BlobWriter::commit`].
    pub fn commit_unsynced(self) -> Result<(Digest, u64)> {
        let (found, size) = (self.digest(), self.size());
        // One that is there may be on the disk already, and an image may count on it.
        let there = fs::metadata(self.folder.join(found.hex())).is_ok_and(|there| there.len() == size);
        if there { Ok((found, size)) } else { self.name() }
    }

    fn name(self) -> Result<(Digest, u64)> {
        let (found, size) = (self.digest(), self.size());
        let path = self.folder.join(found.hex());
        make_readable(self.file.as_file()).map_err(Error::io("set the mode of", self.file.path()))?;
        self.file.persist(&path).map_err(|error| Error::io("store", &path)(error.error))?;
        Ok((found, size))
    }
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Temporary files are born with mode 0600; a blob is readable by whoever may enter the store.
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Writes a file unless it exists. Two that open a new store at once write the same bytes.
fn create_once(path: &Path, content: &[u8]) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(content).map_err(Error::io("write", path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::io("create", path)(error)),
    }
}
