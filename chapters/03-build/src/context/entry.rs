//! What is copied, and the digest that it is known by.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use layers::Digest;
use layers::digest::Hasher;
use rustix::fs::{Dev, Stat};

/// One file, folder or link that is to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From the folder whose content is copied; empty for a file that is named itself.
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// Permissions, setuid, setgid and sticky bit.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Which file it is, and when it was last touched: whether it is still the one that was hashed.
    pub(crate) stamp: Stamp,
}

impl Entry {
    /// Where it is, if its path begins here.
    pub(crate) fn below(&self, base: &Path) -> PathBuf {
        // Not `base.join("")`, which ends with a slash and so says that it is a folder.
        if self.path.as_os_str().is_empty() { base.to_path_buf() } else { base.join(&self.path) }
    }
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder {
        xattrs: Vec<(String, Vec<u8>)>,
    },
    /// The digest of its bytes and extended attributes, once it is known.
    File {
        content: Option<Digest>,
    },
    /// A further name of a file that comes before.
    HardLink {
        to: PathBuf,
    },
    Symlink {
        target: Vec<u8>,
    },
    Fifo,
    CharDevice(Dev),
    BlockDevice(Dev),
}

impl Kind {
    /// A letter for each, those of `ls -l`.
    fn letter(&self) -> &'static [u8] {
        match self {
            Self::Folder { .. } => b"d",
            Self::File { .. } => b"-",
            Self::HardLink { .. } => b"h",
            Self::Symlink { .. } => b"l",
            Self::Fifo => b"p",
            Self::CharDevice(_) => b"c",
            Self::BlockDevice(_) => b"b",
        }
    }

    /// What is in it: a file's bytes by their digest, where a link leads, the number of a device.
    fn content(&self) -> Vec<u8> {
        match self {
            Self::Folder { xattrs } => attributes_text(xattrs),
            Self::File { content } => content.map(|digest| digest.to_string().into_bytes()).unwrap_or_default(),
            Self::HardLink { to } => to.as_os_str().as_bytes().to_vec(),
            Self::Symlink { target } => target.clone(),
            Self::Fifo => Vec::new(),
            Self::CharDevice(device) | Self::BlockDevice(device) => device.to_string().into_bytes(),
        }
    }
}

/// What tells a file from what it was before: stat(2). A change of the content always changes one of them, if the clock
/// has gone on since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    /// Seconds and nanoseconds.
    pub(crate) modified: (i64, u32),
    /// When anything about it last changed: nobody can set it, as they can the time before.
    pub(crate) changed: (i64, u32),
}

impl Stamp {
    #[allow(clippy::unnecessary_cast, reason = "these types differ from machine to machine")]
    pub(crate) fn of(status: &Stat) -> Self {
        Self {
            device: status.st_dev as u64,
            inode: status.st_ino as u64,
            size: status.st_size as u64,
            modified: (status.st_mtime as i64, status.st_mtime_nsec as u32),
            changed: (status.st_ctime as i64, status.st_ctime_nsec as u32),
        }
    }
}

/// The digest of what is copied: the key under which a step that copies is remembered.
///
/// The entries come sorted by path. It is the same as long as what they would make is the same, wherever and whenever they were
/// checked out; so it covers of each entry, in this order,
///
/// * its path,
/// * what kind of file it is ([`Kind::letter`]),
/// * its mode, owner and group, as decimal numbers,
/// * what is in it ([`Kind::content`]),
///
/// and *not* its stamp: no time, no inode. Every field is hashed as its length, a space, and its bytes, so that the
/// files `ab` and `c` are not the files `a` and `bc`: [`field`] does that. A `Hasher` begins as `Hasher::default()`.
pub(crate) fn digest(entries: &[Entry]) -> Digest {
    // exercise: 3.6 digest: what a copy is known by, wherever and whenever its files were checked out
    todo!("exercise 3.6, digest: what a copy is known by, wherever and whenever its files were checked out")
    // end exercise
}

/// Hashes one field so that it is clear where it ends.
pub(crate) fn field(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(format!("{} ", bytes.len()).as_bytes());
    hasher.update(bytes);
}

/// The digest of a file: of its bytes, and where it has extended attributes, of those too.
pub(crate) fn file_digest(content: Digest, xattrs: &[(String, Vec<u8>)]) -> Digest {
    match xattrs {
        [] => content,
        xattrs => Digest::of(&[content.to_string().into_bytes(), attributes_text(xattrs)].concat()),
    }
}

fn attributes_text(xattrs: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in xattrs {
        text.extend_from_slice(format!("{} {name}{} ", name.len(), value.len()).as_bytes());
        text.extend_from_slice(value);
    }
    text
}

/// The extended attributes that are copied: what a program may do, and what users noted. Those of security modules and
/// access lists belong to the machine they are on.
pub(crate) fn copied_attributes(all: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    all.into_iter().filter(|(name, _)| name == "security.capability" || name.starts_with("user.")).collect()
}

/// A path as it is told to the user: from the root of the context.
pub(crate) fn shown(path: &Path) -> String {
    format!("/{}", path.display())
}
