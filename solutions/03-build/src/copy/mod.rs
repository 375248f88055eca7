//! `COPY` (and what `ADD` has in common with it): from a tree of files into an image.
//!
//! Two phases. [`resolve`] finds out what would be copied and its digest, and writes nothing: if a step with that digest was
//! carried out before, its layer is taken and the second phase never comes. [`Plan::write`] copies.
//!
//! ```text
//!   COPY --chown=app src/*.rs /app/        sources ──▶ walk ──▶ contents ──▶ digest      the cache's key
//!                                          (wildcards)  (what is     │
//!                                                        not hidden) └──▶ write ──▶ folders, file     the layer
//! ```

pub(crate) mod chmod;
mod chown;
mod data;
mod folders;
mod sources;
mod write;

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use layers::Digest;
use layers::digest::Hasher;

use crate::add::{Archive, Download, is_git, is_url};
use crate::cancel::Cancel;
use crate::context::Tree;
use crate::context::entry::{Entry, Kind, Stamp, digest, field};
use crate::error::{Error, Result};
use crate::ignore::{Ignore, clean};
use crate::instruction::Copy;
pub(crate) use chmod::Chmod;
pub use chown::{Owner, owner};
pub(crate) use folders::Folders;
pub(crate) use sources::{Selection, select};
pub(crate) use write::Copier;
pub use write::{Target, Written};

/// What a step would copy.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) destination: Destination,
    pub(crate) chmod: Option<Chmod>,
}

/// What becomes of one source.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Files of the tree.
    Files(Selection),
    /// A heredoc.
    Text { name: OsString, content: Vec<u8> },
    /// An archive, whose files are copied in place of itself.
    Archive(Archive),
    /// A file from elsewhere.
    Download(Download),
}

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// From the root of the image, cleaned.
    pub(crate) path: PathBuf,
    /// It ends with a slash: it is a folder, and made if it is not there.
    pub(crate) folder: bool,
}

impl Destination {
    fn new(cwd: &str, written: &str) -> Self {
        let absolute = if written.starts_with('/') { written.to_owned() } else { format!("/{cwd}/{written}") };
        let path = PathBuf::from(OsString::from_vec(clean(absolute.as_bytes())));
        let folder = matches!(written, "" | ".") || written.ends_with('/') || written.ends_with("/.");
        Self { path, folder }
    }
}

/// Finds out what a `COPY` would copy. All words of it have their variables replaced; `cwd` is what relative destinations
/// begin at, and `tree` what `--from` names, or the context.
///
/// # Errors
/// A source is not there, a flag is malformed, or a file cannot be read.
pub fn resolve<'a>(copy: &Copy, cwd: &str, tree: &'a Tree, cancel: Option<&Cancel>) -> Result<Plan<'a>> {
    let mut plan = Plan::new(copy, cwd, tree)?;
    let exclude = Ignore::patterns("--exclude", copy.exclude.iter().map(String::as_str))?;
    for source in &copy.sources {
        if is_url(source) || is_git(source) {
            return Err(Error::CopyUrl(if is_git(source) { "git ref" } else { "URL" }));
        }
        for selection in sources::select(tree, source, &exclude, copy.parents, cancel)? {
            plan.pieces.push(Piece::Files(selection));
        }
    }
    plan.add_heredocs(copy);
    Ok(plan)
}

impl<'a> Plan<'a> {
    /// Of nothing yet.
    pub(crate) fn new(copy: &Copy, cwd: &str, tree: &'a Tree) -> Result<Self> {
        let chmod = copy.chmod.as_deref().map(Chmod::parse).transpose()?;
        Ok(Self { tree, pieces: Vec::new(), destination: Destination::new(cwd, &copy.destination), chmod })
    }

    pub(crate) fn add_heredocs(&mut self, copy: &Copy) {
        self.pieces.extend(copy.heredocs.iter().map(|heredoc| Piece::Text {
            name: Path::new(&heredoc.name).file_name().unwrap_or_default().to_owned(),
            content: heredoc.content.clone().into_bytes(),
        }));
    }

    /// The digest of all that is copied: contents, names, modes, owners; no times. What the instruction itself says
    /// (destination, `--chown`, `--chmod`) is not part of it.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        for piece in &self.pieces {
            let (name, digest) = piece.known_by();
            field(&mut hasher, name.as_bytes());
            field(&mut hasher, digest.to_string().as_bytes());
        }
        hasher.finish()
    }

    /// How many files, folders and links are copied.
    pub fn files(&self) -> usize {
        let count = |piece: &Piece| if let Piece::Files(selection) = piece { selection.entries.len() } else { 1 };
        self.pieces.iter().map(count).sum()
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> u64 {
        self.entries().filter(|entry| matches!(entry.kind, Kind::File { .. })).map(|entry| entry.stamp.size).sum()
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Files(selection) => selection.entries.as_slice(),
            Piece::Archive(archive) => archive.entry(),
            Piece::Text { .. } | Piece::Download(_) => &[],
        })
    }
}

impl Piece {
    /// Its name, where that decides what is made of it, and the digest of its content.
    fn known_by(&self) -> (OsString, Digest) {
        match self {
            // The content of a folder is copied, whatever it is called.
            Self::Files(selection) if selection.is_folder => (OsString::new(), digest(&selection.entries)),
            Self::Files(selection) => (selection.name.clone(), digest(&selection.entries)),
            Self::Text { name, content } => (name.clone(), Digest::of(content)),
            // No file is called so: what is unpacked is not the file that it is unpacked from.
            Self::Archive(archive) => (OsString::from("archive/"), archive.digest()),
            Self::Download(download) => (download.known_as(), download.digest()),
        }
    }
}

/// A file that is made of a text.
pub(crate) fn text_entry(content: &[u8]) -> Entry {
    let kind = Kind::File { content: Some(Digest::of(content)) };
    Entry { path: PathBuf::new(), kind, mode: 0o644, uid: 0, gid: 0, stamp: Stamp::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_begin_at_the_working_directory() {
        for (cwd, written, path, folder) in [
            ("/w", "a", "/w/a", false),
            ("/w", "a/", "/w/a", true),
            ("/w", ".", "/w", true),
            ("/w", "", "/w", true),
            ("/w", "./a/.", "/w/a", true),
            ("/w", "/a/../../b", "/b", false),
            ("/w", "../../..", "/", false),
            ("", "a", "/a", false),
            ("/", "/", "/", true),
        ] {
            assert_eq!(Destination::new(cwd, written), Destination { path: path.into(), folder }, "{cwd} {written}");
        }
    }
}
