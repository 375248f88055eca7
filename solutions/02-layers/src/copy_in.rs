//! From an archive into files that are in use: `cp` into a container, and out of one into a folder of the host.
//!
//! Three things are unlike the unpacking of a layer. A folder never takes the place of something else, nor something else
//! that of a folder, unless that is wanted. What is there stays as it is, but for what the archive brings: the folder that it is
//! unpacked in keeps its owner and mode. And something may be mounted there, which is not to be removed: whoever is not in the
//! same mount namespace could (mount_namespaces(7)), and would unmount it.

use std::ffi::OsStr;
use std::io::{BufReader, Read};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxFlags, openat, statat, statx, unlinkat};
use rustix::io::Errno;

use crate::beneath;
use crate::entry::{Archive, Entry, Kind};
use crate::error::{Error, Fault, Refusal, Result};
use crate::place::{Place, names};
use crate::unpack::{Limits, Options, Unpacker, Whiteouts};

/// How an archive is copied in.
#[derive(Debug, Clone, Copy)]
pub struct CopyIn<'a> {
    /// The folder that it is unpacked in, beneath the root.
    pub at: &'a Path,
    /// What the first part of its names becomes. None as the old one: all of it goes beneath the new one.
    pub rename: Option<(Option<&'a OsStr>, &'a OsStr)>,
    /// Whether a folder may take the place of something else, and something else that of a folder.
    pub replaces: bool,
    pub owner: Owner,
}

/// Who everything is to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Whom the archive names.
    OfArchive,
    /// Who copies.
    Me,
    /// This user and group.
    Given(u32, u32),
}

impl Owner {
    fn ids(self) -> Option<(u32, u32)> {
        match self {
            Owner::OfArchive => None,
            Owner::Me => Some((rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())),
            Owner::Given(uid, gid) => Some((uid, gid)),
        }
    }
}

/// Unpacks an archive, which may be compressed, beneath `root`, and reads the stream to its end. Returns what could not be taken
/// along, a line each.
///
/// # Errors
/// [`Error::Clash`], or an entry that reaches out of the root or cannot be written. Part of the archive is copied then.
pub fn copy_in(from: &mut (dyn Read + Send), root: BorrowedFd<'_>, copy: &CopyIn<'_>) -> Result<Vec<String>> {
    let stream = BufReader::with_capacity(64 << 10, crate::archive::inflate(from)?);
    // Whose disk it is also says what is copied to it.
    let limits = Limits { bytes: u64::MAX, entries: u64::MAX };
    let options = Options { layer: "", whiteouts: Whiteouts::Keep, limits, owner: None };
    let mut archive = Archive::new(stream, limits);
    let mut unpacker = Unpacker::new(root, &options).into_use(InUse { replaces: copy.replaces });
    loop {
        let step = match archive.next() {
            Ok(Some(entry)) => match copy.entry(entry) {
                Ok(Some(entry)) => unpacker.entry(&entry, &mut archive),
                Ok(None) => Ok(()),
                Err(refusal) => Err(refusal.into()),
            },
            Ok(None) => break,
            Err(fault) => Err(fault),
        };
        step.map_err(|fault| copy.explain(fault, archive.name()))?;
    }
    let unpacked = unpacker.finish("");
    unpacked.map(|unpacked| unpacked.notes).map_err(reworded)
}

impl CopyIn<'_> {
    /// The entry as it is wanted; None for the folder that it is unpacked in.
    fn entry(&self, mut entry: Entry) -> Result<Option<Entry>, Refusal> {
        let name = self.renamed(beneath::relative(&entry.name)?);
        if name.as_os_str().is_empty() {
            return Ok(None);
        }
        entry.name = self.at.join(name).into_os_string().into_vec();
        if entry.kind == Kind::HardLink {
            let target = beneath::relative(&entry.link);
            let target = target.map_err(|_| Refusal::HardLinkOut(String::from_utf8_lossy(&entry.link).into_owned()))?;
            entry.link = self.at.join(self.renamed(target)).into_os_string().into_vec();
        }
        (entry.uid, entry.gid) = self.owner.ids().unwrap_or((entry.uid, entry.gid));
        Ok(Some(entry))
    }

    fn renamed(&self, name: PathBuf) -> PathBuf {
        match self.rename {
            None => name,
            Some((None, new)) => Path::new(new).join(name),
            Some((Some(old), new)) => match name.strip_prefix(old) {
                Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from(new),
                Ok(rest) => Path::new(new).join(rest),
                Err(_) => name,
            },
        }
    }

    /// Docker's words where it has some.
    fn explain(&self, fault: Fault, name: &[u8]) -> Error {
        let clash = |is_folder| {
            let path = beneath::relative(name).map_or_else(|_| PathBuf::new(), |name| self.renamed(name));
            Error::Clash { is_folder, path: Path::new("/").join(self.at).join(path), at: Path::new("/").join(self.at) }
        };
        match fault {
            Fault::Refused(Refusal::FolderInTheWay) => clash(true),
            Fault::Refused(Refusal::NoFolderInTheWay) => clash(false),
            fault => reworded(fault.at("", name)),
        }
    }
}

/// An archive that is copied is no layer.
fn reworded(error: Error) -> Error {
    match error {
        Error::Refused { entry, why, .. } => Error::Copy { entry, why: why.to_string() },
        Error::Unpack { entry, step, source, .. } => {
            let text = source.to_string();
            // Without Rust's number at the end.
            let text = text.split(" (os error").next().unwrap_or_default().to_lowercase();
            Error::Copy { entry, why: format!("cannot {step} it: {text}") }
        }
        Error::Archive { problem, .. } => Error::Stream(std::io::Error::other(problem.to_string())),
        Error::Unreadable { source, .. } => Error::Stream(source),
        error => error,
    }
}

/// What is unpacked into is not ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InUse {
    replaces: bool,
}

impl InUse {
    /// Makes room for an entry of this kind.
    pub(crate) fn make_room(self, place: &Place<'_>, kind: Kind) -> Result<(), Fault> {
        let status = match statat(place.folder, place.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            status => status.map_err(Fault::step("examine"))?,
        };
        match (FileType::from_raw_mode(status.st_mode) == FileType::Directory, kind == Kind::Folder) {
            (true, true) => Ok(()),
            (true, false) if !self.replaces => Err(Refusal::FolderInTheWay.into()),
            (false, true) if !self.replaces => Err(Refusal::NoFolderInTheWay.into()),
            _ => remove(place.folder, place.name),
        }
    }
}

/// Removes what is there, and nothing that is mounted.
fn remove(folder: BorrowedFd<'_>, name: &OsStr) -> Result<(), Fault> {
    let failed = Fault::step::<Errno>;
    let mount_of = |name: &OsStr, flags| {
        statx(folder, name, flags | AtFlags::NO_AUTOMOUNT, StatxFlags::MNT_ID).map(|found| found.stx_mnt_id)
    };
    let here = mount_of(OsStr::from_bytes(b""), AtFlags::EMPTY_PATH).map_err(failed("examine"))?;
    match mount_of(name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(()),
        Ok(there) if there != here => return Err(failed("replace")(Errno::BUSY)),
        found => found.map_err(failed("examine"))?,
    };
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(failed("replace")(errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let inner = openat(folder, name, flags, Mode::empty()).map_err(failed("replace"))?;
    for name in names(inner.as_fd()).map_err(Fault::step("replace"))? {
        remove(inner.as_fd(), &name)?;
    }
    unlinkat(folder, name, AtFlags::REMOVEDIR).map_err(failed("replace"))
}
