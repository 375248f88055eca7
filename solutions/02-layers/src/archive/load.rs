//! From an archive, as it streams by, to images.
//!
//! Whatever could be a blob is written to the store and hashed on the way; documents are kept in memory. What the
//! archive means is clear only at its end. Then every image is verified and unpacked, and all are registered in one
//! step, or none.

use super::{DockerImage, inflate, legacy};
use crate::blob::DOCUMENT_LIMIT;
use crate::compression::{self, Compression};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::image::ImageConfig;
use crate::index_file::{NAME, REF_NAME};
use crate::manifest::{Descriptor, Index, Manifest, media_type};
use crate::reference::Reference;
use crate::store::{Image, Store};
use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::{Component, Path};

/// An archive holds a handful of entries for each layer.
const ENTRIES_MAX: usize = 100_000;
/// All documents of an archive together.
const DOCUMENTS_MAX: u64 = 64 << 20;
/// tar(1) fills its last record, of 20 blocks unless told otherwise.
const PADDING_MAX: usize = 4 << 20;
/// A link may lead to a link.
const LINKS_MAX: usize = 8;

/// An image that was loaded. `Display` is Docker's line for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub id: Digest,
    /// None: the archive gives it no name.
    pub name: Option<Reference>,
    /// The image that had this name before.
    pub replaced: Option<Digest>,
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.replaced) {
            (None, _) => write!(f, "Loaded image ID: {}", self.id),
            (Some(name), None) => write!(f, "Loaded image: {name}"),
            (Some(name), Some(old)) => write!(
                f,
                "The image {name} already exists, renaming the old one with ID {old} to empty string\nLoaded image: {name}"
            ),
        }
    }
}

/// Loads all images of an archive: docker-archive, OCI layout, or both in one; plain, gzip or zstd.
///
/// # Errors
/// [`Error::Load`], [`Error::Stream`], [`Error::Document`], [`Error::WrongDigest`]… Nothing is registered then, and what
/// was written is removed.
pub fn load(store: &Store, from: &mut (dyn Read + Send)) -> Result<Vec<Loaded>> {
    let loaded = store.adding(|_| {
        let found = Archive::receive(store, from)?.images()?;
        let prepare = |(target, names): (Descriptor, _)| Ok((store.prepare(&target, None)?, names));
        let images: Vec<(Image, Vec<Reference>)> = found.into_iter().map(prepare).collect::<Result<_>>()?;
        store.enter(&images)
    })?;
    // An archive may hold what none of its images needs.
    store.sweep_except(store.unpacked().list()?)?;
    Ok(loaded)
}

/// What an archive holds, by path.
pub(super) struct Archive<'a> {
    pub store: &'a Store,
    pub documents: HashMap<String, Vec<u8>>,
    blobs: HashMap<String, Digest>,
    links: HashMap<String, String>,
}

impl<'a> Archive<'a> {
    fn receive(store: &'a Store, from: &mut (dyn Read + Send)) -> Result<Self> {
        let mut archive = Self { store, documents: HashMap::new(), blobs: HashMap::new(), links: HashMap::new() };
        let mut stream = inflate(from)?;
        let mut tar = tar::Archive::new(&mut stream);
        let mut documents = 0;
        for (count, entry) in tar.entries().map_err(damaged)?.enumerate() {
            let mut entry = entry.map_err(damaged)?;
            if count >= ENTRIES_MAX {
                return Err(Error::Load(format!("it holds more than {ENTRIES_MAX} entries")));
            }
            let path = normal(&entry.path().map_err(damaged)?)?;
            let kind = entry.header().entry_type();
            if kind.is_symlink() || kind.is_hard_link() {
                let target = entry.link_name().map_err(damaged)?.unwrap_or_default().into_owned();
                // A symbolic link starts at its own folder, a hard link at the top.
                let base = Path::new(&path).parent().filter(|_| kind.is_symlink()).unwrap_or(Path::new(""));
                let target = normal(&base.join(target))?;
                archive.links.insert(path, target);
            } else if kind.is_file() {
                if is_document(&path) && entry.size() <= DOCUMENT_LIMIT {
                    documents += entry.size();
                    if documents > DOCUMENTS_MAX {
                        return Err(Error::Load(format!("its documents have more than {DOCUMENTS_MAX} bytes")));
                    }
                    archive.documents.insert(path, read_whole(&mut entry)?);
                } else {
                    archive.receive_blob(path, &mut entry)?;
                }
            }
        }
        finish(&mut stream)?;
        Ok(archive)
    }

