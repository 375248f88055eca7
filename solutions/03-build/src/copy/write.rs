//! The second phase: files are written into an image.
//!
//! What is found out in the first phase is what is written, also where somebody works on the files meanwhile: names, modes
//! and links are those of the plan. Only the bytes of a file are read again. If it was touched since, the digest is
//! computed anew from what was written, so that nothing is ever remembered under the digest of something else.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use layers::Digest;
use layers::attributes::{Attributes, Writer};
use rustix::fs::{AtFlags, Dev, FileType, Mode, OFlags, fstat, linkat, makedev, mknodat, openat, symlinkat, unlinkat};
use rustix::io::Errno;

use super::data::{self, Copying};
use super::folders::{Folders, is_folder};
use super::{Piece, Plan, Selection, text_entry};
use crate::cancel::Cancel;
use crate::context::Tree;
use crate::context::contents::{digest_of, open_file};
use crate::context::entry::{Entry, Kind, Stamp, copied_attributes, shown};
use crate::context::rooted::resolve;
use crate::error::{Error, Result};

/// Files are copied in pieces of this size where the kernel cannot do it.
const BUFFER: usize = 256 * 1024;

/// Where a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The root of the image.
    pub root: BorrowedFd<'a>,
    /// Who everything belongs to, with `--chown`: see [`super::owner`].
    pub owner: Option<(u32, u32)>,
    /// The time of all that is written, in seconds since 1970.
    pub time: i64,
    /// Whoever may end it before its end.
    pub cancel: Option<&'a Cancel>,
}

/// What came of it.
#[derive(Debug)]
pub struct Written {
    /// The digest of what was written. It is not the plan's, if a file was touched since: then the step is to be remembered under
    /// this one.
    pub digest: Digest,
    /// What could not be taken along, a line each.
    pub notes: Vec<String>,
}

impl Plan<'_> {
    /// Copies. The image's own links are followed within it, as far as they are named in the destination; none is on the way below
    /// it.
    ///
    /// # Errors
    /// Something cannot be read or written, or is in the way. Part of it is copied then.
    pub fn write(mut self, target: Target<'_>) -> Result<Written> {
        let mut pieces = std::mem::take(&mut self.pieces);
        let mut copier = Copier::new(&self, target, pieces.len() > 1);
        for piece in &mut pieces {
            match piece {
                Piece::Files(selection) => copier.selection(selection)?,
                Piece::Archive(archive) => archive.write(&mut copier)?,
                Piece::Download(download) => download.write(&mut copier)?,
                Piece::Text { name, content } => {
                    let place = copier.place_for_file(name)?;
                    copier.text(&place, content)?;
                }
            }
        }
        let notes = copier.finish()?;
        self.pieces = pieces;
        Ok(Written { digest: self.digest(), notes })
    }
}

pub(crate) struct Copier<'a> {
    plan: &'a Plan<'a>,
    target: Target<'a>,
    /// There is more than one source: they cannot all have the same name.
    several: bool,
    pub(crate) folders: Folders<'a>,
    attributes: Writer,
    buffer: Vec<u8>,
}

impl<'a> Copier<'a> {
    fn new(plan: &'a Plan<'a>, target: Target<'a>, several: bool) -> Self {
        let (uid, gid) = target.owner.unwrap_or((0, 0));
        // BuildKit gives them the mode of --chmod; then nobody but root could enter them where it is a file's.
        let on_the_way = Attributes { uid, gid, mode: 0o755, mtime: (target.time, 0), xattrs: Vec::new() };
        let folders = Folders::new(target.root, on_the_way);
        Self { plan, target, several, folders, attributes: Writer::new(true), buffer: vec![0; BUFFER] }
    }

    fn finish(mut self) -> Result<Vec<String>> {
        self.folders.finish(&mut self.attributes)?;
        Ok(self.attributes.into_notes())
    }

