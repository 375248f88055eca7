//! From a layer's archive to files.
//!
//! Entries are applied in the order they come. Two things wait for the end: the marks of whiteouts, which speak of the
//! layers below and never of what is in the same layer, and the attributes of folders, because every file made in one
//! changes its time, and a folder without write permission could not be filled.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timestamps, fstat, linkat, makedev, mkdirat, mknodat, openat, symlinkat, utimensat,
};
use rustix::io::Errno;

use crate::attributes::{Attributes, Writer, times};
use crate::beneath::{self, Missing};
use crate::copy_in::InUse;
use crate::entry::{Archive, Entry, Kind};
use crate::error::{Fault, Refusal, Result};
use crate::place::{Place, names};
use crate::sys;
use crate::whiteout::{self, Mark};

/// What an archive may unpack to: a few kilobytes can hold a bomb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the uncompressed archive, and of the holes in its sparse files.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
}

impl Default for Limits {
    /// Well above the largest images in use.
    fn default() -> Limits {
        Limits { bytes: 128 << 30, entries: 8_000_000 }
    }
}

/// What becomes of the whiteouts of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whiteouts {
    /// They become overlayfs's own marks: the root is one layer of a stack.
    Overlay,
    /// They remove what is there: the root already holds the layers below.
    Apply,
    /// Files named `.wh.x` are ordinary files: the archive is no layer.
    Keep,
}

/// How to unpack.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The name of the layer, for messages.
    pub layer: &'a str,
    pub whiteouts: Whiteouts,
    pub limits: Limits,
    /// Who everything is to belong to; None: to whom the archive says.
    pub owner: Option<(u32, u32)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Unpacked {
    /// What could not be taken along, a line each.
    pub notes: Vec<String>,
    /// Folders that files lie in and that have no entry of their own.
    pub implied: Vec<PathBuf>,
}

/// Whether an uncompressed stream is an archive: it begins with an entry.
pub fn is_archive(stream: impl BufRead) -> bool {
    // The first entry may have extensions ahead of it, which are held in memory.
    const BEGINNING: Limits = Limits { bytes: u64::MAX, entries: 8 };
    matches!(Archive::new(stream, BEGINNING).next(), Ok(Some(_)))
}

/// Unpacks an uncompressed tar beneath `root`, and reads the stream to its end.
///
/// # Errors
/// If an entry reaches out of the root, deceives, or cannot be written. Part of the archive is unpacked then.
pub fn unpack(archive: impl BufRead, root: BorrowedFd<'_>, options: &Options<'_>) -> Result<Unpacked> {
    let mut archive = Archive::new(archive, options.limits);
    let mut unpacker = Unpacker::new(root, options);
    loop {
        let step = match archive.next() {
            Ok(Some(mut entry)) => {
                (entry.uid, entry.gid) = options.owner.unwrap_or((entry.uid, entry.gid));
                unpacker.entry(&entry, &mut archive)
            }
            Ok(None) => break,
            Err(fault) => Err(fault),
        };
        step.map_err(|fault| fault.at(options.layer, archive.name()))?;
    }
    unpacker.finish(options.layer)
}

pub(crate) struct Unpacker<'a> {
    root: BorrowedFd<'a>,
    whiteouts: Whiteouts,
    attributes: Writer,
    /// The folder of the last entry: most have the same.
    parent: Option<(PathBuf, OwnedFd)>,
    /// What folders are to have in the end.
    folders: BTreeMap<PathBuf, Attributes>,
    implied: BTreeSet<PathBuf>,
    /// Unless the root is a layer of its own: the times of folders that were there before, which they keep.
    found: BTreeMap<PathBuf, Timestamps>,
    /// Whether they do.
    keeps_times: bool,
    in_use: Option<InUse>,
    /// Whiteouts and the folder they are in, for the end.
    marks: Vec<(PathBuf, Mark)>,
    /// With [`Whiteouts::Apply`]: what this archive itself made, which its whiteouts do not mean.
    made: BTreeSet<PathBuf>,
}

impl<'a> Unpacker<'a> {
    pub(crate) fn new(root: BorrowedFd<'a>, options: &Options<'_>) -> Self {
        let whiteouts = options.whiteouts;
        Unpacker {
            root,
            whiteouts,
            attributes: Writer::new(whiteouts != Whiteouts::Overlay),
            parent: None,
            folders: BTreeMap::new(),
            implied: BTreeSet::new(),
            found: BTreeMap::new(),
            keeps_times: whiteouts != Whiteouts::Overlay,
            in_use: None,
            marks: Vec::new(),
            made: BTreeSet::new(),
        }
    }

