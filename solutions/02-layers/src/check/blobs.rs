//! Blobs: each has to have the bytes that its name promises.

use super::{AGAIN, Findings, Problem};
use crate::blob::Blobs;
use crate::digest::{Digest, HashingReader};
use crate::error::{Error, Result};
use crate::manifest::{Descriptor, Document, Index, media_type};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Blobs, and what they are instead.
pub(super) type Damaged = BTreeMap<Digest, String>;

/// Reads every blob, on as many threads as there are processors.
pub(super) fn damaged(blobs: &Blobs, found: &mut Findings) -> Result<Damaged> {
    let all = blobs.list()?;
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(all.len()) {
            scope.spawn(|| {
                while let Some(digest) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = read(blobs, digest);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((*digest, result));
                }
            });
        }
    });
    let mut damaged = Damaged::new();
    for (digest, result) in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        match result {
            // Somebody deleted it in the meantime.
            Err(Error::NoSuchBlob(_)) => continue,
            Err(error) => drop(damaged.insert(digest, format!("it cannot be read: {error}"))),
            Ok((own, size)) => {
                found.bytes += size;
                if own != digest {
                    damaged.insert(digest, format!("its {size} bytes are those of {own}"));
                }
            }
        }
        found.blobs += 1;
    }
    Ok(damaged)
}

fn read(blobs: &Blobs, digest: &Digest) -> Result<(Digest, u64)> {
    let mut reader = HashingReader::new(blobs.read(digest)?);
    io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", blobs.path(digest)))?;
    Ok(reader.finish())
}

pub(super) fn tell(damaged: &Damaged, needed: &BTreeMap<Digest, &str>, found: &mut Findings) {
    for (digest, what) in damaged {
        let what = match needed.get(digest) {
            Some(image) => format!("{what}; {image} needs it"),
            None => what.clone(),
        };
        found.problem(&format!("blob {digest}"), what, AGAIN);
        found.wrong.blobs.insert(*digest);
    }
}

/// Proves a layout that is not an engine's store but a registry's: its blobs, and that what its manifests point at is
/// there. With `repair`, damaged blobs are removed: who pushes or asks for them brings them again.
///
/// # Errors
/// [`Error::Io`].
pub fn layout(blobs: &Blobs, repair: bool) -> Result<Findings> {
    let mut found = Findings::default();
    let damaged = damaged(blobs, &mut found)?;
    tell(&damaged, &BTreeMap::new(), &mut found);
    let path = blobs.layout().join("index.json");
    let index = std::fs::read(&path).map_err(Error::io("read", &path))?;
    let index: Index = match serde_json::from_slice(&index) {
        Ok(index) => index,
        Err(error) => {
            found.problem("index.json", error.to_string(), "bring it back from a copy, or remove it and push again");
            return Ok(found);
        }
    };
    let mut seen = BTreeSet::new();
    for entry in index.manifests.iter().filter(|entry| seen.insert(entry.digest)) {
        for (digest, size) in below(blobs, entry) {
            let what = match blobs.size(&digest) {
                None => format!("{digest} is missing"),
                Some(own) if own != size => format!("{digest} has {own} bytes, not {size}"),
                Some(_) => continue,
            };
            let name = entry.annotations.get(crate::index_file::REF_NAME);
            let name = name.map_or_else(|| entry.digest.to_string(), Clone::clone);
            let way_out = "push it again; a mirror fetches it when it is asked for it";
            found.problems.push(Problem { object: format!("manifest {name}"), what, way_out: way_out.to_owned() });
        }
    }
    if repair {
        for digest in damaged.keys() {
            blobs.remove(digest)?;
        }
    }
    Ok(found)
}

/// A manifest, and the blobs that it lists. The manifests of an index have lines of their own.
fn below(blobs: &Blobs, entry: &Descriptor) -> Vec<(Digest, u64)> {
    let mut all = vec![(entry.digest, entry.size)];
    let document = blobs.document(&entry.digest).and_then(|bytes| Document::parse(&bytes, &entry.media_type));
    if let Ok(Document::Manifest(manifest)) = document
        && media_type::is_manifest(&entry.media_type)
    {
        all.extend(manifest.layers.iter().chain([&manifest.config]).map(|blob| (blob.digest, blob.size)));
    }
    all
}