    pub(crate) fn tree(&self) -> &'a Tree {
        self.plan.tree
    }

    pub(crate) fn target(&self) -> Target<'a> {
        self.target
    }

    pub(crate) fn note(&mut self, text: String) {
        self.attributes.note(text);
    }

    /// Where the destination leads in the image as it is now, and whether there is a folder. Follows links, a dangling one too.
    fn destination(&self) -> Result<(PathBuf, bool)> {
        let written = &self.plan.destination.path;
        let resolved = resolve(self.target.root, written).map_err(Error::io("find", written))?;
        Ok((resolved.path.clone(), resolved.is_folder()))
    }

    /// The folder that is the destination, made if it is not there.
    pub(crate) fn destination_folder(&mut self) -> Result<PathBuf> {
        let (path, _) = self.destination()?;
        self.folders.make_all(&path)?;
        Ok(path)
    }

    /// Where a single file goes: into the destination if that is a folder, or else in its place.
    pub(crate) fn place_for_file(&mut self, name: &OsStr) -> Result<PathBuf> {
        let (path, exists) = self.destination()?;
        if exists || self.plan.destination.folder {
            self.folders.make_all(&path)?;
            return Ok(path.join(name));
        }
        if self.several {
            return Err(Error::SeveralSources);
        }
        self.folders.make_all(path.parent().unwrap_or(Path::new("")))?;
        Ok(path)
    }

    fn selection(&mut self, selection: &mut Selection) -> Result<()> {
        let place =
            if selection.is_folder { self.destination_folder()? } else { self.place_for_file(&selection.name)? };
        for entry in &mut selection.entries {
            self.check_cancelled()?;
            let at = entry.below(&place);
            match &entry.kind {
                Kind::Folder { xattrs } => {
                    let wanted = self.wanted(entry, xattrs.clone());
                    self.folders.make(&at, Some(wanted))?;
                }
                Kind::HardLink { to } => self.hard_link(&place.join(to), &at)?,
                Kind::Symlink { target } => self.symlink(&at, target, entry)?,
                Kind::File { .. } => self.file(&at, &entry.below(&selection.base), entry)?,
                Kind::Fifo => self.node(&at, FileType::Fifo, 0, entry)?,
                Kind::CharDevice(device) => self.node(&at, FileType::CharacterDevice, *device, entry)?,
                Kind::BlockDevice(device) => self.node(&at, FileType::BlockDevice, *device, entry)?,
            }
        }
        Ok(())
    }

    fn check_cancelled(&self) -> Result<()> {
        match self.target.cancel.is_some_and(Cancel::is_cancelled) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    /// What an entry gets when it is written.
    fn wanted(&self, entry: &Entry, xattrs: Vec<(String, Vec<u8>)>) -> Attributes {
        let (uid, gid) = self.target.owner.unwrap_or((entry.uid, entry.gid));
        let is_folder = matches!(entry.kind, Kind::Folder { .. });
        let mode = self.plan.chmod.as_ref().map_or(entry.mode, |chmod| chmod.apply(entry.mode, is_folder));
        Attributes { uid, gid, mode, mtime: (self.target.time, 0), xattrs }
    }

    /// Copies a file's bytes, and corrects its digest if they are not those of the plan.
    fn file(&mut self, at: &Path, from: &Path, entry: &mut Entry) -> Result<()> {
        if entry.stamp.size == 0 && entry.kind == (Kind::File { content: Some(Digest::of(b"")) }) {
            // Also for a socket, which cannot be opened.
            return self.bytes(at, b"", entry);
        }
        let tree = self.plan.tree;
        let (mut source, stamp) = open_file(tree, from)?;
        let xattrs = Attributes::read(source.as_fd()).map_err(Error::io("examine", from))?.xattrs;
        let wanted = self.wanted(entry, copied_attributes(xattrs));
        let mut made = self.create(at)?;
        let blocks = fstat(&source).map_err(Error::io("examine", from))?.st_blocks.cast_unsigned();
        let mut how = Copying { buffer: &mut self.buffer, cancel: self.target.cancel };
        data::copy(&mut source, &mut made, stamp.size, blocks, &mut how).map_err(Error::io("copy", from))?;
        self.check_cancelled()?;
        let after = Stamp::of(&fstat(&source).map_err(Error::io("examine", from))?);
        if !tree.is_immutable() && (stamp != entry.stamp || after != stamp) {
            made.rewind().map_err(Error::io("read", shown(at)))?;
            let digest = digest_of(&mut made, at, &mut self.buffer, self.target.cancel)?;
            entry.kind = Kind::File { content: Some(digest) };
        }
        self.attribute(&made, at, &wanted)
    }

    fn text(&mut self, at: &Path, content: &[u8]) -> Result<()> {
        self.bytes(at, content, &text_entry(content))
    }

    /// A file that is in no tree, from where it is read to its end.
    pub(crate) fn other_file(&mut self, at: &Path, from: &mut File, mode: u32) -> Result<()> {
        let wanted = self.wanted(&Entry { mode, ..text_entry(b"") }, Vec::new());
        let mut made = self.create(at)?;
        let mut how = Copying { buffer: &mut self.buffer, cancel: self.target.cancel };
        data::copy(from, &mut made, u64::MAX, u64::MAX, &mut how).map_err(Error::io("write", shown(at)))?;
        self.check_cancelled()?;
        self.attribute(&made, at, &wanted)
    }

    fn bytes(&mut self, at: &Path, content: &[u8], entry: &Entry) -> Result<()> {
        let wanted = self.wanted(entry, Vec::new());
        let mut made = self.create(at)?;
        made.write_all(content).map_err(Error::io("write", shown(at)))?;
        self.attribute(&made, at, &wanted)
    }

    /// Last of all, for writing takes the setuid bit away and changes the time.
    fn attribute(&mut self, file: &File, at: &Path, wanted: &Attributes) -> Result<()> {
        let name = at.as_os_str().as_encoded_bytes();
        self.attributes.write(file.as_fd(), name, wanted, None).map_err(Error::fault(at))
    }

    /// A new file, open for writing, in place of whatever is there. Nobody else may read it before it is whole.
    fn create(&mut self, at: &Path) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = self.make(at, |folder, name| openat(folder, name, flags, Mode::from_raw_mode(0o600)))?;
        Ok(File::from(file))
    }

    fn hard_link(&mut self, to: &Path, at: &Path) -> Result<()> {
        let source = self.folders.open(to.parent().unwrap_or(Path::new("")))?;
        let source_name = to.file_name().unwrap_or_default();
        self.make(at, |folder, name| linkat(&*source, source_name, folder, name, AtFlags::empty()))
    }

    fn symlink(&mut self, at: &Path, target: &[u8], entry: &Entry) -> Result<()> {
        self.make(at, |folder, name| symlinkat(target, folder, name))?;
        self.attribute_at(at, entry, false)
    }

    /// A device or named pipe.
    fn node(&mut self, at: &Path, kind: FileType, device: Dev, entry: &Entry) -> Result<()> {
        if (kind, device) == (FileType::CharacterDevice, makedev(0, 0)) {
            let why = "a character device 0:0 would hide what is below it (overlayfs)".to_owned();
            return Err(Error::Unsuitable { what: shown(at), why });
        }
        let mode = Mode::from_raw_mode(self.wanted(entry, Vec::new()).mode & 0o777);
        match self.make(at, |folder, name| mknodat(folder, name, kind, mode, device)) {
            Err(Error::Io { source, .. }) if source.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
                self.note(format!("{} was left out: a user namespace cannot make devices", shown(at)));
                Ok(())
            }
            Err(error) => Err(error),
            Ok(()) => self.attribute_at(at, entry, true),
        }
    }

    fn attribute_at(&mut self, at: &Path, entry: &Entry, has_mode: bool) -> Result<()> {
        let wanted = self.wanted(entry, Vec::new());
        let folder = self.folders.open(at.parent().unwrap_or(Path::new("")))?;
        let (file, name) = (at.file_name().unwrap_or_default(), at.as_os_str().as_encoded_bytes());
        self.attributes.write_at(folder.as_fd(), file, name, &wanted, has_mode).map_err(Error::fault(at))
    }

    /// Makes something in its folder. A file in its place is removed; a folder is not.
    fn make<T>(&mut self, at: &Path, create: impl Fn(&OwnedFd, &OsStr) -> Result<T, Errno>) -> Result<T> {
        let folder = self.folders.open(at.parent().unwrap_or(Path::new("")))?;
        let name = at.file_name().unwrap_or_default();
        let failed = || Error::io("create", shown(at));
        match create(&folder, name) {
            Err(Errno::EXIST) if is_folder(self.target.root, at)? => Err(Error::FolderInTheWay(shown(at))),
            Err(Errno::EXIST) => {
                unlinkat(&*folder, name, AtFlags::empty()).map_err(Error::io("replace", shown(at)))?;
                create(&folder, name).map_err(failed())
            }
            result => result.map_err(failed()),
        }
    }
}