    /// What is unpacked into is in use. Its folders change with what is put into them, as for cp(1).
    pub(crate) fn into_use(self, in_use: InUse) -> Self {
        Self { in_use: Some(in_use), keeps_times: false, ..self }
    }

    pub(crate) fn entry<R: BufRead>(&mut self, entry: &Entry, archive: &mut Archive<R>) -> Result<(), Fault> {
        let path = beneath::relative(&entry.name)?;
        let Some(name) = path.file_name() else { return self.root(entry) };
        let folder = path.parent().unwrap_or(Path::new(""));
        if self.whiteouts != Whiteouts::Keep
            && let Some(mark) = Mark::parse(name)?
        {
            return self.mark(folder, mark);
        }
        let parent = self.open_parent(folder)?;
        let place = Place { folder: parent.as_fd(), name, path: &path };
        if let Some(in_use) = self.in_use {
            in_use.make_room(&place, entry.kind)?;
        }
        match entry.kind {
            Kind::File => self.file(&place, entry, archive),
            Kind::Folder => self.folder(&place, entry),
            Kind::Symlink => self.symlink(&place, entry),
            Kind::HardLink => self.hard_link(&place, entry),
            Kind::CharDevice | Kind::BlockDevice | Kind::Fifo => self.node(&place, entry),
        }?;
        self.parent = Some((folder.to_path_buf(), parent));
        if self.whiteouts == Whiteouts::Apply {
            self.made.insert(path);
        }
        Ok(())
    }

    /// The root is there already, and gets its attributes with the other folders.
    fn root(&mut self, entry: &Entry) -> Result<(), Fault> {
        if entry.kind != Kind::Folder {
            return Err(Refusal::RootNotFolder.into());
        }
        self.folders.insert(PathBuf::new(), Attributes::wanted(entry));
        Ok(())
    }

    /// The folder an entry goes into, made if it has no entry of its own.
    fn open_parent(&mut self, path: &Path) -> Result<OwnedFd, Fault> {
        match self.parent.take() {
            Some((known, folder)) if known == path => Ok(folder),
            _ => {
                if self.keeps_times {
                    self.note_times(path)?;
                }
                let found = beneath::folder(self.root, path, Missing::Create)?;
                self.implied.extend(found.made);
                Ok(found.folder)
            }
        }
    }

    /// The times of the folder that is about to change: this one, or the last on the way to it that is there.
    fn note_times(&mut self, path: &Path) -> Result<(), Fault> {
        for path in path.ancestors() {
            if self.found.contains_key(path) {
                return Ok(());
            }
            if let Some(folder) = self.open_existing(path)? {
                let status = fstat(&folder).map_err(Fault::step("examine"))?;
                self.found.insert(path.to_path_buf(), times(&status));
                return Ok(());
            }
        }
        Ok(())
    }

    fn file<R: BufRead>(&mut self, place: &Place<'_>, entry: &Entry, archive: &mut Archive<R>) -> Result<(), Fault> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Never setuid before it is whole and belongs to its owner.
        let born = Mode::from_raw_mode(entry.mode & 0o777);
        let file = self.make(place, || openat(place.folder, place.name, flags, born))?;
        let mut file = File::from(file);
        let written = |result: io::Result<()>| result.map_err(Fault::step("write"));
        match &entry.sparse {
            None => archive.copy(u64::MAX, |bytes| written(file.write_all(bytes)))?,
            Some(sparse) => {
                for (offset, length) in &sparse.parts {
                    file.seek(SeekFrom::Start(*offset)).map_err(Fault::step("write"))?;
                    archive.copy(*length, |bytes| written(file.write_all(bytes)))?;
                }
                written(file.set_len(sparse.size))?;
            }
        }
        self.attributes.write(file.as_fd(), &entry.name, &Attributes::wanted(entry), Some(entry.mode))
    }

    fn folder(&mut self, place: &Place<'_>, entry: &Entry) -> Result<(), Fault> {
        match mkdirat(place.folder, place.name, Mode::from_raw_mode(0o755)) {
            Ok(()) => {}
            Err(Errno::EXIST) if place.is_folder()? => {}
            Err(Errno::EXIST) => {
                self.clear(place)?;
                mkdirat(place.folder, place.name, Mode::from_raw_mode(0o755)).map_err(Fault::step("create"))?;
            }
            Err(errno) => return Err(Fault::Step("create", errno.into())),
        }
        self.folders.insert(place.path.to_path_buf(), Attributes::wanted(entry));
        Ok(())
    }

