//! Archives, unpacked into the image. Nothing in them is trusted: `layers::unpack` resolves every path beneath the
//! destination, whatever links the archive or the image hold, and a bomb ends at the limit.

use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::path::Path;

use layers::Digest;
use layers::attributes::Attributes;
use layers::digest::HashingReader;
use layers::unpack::{Limits, Options, Unpacked, Whiteouts};
use rustix::fs::fstat;

use super::compression::decompress;
use crate::context::Tree;
use crate::context::contents::open_file;
use crate::context::entry::{Entry, Kind, Stamp, copied_attributes, digest, file_digest, shown};
use crate::copy::{Copier, Selection};
use crate::error::{Error, Result};

/// An archive of the tree.
#[derive(Debug)]
pub(crate) struct Archive(pub(super) Selection);

/// Whether a single file is an archive.
pub(super) fn is_archive(tree: &Tree, selection: &Selection) -> Result<bool> {
    // Compressed, it may be a few bytes.
    let [Entry { kind: Kind::File { .. }, stamp: Stamp { size: 1.., .. }, .. }] = selection.entries.as_slice() else {
        return Ok(false);
    };
    let (file, _) = open_file(tree, &selection.base)?;
    Ok(begins_like_one(file))
}

/// Whether a stream is an archive. What cannot be decompressed is a file like any other.
pub(crate) fn begins_like_one(stream: impl Read + Send) -> bool {
    decompress(stream).is_ok_and(layers::unpack::is_archive)
}

impl Archive {
    pub(crate) fn entry(&self) -> &[Entry] {
        &self.0.entries
    }

    /// Where it is in the tree.
    pub(crate) fn path(&self) -> &Path {
        &self.0.base
    }

    pub(crate) fn digest(&self) -> Digest {
        digest(&self.0.entries)
    }

    /// Unpacks it. If it was touched since it was looked at, its digest is now that of what was read.
    pub(crate) fn write(&mut self, copier: &mut Copier<'_>) -> Result<()> {
        let from = &self.0.base;
        let (file, stamp) = open_file(copier.tree(), from)?;
        let xattrs = Attributes::read(file.as_fd()).map_err(Error::io("examine", from))?.xattrs;
        let mut reader = HashingReader::new(&file);
        unpack_to_destination(&mut reader, &shown(from), copier)?;
        io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", from))?;
        let after = Stamp::of(&fstat(&file).map_err(Error::io("examine", from))?);
        if let [entry] = self.0.entries.as_mut_slice()
            && (stamp != entry.stamp || after != stamp)
        {
            entry.kind = Kind::File { content: Some(file_digest(reader.finish().0, &copied_attributes(xattrs))) };
        }
        Ok(())
    }
}

/// Unpacks a stream into the destination, which is a folder then.
pub(super) fn unpack_to_destination(stream: impl Read + Send, name: &str, copier: &mut Copier<'_>) -> Result<()> {
    let place = copier.destination_folder()?;
    let folder = copier.folders.open(&place)?;
    let options =
        Options { layer: name, whiteouts: Whiteouts::Keep, limits: Limits::default(), owner: copier.target().owner };
    let unpacked = unpack(stream, folder.as_fd(), &options)?;
    unpacked.notes.into_iter().for_each(|note| copier.note(note));
    for path in unpacked.implied {
        copier.folders.was_made(&place.join(path));
    }
    Ok(())
}

/// Unpacks a stream, which may be compressed, beneath a folder.
pub(crate) fn unpack(
    stream: impl Read + Send,
    folder: std::os::fd::BorrowedFd<'_>,
    options: &Options<'_>,
) -> Result<Unpacked> {
    let archive = decompress(stream).map_err(Error::io("read", Path::new(options.layer)))?;
    layers::unpack::unpack(archive, folder, options).map_err(|error| named(error, options.layer))
}

/// What is wrong with an archive that is no layer.
fn named(error: layers::Error, archive: &str) -> Error {
    let archive = archive.to_owned();
    let why = match error {
        layers::Error::Refused { entry, why, .. } => format!("{entry:?}: {why}"),
        layers::Error::Unpack { entry, step, source, .. } => format!("{entry:?}: cannot {step}: {source}"),
        layers::Error::Archive { problem, .. } => problem.to_string(),
        layers::Error::Unreadable { source, .. } => format!("cannot read it: {source}"),
        error => error.to_string(),
    };
    Error::Archive { archive, why }
}
