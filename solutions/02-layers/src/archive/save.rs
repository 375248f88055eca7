//! From images to an archive, which is a docker-archive and an OCI layout at once, as `docker save` makes it since 25.
//!
//! The same images give the same bytes: entries in the order of their names, with no time and no owner.

use super::{DockerImage, OCI_LAYOUT};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::index_file::{NAME, REF_NAME};
use crate::manifest::{Descriptor, Document, Index, media_type};
use crate::reference::Reference;
use crate::store::{Image, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

/// Writes these images to one archive. A repository without a tag means all its tags; an ID means the image without a
/// name.
///
/// # Errors
/// [`Error::NoSuchImage`] before anything is written; [`Error::Send`].
pub fn save(store: &Store, names: &[String], to: &mut dyn Write) -> Result<()> {
    // Nothing is collected while this is read; names may come and go, however slow the receiver is.
    let _reading = store.writing()?;
    write(store, &choose(store, names)?, Format::Both, to)
}

/// What an archive can be read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Whoever reads docker-archives, and whoever reads OCI layouts.
    Both,
    /// Those who read OCI layouts only.
    Oci,
}

/// Writes these images, each with these names, to one archive. They need not be registered. Must be called while nothing
/// is collected ([`Store::writing`]).
///
/// # Errors
/// As [`save`].
pub fn write(store: &Store, images: &[(Image, Vec<Reference>)], format: Format, to: &mut dyn Write) -> Result<()> {
    let mut blobs = BTreeSet::new();
    let mut index = Index::default();
    let mut docker = Vec::new();
    for (image, names) in images {
        let (target, closure) = exportable(store, image)?;
        blobs.extend(closure);
        index.manifests.extend(entries(&target, names));
        docker.push(DockerImage {
            config: path(&image.id),
            repo_tags: Some(names.iter().map(Reference::to_string).collect()).filter(|n: &Vec<_>| !n.is_empty()),
            layers: Some(image.manifest.layers.iter().map(|layer| path(&layer.digest)).collect()),
        });
    }
    let mut tar = tar::Builder::new(to);
    folder(&mut tar, "blobs/")?;
    folder(&mut tar, "blobs/sha256/")?;
    for digest in &blobs {
        let blob = store.blobs().read(digest)?;
        let size = blob.metadata().map_err(Error::io("examine", store.blobs().path(digest)))?.len();
        file(&mut tar, &path(digest), size, blob)?;
    }
    let json = |value: serde_json::Result<Vec<u8>>| value.map_err(|e| Error::Send(e.into()));
    let docker = match format {
        Format::Both => Some(("manifest.json", json(serde_json::to_vec(&docker))?)),
        Format::Oci => None,
    };
    let index = ("index.json", json(serde_json::to_vec(&index))?);
    for (name, bytes) in [index].into_iter().chain(docker).chain([("oci-layout", OCI_LAYOUT.as_bytes().to_vec())]) {
        file(&mut tar, name, bytes.len() as u64, bytes.as_slice())?;
    }
    tar.into_inner().and_then(|to| to.flush()).map_err(Error::Send)
}

/// The images that are meant, each once, with the names it shall have, in the order in which they were asked for.
fn choose(store: &Store, names: &[String]) -> Result<Vec<(Image, Vec<Reference>)>> {
    let mut chosen: Vec<(Image, BTreeSet<Reference>)> = Vec::new();
    let mut choose = |image: Image, name: Option<Reference>| match chosen.iter_mut().find(|(i, _)| i.id == image.id) {
        Some((_, names)) => names.extend(name),
        None => chosen.push((image, name.into_iter().collect())),
    };
    for name in names {
        let reference = Reference::parse(name).ok();
        let tags = match &reference {
            Some(repository) if repository.is_name_only() => all_tags(store, repository)?,
            _ => Vec::new(),
        };
        if !tags.is_empty() {
            tags.into_iter().for_each(|(image, tag)| choose(image, Some(tag)));
            continue;
        }
        let image = store.resolve(name)?;
        let tag = reference.filter(|r| r.tag().is_some() && image.names.contains(r));
        choose(image, tag);
    }
    Ok(chosen.into_iter().map(|(image, names)| (image, names.into_iter().collect())).collect())
}

fn all_tags(store: &Store, repository: &Reference) -> Result<Vec<(Image, Reference)>> {
    let entries = store.index.read()?;
    let tags = entries.iter().filter_map(|e| {
        let name = e.name.clone().filter(|n| n.tag().is_some() && n.same_repository(repository))?;
        Some((e, name))
    });
    tags.map(|(entry, name)| Ok((store.read(entry, &entries)?, name))).collect()
}

/// What can be given away of an image: an index of several platforms only if all of them are here, else the one
/// platform.
fn exportable(store: &Store, image: &Image) -> Result<(Descriptor, BTreeSet<Digest>)> {
    let mut closure = BTreeSet::new();
    if complete(store, &image.target, &mut closure)? {
        return Ok((image.target.clone(), closure));
    }
    let size = store.blobs().size(&image.manifest_digest).ok_or(Error::NoSuchBlob(image.manifest_digest))?;
    let own = image.manifest.media_type.as_deref().unwrap_or(media_type::OCI_MANIFEST);
    let manifest = Descriptor::new(own, image.manifest_digest, size);
    closure.clear();
    match complete(store, &manifest, &mut closure)? {
        true => Ok((manifest, closure)),
        false => Err(Error::Load(format!("image {} is not complete here", image.id.short()))),
    }
}

/// Collects all blobs below a descriptor; false if one is missing.
fn complete(store: &Store, descriptor: &Descriptor, closure: &mut BTreeSet<Digest>) -> Result<bool> {
    if !store.blobs().contains(&descriptor.digest) {
        return Ok(false);
    }
    let has_parts = media_type::is_index(&descriptor.media_type) || media_type::is_manifest(&descriptor.media_type);
    if !closure.insert(descriptor.digest) || !has_parts {
        return Ok(true);
    }
    let parts = match store.document(descriptor)? {
        Document::Index(index) => index.manifests,
        Document::Manifest(manifest) => [vec![manifest.config], manifest.layers].concat(),
    };
    for part in &parts {
        if !complete(store, part, closure)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The lines of `index.json`: one for each name, as Docker writes them, or one without.
fn entries(target: &Descriptor, names: &[Reference]) -> Vec<Descriptor> {
    let named = |name: &Reference| {
        let tag = name.tag().map(|tag| (REF_NAME.to_owned(), tag.to_owned()));
        let annotations = BTreeMap::from_iter(tag.into_iter().chain([(NAME.to_owned(), name.canonical())]));
        Descriptor { annotations, ..target.clone() }
    };
    if names.is_empty() { vec![target.clone()] } else { names.iter().map(named).collect() }
}

fn path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn folder(tar: &mut tar::Builder<&mut dyn Write>, name: &str) -> Result<()> {
    append(tar, name, tar::EntryType::Directory, 0o755, 0, std::io::empty())
}

fn file(tar: &mut tar::Builder<&mut dyn Write>, name: &str, size: u64, content: impl Read) -> Result<()> {
    append(tar, name, tar::EntryType::Regular, 0o644, size, content)
}

fn append(
    tar: &mut tar::Builder<&mut dyn Write>,
    name: &str,
    kind: tar::EntryType,
    mode: u32,
    size: u64,
    content: impl Read,
) -> Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, name, content).map_err(Error::Send)
}