    /// A link may say anything: it is never followed here but beneath the root.
    fn symlink(&mut self, place: &Place<'_>, entry: &Entry) -> Result<(), Fault> {
        self.make(place, || symlinkat(entry.link.as_slice(), place.folder, place.name))?;
        self.attributes.write_at(place.folder, place.name, &entry.name, &Attributes::wanted(entry), false)
    }

    fn hard_link(&mut self, place: &Place<'_>, entry: &Entry) -> Result<(), Fault> {
        let text = || String::from_utf8_lossy(&entry.link).into_owned();
        let target = beneath::relative(&entry.link).map_err(|_| Refusal::HardLinkOut(text()))?;
        let name = target.file_name().ok_or_else(|| Refusal::HardLinkFolder(text()))?;
        let folder = beneath::folder(self.root, target.parent().unwrap_or(Path::new("")), Missing::Fail);
        let folder = folder.map_err(|fault| match fault {
            Fault::Step(_, source) if source.kind() == io::ErrorKind::NotFound => {
                Refusal::HardLinkMissing(text()).into()
            }
            Fault::Refused(Refusal::ParentClimbs(_)) => Refusal::HardLinkOut(text()).into(),
            fault => fault,
        })?;
        let target = Place { folder: folder.folder.as_fd(), name, path: &target };
        if place.is_same_as(&target) {
            return Ok(());
        }
        let link = || linkat(target.folder, name, place.folder, place.name, AtFlags::empty());
        self.make(place, link).map_err(|fault| match fault {
            Fault::Step(_, source) if source.kind() == io::ErrorKind::NotFound => {
                Refusal::HardLinkMissing(text()).into()
            }
            Fault::Step(..) if target.is_folder().unwrap_or(false) => Refusal::HardLinkFolder(text()).into(),
            fault => fault,
        })
    }

    /// A device or named pipe.
    fn node(&mut self, place: &Place<'_>, entry: &Entry) -> Result<(), Fault> {
        let (major, minor) = entry.device;
        let kind = match entry.kind {
            Kind::CharDevice => FileType::CharacterDevice,
            Kind::BlockDevice => FileType::BlockDevice,
            _ => FileType::Fifo,
        };
        if (kind, entry.device) == (FileType::CharacterDevice, (0, 0)) && self.whiteouts != Whiteouts::Keep {
            return Err(Refusal::DisguisedWhiteout.into());
        }
        // The kernel keeps 12 bits and 20 bits, and would cut off the rest (linux/kdev_t.h).
        if major >= 1 << 12 || minor >= 1 << 20 {
            return Err(Refusal::BadDevice { major, minor }.into());
        }
        let device = makedev(major as u32, minor as u32);
        let mode = Mode::from_raw_mode(entry.mode & 0o777);
        match self.make(place, || mknodat(place.folder, place.name, kind, mode, device)) {
            Err(Fault::Step(_, source)) if source.raw_os_error() == Some(libc::EPERM) && sys::in_user_namespace() => {
                let name = String::from_utf8_lossy(&entry.name);
                self.attributes.note(format!("{name} was left out: a user namespace cannot make devices"));
                Ok(())
            }
            Err(fault) => Err(fault),
            Ok(()) => self.attributes.write_at(place.folder, place.name, &entry.name, &Attributes::wanted(entry), true),
        }
    }

    /// Makes a file, in place of what is there. The last entry of a name counts.
    fn make<T>(&mut self, place: &Place<'_>, create: impl Fn() -> Result<T, Errno>) -> Result<T, Fault> {
        match create() {
            Err(Errno::EXIST) => {
                self.clear(place)?;
                create().map_err(Fault::step("create"))
            }
            result => result.map_err(Fault::step("create")),
        }
    }

    fn clear(&mut self, place: &Place<'_>) -> Result<(), Fault> {
        self.folders.remove(place.path);
        self.implied.remove(place.path);
        place.remove()
    }

