//! The store of images: which there are, found by name or ID, and unpacked when they are to be used.
//!
//! The store has no state of its own in memory: every call reads the files, so any number of processes may share it.

use crate::archive::Loaded;
use crate::blob::Blobs;
use crate::digest::{Digest, chain_ids};
use crate::error::{Error, Result};
use crate::image::{ImageConfig, seconds};
use crate::index_file::{Entry, IndexFile, name_image};
use crate::layers::{Layer, Layers};
use crate::manifest::{Descriptor, Document, Manifest, Platform, media_type};
use crate::pins::Pins;
use crate::reference::{Reference, is_full_id};
use crate::unpack::Limits;
use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// 1980-01-01T00:00:01Z, the time of what a build writes: the first that a zip archive can hold and `make` takes for a
/// time. Other tools that build repeatably take 1970, or none.
pub const FIXED_TIME: i64 = 315_532_801;

/// An index may list indexes; an honest one does not go deeper.
const INDEX_DEPTH: usize = 3;

/// The images of one data root.
#[derive(Clone, Debug)]
pub struct Store {
    blobs: Blobs,
    layers: Layers,
    pub(crate) limits: Limits,
    pub(crate) index: IndexFile,
    pub(crate) pins: Pins,
}

/// While this lives, no image, blob or layer vanishes. A process that holds one must not tag, remove, load or commit: it
/// would wait for itself.
#[derive(Debug)]
pub struct Hold {
    _lock: File,
}

/// An image of the store.
#[derive(Clone, Debug)]
pub struct Image {
    /// The digest of the config: what Docker calls the image ID.
    pub id: Digest,
    /// What the index points at: the manifest, or an index of several platforms.
    pub target: Descriptor,
    /// The manifest of the platform that was chosen.
    pub manifest: Manifest,
    pub manifest_digest: Digest,
    pub config: ImageConfig,
    /// All names, sorted: with tag, or with digest.
    pub names: Vec<Reference>,
    /// The image this one was committed from, if that was here.
    pub parent: Option<Digest>,
    /// When it last got a name, RFC 3339.
    pub last_tagged: Option<String>,
    /// When it came to be on this host, RFC 3339.
    pub made: Option<String>,
}

impl Image {
    /// When it was made, in seconds since 1970, as a list of images tells it. Builds that are to be repeatable write a fixed
    /// time into the recipe, which says nothing: of those it is when they were made, or last got a name, here.
    #[must_use]
    pub fn made_seconds(&self) -> i64 {
        match self.config.created_seconds() {
            fixed @ ..=FIXED_TIME => seconds(self.last_tagged.as_deref().max(self.made.as_deref())).max(fixed),
            created => created,
        }
    }

    /// `RepoTags`: the familiar names with a tag.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        self.names.iter().filter(|n| n.digest().is_none()).map(Reference::to_string).collect()
    }

    /// `RepoDigests`: the familiar names with a digest, under which registries know it.
    #[must_use]
    pub fn digests(&self) -> Vec<String> {
        self.names.iter().filter(|n| n.digest().is_some()).map(Reference::to_string).collect()
    }

    /// The layers, lowest first.
    ///
    /// # Errors
    /// [`Error::Document`] if manifest and config do not list the same number.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let (blobs, diff_ids) = (&self.manifest.layers, &self.config.rootfs.diff_ids);
        if blobs.len() != diff_ids.len() {
            let why = format!("it lists {} layers, its config {}", blobs.len(), diff_ids.len());
            return Err(Error::Document { kind: "manifest", why });
        }
        let layer = |(blob, diff_id): (&Descriptor, &Digest)| Layer {
            digest: blob.digest,
            media_type: blob.media_type.clone(),
            diff_id: *diff_id,
        };
        Ok(blobs.iter().zip(diff_ids).map(layer).collect())
    }

    /// The chain IDs of its layers, lowest first: what [`crate::remove::Use::layers`] asks for.
    #[must_use]
    pub fn chain_ids(&self) -> Vec<Digest> {
        chain_ids(&self.config.rootfs.diff_ids)
    }
}