    /// A file in `blobs/sha256` has to be what its name says.
    fn receive_blob(&mut self, path: String, entry: &mut tar::Entry<'_, impl Read>) -> Result<()> {
        let promised = match path.strip_prefix("blobs/sha256/") {
            Some(hex) => Some(Digest::from_hex(hex)?),
            None => None,
        };
        let size = entry.size();
        if size > self.store.limits.bytes {
            return Err(Error::LayerTooLarge(self.store.limits.bytes));
        }
        let digest = match promised.filter(|digest| self.store.blobs().size(digest) == Some(size)) {
            // It is here, verified when it came.
            Some(digest) => digest,
            None => self.store.blobs().write(entry, promised, Some(size))?.0,
        };
        self.blobs.insert(path, digest);
        Ok(())
    }

    /// The images, each with its names. The OCI side is preferred: its manifests stay as they are.
    fn images(&self) -> Result<Vec<(Descriptor, Vec<Reference>)>> {
        if self.documents.contains_key("index.json") && self.documents.contains_key("oci-layout") {
            return self.oci_images();
        }
        if let Some(manifest) = self.documents.get("manifest.json") {
            let images: Vec<DockerImage> = parse("manifest.json", manifest)?;
            return images.iter().map(|image| self.docker_image(image)).collect();
        }
        match self.documents.get("repositories") {
            Some(repositories) => legacy::images(self, parse("repositories", repositories)?),
            None => {
                Err(Error::Load("it has neither a manifest.json nor an index.json; is it an archive of images?".into()))
            }
        }
    }

    fn oci_images(&self) -> Result<Vec<(Descriptor, Vec<Reference>)>> {
        let index: Index = parse("index.json", &self.documents["index.json"])?;
        let mut found: Vec<(Descriptor, Vec<Reference>)> = Vec::new();
        for mut descriptor in index.manifests {
            let known = media_type::is_index(&descriptor.media_type) || media_type::is_manifest(&descriptor.media_type);
            // Signatures and build attestations travel beside the image they are about.
            if !known || descriptor.platform.as_ref().is_some_and(|p| p.os == "unknown") {
                continue;
            }
            let name = oci_name(&mut descriptor)?;
            match found.iter_mut().find(|(known, _)| known.digest == descriptor.digest) {
                Some((_, names)) => names.extend(name),
                None => found.push((descriptor, name.into_iter().collect())),
            }
        }
        Ok(found)
    }

    fn docker_image(&self, image: &DockerImage) -> Result<(Descriptor, Vec<Reference>)> {
        let config = self.document(&image.config)?;
        let names = image.repo_tags.iter().flatten().map(|tag| Ok(Reference::parse(tag)?.or_latest()));
        let names = names.collect::<Result<Vec<_>>>()?;
        let layers = image.layers.iter().flatten().map(|path| self.layer(path)).collect::<Result<Vec<_>>>()?;
        Ok((self.put_docker_image(&config, layers)?, names))
    }

    /// A docker-archive has no manifest in our sense: it is made here. The config stays as it is, and so does the ID.
    pub(super) fn put_docker_image(&self, config: &[u8], layers: Vec<Descriptor>) -> Result<Descriptor> {
        let listed = ImageConfig::parse(config)?.rootfs.diff_ids.len();
        if listed != layers.len() {
            return Err(Error::Load(format!(
                "manifest.json lists {} layers, the image's config {listed}",
                layers.len()
            )));
        }
        let digest = self.store.blobs().put(config)?;
        let config = Descriptor::new(media_type::OCI_CONFIG, digest, config.len() as u64);
        self.store.put_json(media_type::OCI_MANIFEST, &Manifest::new(config, layers))
    }

