//! `content/index.json`: which images there are, and what they are called.
//!
//! Each entry is a descriptor with annotations. `io.containerd.image.name` holds the complete name, and
//! `org.opencontainers.image.ref.name` the familiar one, so `skopeo inspect oci:/var/lib/kesako/content:alpine:latest`
//! works. An image with several names has several entries; one without a name has one entry without these annotations.
//! The rest is Kesako's own knowledge of the image, which saves opening its blobs.

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::manifest::{Descriptor, Index};
use crate::reference::Reference;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The complete name, as containerd writes it.
pub(crate) const NAME: &str = "io.containerd.image.name";
/// The name within the layout, as the specification has it (image-spec, annotations.md).
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
const ID: &str = "kesako.image.id";
const PARENT: &str = "kesako.image.parent";
const TAGGED: &str = "kesako.image.tagged";
const MADE: &str = "kesako.image.made";

/// One line of the index: an image under one of its names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The manifest, or the index of several platforms, without our annotations.
    pub target: Descriptor,
    pub name: Option<Reference>,
    /// The image's ID. None where another tool wrote the entry.
    pub id: Option<Digest>,
    /// The image this one was committed from, on this host.
    pub parent: Option<Digest>,
    /// When it got this name, RFC 3339.
    pub tagged: Option<String>,
    /// When it came to be on this host, RFC 3339.
    pub made: Option<String>,
}

impl Entry {
    fn read(descriptor: &Descriptor) -> Self {
        let mut target = descriptor.clone();
        let mut take = |key| target.annotations.remove(key);
        let (full, short) = (take(NAME), take(REF_NAME));
        let name = full.or(short).and_then(|name| Reference::parse(&name).ok()).map(Reference::or_latest);
        let id = take(ID).and_then(|id| id.parse().ok());
        let parent = take(PARENT).and_then(|id| id.parse().ok());
        let tagged = take(TAGGED);
        let made = take(MADE);
        Self { target, name, id, parent, tagged, made }
    }

    fn write(&self) -> Descriptor {
        let mut descriptor = self.target.clone();
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                descriptor.annotations.insert(key.to_owned(), value);
            }
        };
        put(NAME, self.name.as_ref().map(Reference::canonical));
        put(REF_NAME, self.name.as_ref().map(Reference::to_string));
        put(ID, self.id.map(|id| id.to_string()));
        put(PARENT, self.parent.map(|id| id.to_string()));
        put(TAGGED, self.tagged.clone());
        put(MADE, self.made.clone());
        descriptor
    }

    /// Both are the same image. (An index of several platforms is the target of as many images.)
    pub(crate) fn same_image(&self, other: &Self) -> bool {
        match (self.id, other.id) {
            (Some(own), Some(other)) => own == other,
            _ => self.target.digest == other.target.digest,
        }
    }
}

/// The file, and the locks that keep several processes from undoing each other's work.
///
/// Two locks, both `flock(2)`, which the kernel releases when their holder dies:
/// * `images.lock` guards the index. Whoever changes it holds it alone; whoever must not see an image vanish (between
///   choosing it and recording the container that uses it) holds it shared.
/// * `content.lock` is held shared by whoever writes blobs that no entry points at yet, and alone by the collector of
///   garbage, who would take them for such. A collector does not wait for it: what it leaves, the next one takes.
#[derive(Clone, Debug)]
pub(crate) struct IndexFile {
    path: PathBuf,
    images_lock: PathBuf,
    content_lock: PathBuf,
}

impl IndexFile {
    pub(crate) fn new(data_root: &Path, layout: &Path) -> Self {
        Self {
            path: layout.join("index.json"),
            images_lock: data_root.join("images.lock"),
            content_lock: data_root.join("content.lock"),
        }
    }

    /// Waits until nobody changes the index, and keeps others from it until the file is dropped.
    pub(crate) fn hold(&self) -> Result<File> {
        let file = lock_file(&self.images_lock)?;
        file.lock_shared().map_err(Error::io("lock", &self.images_lock))?;
        Ok(file)
    }