impl Store {
    /// Opens the images beneath a data root, making the folders where they are missing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(data_root: &Path) -> Result<Self> {
        let blobs = Blobs::open(&data_root.join("content"))?;
        let layers = Layers::open(&data_root.join("layers"))?;
        let index = IndexFile::new(data_root, blobs.layout());
        let pins = Pins::new(data_root);
        Ok(Self { blobs, layers, limits: Limits::default(), index, pins })
    }

    /// Refuses layers that are larger, packed or unpacked.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { layers: self.layers.with_limits(limits), limits, ..self }
    }

    /// What a layer may have.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The blobs, for whoever brings new ones (under [`Store::writing`]).
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The unpacked layers.
    #[must_use]
    pub fn unpacked(&self) -> &Layers {
        &self.layers
    }

    /// Keeps every image from being removed: to be held from resolving one until the record that uses it is written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn hold(&self) -> Result<Hold> {
        Ok(Hold { _lock: self.index.hold()? })
    }

    /// Keeps blobs from being collected though no image names them: to be held from the first new blob until
    /// [`Store::register`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn writing(&self) -> Result<Writing> {
        self.sweep_incoming()?;
        Ok(Writing { _lock: self.index.writing()? })
    }

    /// All images, the newest first.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Document`] if the index cannot be read. An image whose blobs are damaged is left out.
    pub fn images(&self) -> Result<Vec<Image>> {
        let entries = self.index.read()?;
        let mut images: Vec<Image> = Vec::new();
        for entry in &entries {
            if entry.id.is_some_and(|id| images.iter().any(|image| image.id == id)) {
                continue;
            }
            match self.read(entry, &entries) {
                Ok(image) if images.iter().all(|known| known.id != image.id) => images.push(image),
                Ok(_) => {}
                Err(error) => tracing::warn!("image {} is left out: {error}", entry.target.digest),
            }
        }
        images.sort_by_key(|image| (std::cmp::Reverse(image.made_seconds()), image.id));
        Ok(images)
    }

    /// The image of this name (`alpine`, `alpine:3`, `alpine@sha256:…`), ID, or unambiguous beginning of an ID.
    ///
    /// # Errors
    /// [`Error::NoSuchImage`], also when several IDs begin so; [`Error::Reference`]; [`Error::Document`] when it is
    /// damaged.
    pub fn resolve(&self, name: &str) -> Result<Image> {
        let entries = self.index.read()?;
        let entry = self.find(&entries, name)?;
        self.read(entry, &entries)
    }

    /// Whether `name` means an image by its ID, not by a name: removing it then removes all its names.
    pub(crate) fn is_id(name: &str, id: &Digest) -> bool {
        id.to_string().starts_with(name) || id.hex().starts_with(name)
    }

    fn find<'e>(&self, entries: &'e [Entry], name: &str) -> Result<&'e Entry> {
        let hex = name.strip_prefix("sha256:").unwrap_or(name);
        let by_id = || {
            let mut found = entries.iter().filter(|e| self.entry_id(e).is_some_and(|id| id.hex().starts_with(hex)));
            let first = found.next().filter(|_| !hex.is_empty())?;
            found.all(|other| self.entry_id(other) == self.entry_id(first)).then_some(first)
        };
        if is_full_id(hex) {
            return by_id().ok_or_else(|| Error::NoSuchImage(format!("sha256:{hex}")));
        }
        let reference = Reference::parse(name)?.or_latest();
        let named = match reference.digest() {
            // A digest says it all; a tag beside it is a remark.
            Some(digest) => entries.iter().find(|e| {
                let of = e.name.as_ref().filter(|n| n.same_repository(&reference));
                of.is_some_and(|n| n.digest() == Some(digest) || e.target.digest == *digest)
            }),
            None => entries.iter().find(|e| e.name.as_ref() == Some(&reference)),
        };
        named.or_else(by_id).ok_or_else(|| Error::NoSuchImage(reference.to_string()))
    }

    fn entry_id(&self, entry: &Entry) -> Option<Digest> {
        entry.id.or_else(|| Some(self.read_target(&entry.target, None).ok()?.id))
    }

    /// The image of an entry, with all names that other entries give it.
    pub(crate) fn read(&self, entry: &Entry, entries: &[Entry]) -> Result<Image> {
        let mut image = self.read_target(&entry.target, entry.id)?;
        for other in entries.iter().filter(|e| e.same_image(entry) || self.entry_id(e) == Some(image.id)) {
            image.names.extend(other.name.clone());
            image.parent = image.parent.or(other.parent);
            image.last_tagged = image.last_tagged.max(other.tagged.clone());
            image.made = image.made.or(other.made.clone());
        }
        image.names.sort();
        Ok(image)
    }

    /// Follows a descriptor down to a manifest and its config: the one with this ID, else the best for this machine
    /// whose blobs are here.
    pub(crate) fn read_target(&self, target: &Descriptor, id: Option<Digest>) -> Result<Image> {
        let mut problem = None;
        // Who knows which image it is may mean one of another platform.
        let any = id.is_some();
        for descriptor in self.manifests(target, any, INDEX_DEPTH, &mut HashSet::new())? {
            match self.read_manifest(&descriptor, target) {
                Ok(image) if id.is_none_or(|id| id == image.id) => return Ok(image),
                Ok(_) => {}
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        let why = format!("{} lists nothing for {}", target.digest, Platform::host().architecture);
        Err(problem.unwrap_or(Error::Document { kind: "index", why }))
    }

    fn read_manifest(&self, descriptor: &Descriptor, target: &Descriptor) -> Result<Image> {
        let Document::Manifest(manifest) = self.document(descriptor)? else {
            return Err(Error::Document { kind: "manifest", why: "an index is none".to_owned() });
        };
        let id = manifest.config.digest;
        let config = ImageConfig::parse(&self.blobs.document(&id)?)?;
        Ok(Image {
            id,
            target: target.clone(),
            manifest_digest: descriptor.digest,
            manifest: *manifest,
            config,
            names: Vec::new(),
            parent: None,
            last_tagged: None,
            made: None,
        })
    }

    pub(crate) fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        Document::parse(&self.blobs.document(&descriptor.digest)?, &descriptor.media_type)
    }

    /// The manifests below a descriptor that run here, best first, and with `any` the others after them. No index is
    /// entered twice: 4 MB of JSON may name another 20,000 times.
    fn manifests(
        &self,
        target: &Descriptor,
        any: bool,
        depth: usize,
        seen: &mut HashSet<Digest>,
    ) -> Result<Vec<Descriptor>> {
        if !media_type::is_index(&target.media_type) {
            return Ok(vec![target.clone()]);
        }
        if depth == 0 {
            return Err(Error::Document { kind: "index", why: "indexes within indexes, too deep".to_owned() });
        }
        let Document::Index(index) = self.document(target)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let others = index.manifests.iter().filter(|_| any);
        for descriptor in index.for_platform(&Platform::host()).into_iter().chain(others) {
            if !seen.insert(descriptor.digest) {
                continue;
            }
            match self.manifests(descriptor, any, depth - 1, seen) {
                Ok(below) => found.extend(below),
                // Of an index for many platforms, mostly only one is here.
                Err(Error::NoSuchBlob(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The folders of an image's layers, lowest first, unpacked where they were not.
    ///
    /// # Errors
    /// As [`Layers::ensure`].
    pub fn layer_folders(&self, image: &Image) -> Result<Vec<PathBuf>> {
        self.layers.ensure(&self.blobs, &image.layers()?)
    }

    /// Makes blobs an image: verifies that all of it is there, unpacks it, and only then enters it into the index, under
    /// `name` if there is one. The name is taken from whoever had it.
    ///
    /// # Errors
    /// Nothing is registered if a blob is missing ([`Error::NoSuchBlob`]), damaged, or refused.
    pub fn register(
        &self,
        _writing: &Writing,
        target: &Descriptor,
        name: Option<&Reference>,
        parent: Option<Digest>,
    ) -> Result<Image> {
        let image = Image { parent, ..self.prepare(target, None)? };
        self.enter(&[(image.clone(), name.cloned().into_iter().collect())])?;
        self.resolve(&image.id.to_string())
    }

    /// As [`Store::register`], for an image that has several names from the start, and an ID that is known: that of the
    /// platform which was chosen, where `target` is for several.
    ///
    /// # Errors
    /// As [`Store::register`].
    pub fn register_as(
        &self,
        _writing: &Writing,
        target: &Descriptor,
        id: Digest,
        names: &[Reference],
    ) -> Result<Image> {
        let image = self.prepare(target, Some(id))?;
        self.enter(&[(image, names.to_vec())])?;
        self.resolve(&id.to_string())
    }

    /// Reads, verifies and unpacks an image that is not registered yet.
    pub(crate) fn prepare(&self, target: &Descriptor, id: Option<Digest>) -> Result<Image> {
        let image = self.read_target(target, id)?;
        for blob in image.manifest.layers.iter().chain([&image.manifest.config, target]) {
            let found = self.blobs.size(&blob.digest).ok_or(Error::NoSuchBlob(blob.digest))?;
            if found != blob.size {
                return Err(Error::WrongSize { expected: blob.size, found });
            }
        }
        self.layer_folders(&image)?;
        Ok(image)
    }

    /// Enters prepared images into the index, all in one step.
    pub(crate) fn enter(&self, images: &[(Image, Vec<Reference>)]) -> Result<Vec<Loaded>> {
        self.index.update(|entries| {
            let mut loaded = Vec::new();
            for (image, names) in images {
                let names: Vec<Option<&Reference>> =
                    if names.is_empty() { vec![None] } else { names.iter().map(Some).collect() };
                for name in names {
                    tracing::info!(target: "explain", man = "rename(2)", shell = "jq .manifests content/index.json",
                        "image {}: {} layers, entered into the index as {}", image.id.short(),
                        image.manifest.layers.len(), name.map_or("<none>".to_owned(), Reference::to_string));
                    let replaced = name.and_then(|name| entries.iter().find(|e| e.name.as_ref() == Some(name))?.id);
                    name_image(entries, entry(image, name));
                    let replaced = replaced.filter(|old| *old != image.id);
                    loaded.push(Loaded { id: image.id, name: name.cloned(), replaced });
                }
            }
            Ok(loaded)
        })
    }
}

/// Shows that its holder announced new blobs; see [`Store::writing`].
#[derive(Debug)]
pub struct Writing {
    _lock: File,
}

/// The line of the index for an image under this name, from now.
pub(crate) fn entry(image: &Image, name: Option<&Reference>) -> Entry {
    Entry {
        target: image.target.clone(),
        name: name.cloned(),
        id: Some(image.id),
        parent: image.parent,
        tagged: name.map(|_| jiff::Timestamp::now().to_string()),
        made: image.made.clone().or_else(|| Some(jiff::Timestamp::now().to_string())),
    }
}