    fn mark(&mut self, folder: &Path, mark: Mark) -> Result<(), Fault> {
        match (self.whiteouts, mark) {
            (_, Mark::Reserved) => Ok(()),
            (Whiteouts::Overlay, mark) => {
                // Where whiteouts are is checked now, so that the error names the entry.
                let parent = self.open_parent(folder)?;
                self.parent = Some((folder.to_path_buf(), parent));
                self.marks.push((folder.to_path_buf(), mark));
                Ok(())
            }
            (_, Mark::Hides(name)) => {
                let parent = self.open_parent(folder)?;
                self.remove_older(&Place { folder: parent.as_fd(), name: &name, path: &folder.join(&name) })
            }
            (_, Mark::Opaque) => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let parent = openat(self.open_parent(folder)?, c".", flags, Mode::empty());
                self.remove_older_in(parent.map_err(Fault::step("open"))?.as_fd(), folder)
            }
        }
    }

    /// Removes what the layers below brought, and leaves what this one did.
    fn remove_older(&mut self, place: &Place<'_>) -> Result<(), Fault> {
        let newer = self.made.range(place.path.to_path_buf()..).next().is_some_and(|next| next.starts_with(place.path));
        if !newer {
            return self.clear(place);
        }
        if !place.is_folder()? {
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(place.folder, place.name, flags, Mode::empty()).map_err(Fault::step("open"))?;
        self.remove_older_in(folder.as_fd(), place.path)
    }

    fn remove_older_in(&mut self, folder: BorrowedFd<'_>, path: &Path) -> Result<(), Fault> {
        for name in names(folder).map_err(Fault::step("read"))? {
            self.remove_older(&Place { folder, name: &name, path: &path.join(&name) })?;
        }
        Ok(())
    }

    /// Whiteouts, then the attributes of folders, deepest first.
    pub(crate) fn finish(mut self, layer: &str) -> Result<Unpacked> {
        for (folder, mark) in std::mem::take(&mut self.marks) {
            self.set_mark(&folder, &mark).map_err(|fault| fault.at(layer, folder.as_os_str().as_bytes()))?;
        }
        for (path, times) in std::mem::take(&mut self.found) {
            self.set_times(&path, &times).map_err(|fault| fault.at(layer, path.as_os_str().as_bytes()))?;
        }
        for (path, wanted) in std::mem::take(&mut self.folders).into_iter().rev() {
            self.implied.remove(&path);
            let name = path.as_os_str().as_bytes();
            self.finish_folder(&path, &wanted).map_err(|fault| fault.at(layer, name))?;
        }
        Ok(Unpacked { notes: self.attributes.into_notes(), implied: self.implied.into_iter().collect() })
    }

    fn set_mark(&mut self, path: &Path, mark: &Mark) -> Result<(), Fault> {
        let Some(folder) = self.open_existing(path)? else { return Ok(()) };
        whiteout::leave_mark(folder.as_fd(), mark)?;
        self.parent = Some((path.to_path_buf(), folder));
        Ok(())
    }

    fn set_times(&mut self, path: &Path, times: &Timestamps) -> Result<(), Fault> {
        let Some(folder) = self.open_existing(path)? else { return Ok(()) };
        // Of what was opened with O_PATH, futimens(2) will not hear; "." in it is the same folder.
        utimensat(&folder, c".", times, AtFlags::empty()).map_err(Fault::step("set the time"))?;
        self.parent = Some((path.to_path_buf(), folder));
        Ok(())
    }

    fn finish_folder(&mut self, path: &Path, wanted: &Attributes) -> Result<(), Fault> {
        let above = path.parent().unwrap_or(Path::new(""));
        let Some(parent) = self.open_existing(above)? else { return Ok(()) };
        let name = path.file_name().unwrap_or(OsStr::new("."));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&parent, name, flags, Mode::empty()) {
            Ok(folder) => self.attributes.write(folder.as_fd(), path.as_os_str().as_bytes(), wanted, None)?,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(errno) => return Err(Fault::Step("open", errno.into())),
        }
        self.parent = Some((above.to_path_buf(), parent));
        Ok(())
    }

    /// A folder that an entry made, unless a later entry took its place.
    fn open_existing(&mut self, path: &Path) -> Result<Option<OwnedFd>, Fault> {
        match self.parent.take() {
            Some((known, folder)) if known == path => return Ok(Some(folder)),
            _ => {}
        }
        match beneath::folder(self.root, path, Missing::Fail) {
            Ok(found) => Ok(Some(found.folder)),
            Err(Fault::Refused(_)) => Ok(None),
            Err(Fault::Step(_, source)) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