    pub(super) fn layer(&self, path: &str) -> Result<Descriptor> {
        let digest = self.find(&self.blobs, path)?;
        let mut first = Vec::new();
        let blob = self.store.blobs().read(digest)?;
        let size = blob.metadata().map_err(Error::io("examine", self.store.blobs().path(digest)))?.len();
        blob.take(8).read_to_end(&mut first).map_err(Error::io("read", self.store.blobs().path(digest)))?;
        let media_type = match compression::detect(&first).map_err(|e| Error::Load(format!("{path}: {e}")))? {
            Compression::None => media_type::OCI_LAYER,
            Compression::Gzip => media_type::OCI_LAYER_GZIP,
            Compression::Zstd => media_type::OCI_LAYER_ZSTD,
        };
        Ok(Descriptor::new(media_type, *digest, size))
    }

    /// A document by its path; `blobs/sha256/…` was taken for a blob.
    pub(super) fn document(&self, path: &str) -> Result<Vec<u8>> {
        match self.find(&self.documents, path) {
            Ok(document) => Ok(document.clone()),
            Err(_) => self.store.blobs().document(self.find(&self.blobs, path)?),
        }
    }

    fn find<'m, T>(&self, map: &'m HashMap<String, T>, path: &str) -> Result<&'m T> {
        let mut at = normal(Path::new(path))?;
        for _ in 0..LINKS_MAX {
            match (map.get(&at), self.links.get(&at)) {
                (Some(found), _) => return Ok(found),
                (None, Some(target)) => at.clone_from(target),
                (None, None) => break,
            }
        }
        Err(Error::Load(format!("{path:?} is not in it")))
    }
}

/// The reader of tars quotes the bytes it stumbles over: nothing to show on a terminal.
fn damaged(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::Other => Error::Load("archive/tar: invalid tar header".to_owned()),
        _ => Error::Stream(error),
    }
}

/// Reads on after the two zero blocks that end a tar. A compressed stream proves only at its very end that it is whole
/// (the checksum), and padding may fill the last record (tar(5)), but nothing else has any business there.
fn finish(stream: &mut dyn Read) -> Result<()> {
    let mut padding = [0; 64 << 10];
    let mut total = 0;
    loop {
        match stream.read(&mut padding) {
            Ok(0) => return Ok(()),
            Ok(length) if padding[..length].iter().all(|byte| *byte == 0) && total < PADDING_MAX => total += length,
            Ok(_) => return Err(Error::Load("more follows after its end".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Stream(error)),
        }
    }
}

/// The name an OCI layout gives an image. A lone `latest` names no repository.
fn oci_name(descriptor: &mut Descriptor) -> Result<Option<Reference>> {
    let (full, short) = (descriptor.annotations.remove(NAME), descriptor.annotations.remove(REF_NAME));
    match full.or(short.filter(|name| name != "latest")) {
        Some(name) => Ok(Some(Reference::parse(&name)?.or_latest())),
        None => Ok(None),
    }
}

fn is_document(path: &str) -> bool {
    !path.starts_with("blobs/") && (path.ends_with("json") || matches!(path, "repositories" | "oci-layout"))
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| Error::Load(format!("{name}: {e}")))
}

/// A path within the archive, without `.` and `..`. It is only compared, never opened; one that climbs is a lie anyway.
fn normal(path: &Path) -> Result<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        let climbs = match part {
            Component::Normal(name) => name.to_str().map(|name| parts.push(name)).is_none(),
            Component::ParentDir => parts.pop().is_none(),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => false,
        };
        if climbs {
            return Err(Error::Load(format!("{path:?} leads out of it")));
        }
    }
    Ok(parts.join("/"))
}

fn read_whole(entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>> {
    let (mut bytes, expected) = (Vec::new(), entry.size());
    let found = entry.read_to_end(&mut bytes).map_err(Error::Stream)? as u64;
    if found == expected { Ok(bytes) } else { Err(Error::WrongSize { expected, found }) }
}