    /// Announces that blobs are being written which no entry points at yet.
    pub(crate) fn writing(&self) -> Result<File> {
        let file = lock_file(&self.content_lock)?;
        file.lock_shared().map_err(Error::io("lock", &self.content_lock))?;
        Ok(file)
    }

    /// None while anybody is writing blobs.
    pub(crate) fn try_collecting(&self) -> Result<Option<File>> {
        let file = lock_file(&self.content_lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(Error::io("lock", &self.content_lock)(error)),
        }
    }

    /// All entries as they are now. Reading needs no lock: the file is always replaced as a whole.
    pub(crate) fn read(&self) -> Result<Vec<Entry>> {
        Ok(self.read_index()?.manifests.iter().map(Entry::read).collect())
    }

    fn read_index(&self) -> Result<Index> {
        let bytes = fs::read(&self.path).map_err(Error::io("read", &self.path))?;
        let bad = |e: serde_json::Error| Error::Document { kind: "index.json", why: e.to_string() };
        // Empty for a moment while another process makes the store.
        if bytes.is_empty() { Ok(Index::default()) } else { serde_json::from_slice(&bytes).map_err(bad) }
    }

    /// Changes the entries while nobody else can; nothing is written if `change` fails or changes nothing.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Vec<Entry>) -> Result<T>) -> Result<T> {
        let lock = lock_file(&self.images_lock)?;
        lock.lock().map_err(Error::io("lock", &self.images_lock))?;
        let index = self.read_index()?;
        let before: Vec<Entry> = index.manifests.iter().map(Entry::read).collect();
        let mut entries = before.clone();
        let result = change(&mut entries)?;
        if entries != before {
            self.replace(&Index { manifests: entries.iter().map(Entry::write).collect(), ..index })?;
        }
        Ok(result)
    }

    /// Replaces an index that cannot be read by one with these entries. The old one stays beside it, for whoever can read more of it.
    pub(crate) fn begin_anew(&self, entries: impl Iterator<Item = Entry>) -> Result<()> {
        let lock = lock_file(&self.images_lock)?;
        lock.lock().map_err(Error::io("lock", &self.images_lock))?;
        // A copy: there is never a moment without an index, in which all images would be garbage.
        fs::copy(&self.path, self.path.with_file_name("index.json.damaged")).map_err(Error::io("copy", &self.path))?;
        self.replace(&Index { manifests: entries.map(|entry| entry.write()).collect(), ..Index::default() })
    }

    /// The old index or the new one is there after a crash, never a piece: data, then name, then the folder.
    fn replace(&self, index: &Index) -> Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::Builder::new()
            .prefix(".index-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(Error::io("create a file in", folder))?;
        let bytes = serde_json::to_vec(index).map_err(|e| Error::io("write", &self.path)(e.into()))?;
        file.write_all(&bytes).map_err(Error::io("write", &self.path))?;
        file.as_file().sync_data().map_err(Error::io("sync", &self.path))?;
        file.persist(&self.path).map_err(|e| Error::io("replace", &self.path)(e.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))
    }
}

/// Gives an image a name, taking it from whoever has it. An image that thereby loses its last name keeps an entry
/// without one: it is dangling, not lost.
pub(crate) fn name_image(entries: &mut Vec<Entry>, image: Entry) {
    if let Some(name) = &image.name {
        untag(entries, name);
    }
    let known = entries.iter().any(|e| e.same_image(&image));
    if image.name.is_some() {
        entries.retain(|e| e.name.is_some() || !e.same_image(&image));
    } else if known {
        return;
    }
    entries.push(image);
}

/// Takes a name away; the image keeps an entry. Whether there was such a name.
pub(crate) fn untag(entries: &mut Vec<Entry>, name: &Reference) -> bool {
    let Some(at) = entries.iter().position(|e| e.name.as_ref() == Some(name)) else { return false };
    let old = entries.remove(at);
    if !entries.iter().any(|e| e.same_image(&old)) {
        entries.push(Entry { name: None, tagged: None, ..old });
    }
    true
}

fn lock_file(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).map_err(Error::io("open", path))
}
