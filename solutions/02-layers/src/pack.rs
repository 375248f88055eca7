//! From files to an archive: the same files give the same bytes.
//!
//! Entries are sorted, times are whole seconds, users and groups are numbers, and what a file does not have is not
//! mentioned. Sockets are left out: what they are the door of is gone.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, major, minor, openat, openat2, readlinkat, statat,
};
use rustix::io::Errno;

use crate::attributes::Attributes;
use crate::error::{Error, Result};
use crate::pax;
pub use crate::place::names;
use crate::unpack::Whiteouts;
use crate::whiteout::{self, OPAQUE, PREFIX};

/// Writes all that is beneath `root` as an uncompressed tar. With [`Whiteouts::Overlay`] the marks of overlayfs become
/// whiteouts of a layer; otherwise the files are taken as they are. Returns what could not be taken along, a line each.
///
/// # Errors
/// If a file cannot be read or the archive not be written.
pub fn pack(root: BorrowedFd<'_>, whiteouts: Whiteouts, to: &mut dyn Write) -> Result<Vec<String>> {
    let mut packer = Packer::new(root, whiteouts, to);
    let mut walk = Walk::new(root)?;
    while let Some((path, status)) = walk.next()? {
        packer.entry(&path, &status)?;
    }
    packer.finish()
}

/// An archive that is made entry by entry: for whoever takes only some of the files.
pub struct Packer<'a> {
    root: BorrowedFd<'a>,
    whiteouts: Whiteouts,
    to: &'a mut dyn Write,
    /// What the archive calls a path and all beneath it, where that is another name.
    called: Option<(PathBuf, PathBuf)>,
    /// The first name of each file that has several.
    links: HashMap<(u64, u64), PathBuf>,
    notes: Vec<String>,
}

impl<'a> Packer<'a> {
    /// Of files beneath `root`; see [`pack`].
    pub fn new(root: BorrowedFd<'a>, whiteouts: Whiteouts, to: &'a mut dyn Write) -> Self {
        Self { root, whiteouts, to, called: None, links: HashMap::new(), notes: Vec::new() }
    }

    /// In the archive `path`, and all beneath it, goes by this name.
    pub(crate) fn calling(self, path: &Path, name: &Path) -> Self {
        Self { called: Some((path.to_path_buf(), name.to_path_buf())), ..self }
    }

    /// The name of a path in the archive.
    fn name_of(&self, path: &Path) -> PathBuf {
        match &self.called {
            Some((known, name)) => match path.strip_prefix(known) {
                Ok(rest) if rest.as_os_str().is_empty() => name.clone(),
                Ok(rest) => name.join(rest),
                Err(_) => path.to_path_buf(),
            },
            None => path.to_path_buf(),
        }
    }

    /// Adds what is at this path, which goes through no link; of a folder, not what is in it.
    ///
    /// # Errors
    /// If it cannot be read or the archive not be written.
    pub fn path(&mut self, path: &Path) -> Result<()> {
        let file = open(self.root, path, OFlags::PATH).map_err(failed("open", path))?;
        let status = statat(file, c"", AtFlags::EMPTY_PATH).map_err(failed("examine", path))?;
        self.entry(path, &status)
    }

    /// Adds a file that is not on disk.
    ///
    /// # Errors
    /// If the archive cannot be written.
    pub fn text(&mut self, name: &str, text: &[u8]) -> Result<()> {
        let name = name.as_bytes().to_vec();
        let size = text.len() as u64;
        self.write(&Header { name, mode: 0o644, size, ..Header::default() }.encode())?;
        self.write(text)?;
        self.zeros(size.next_multiple_of(512) - size)
    }

    /// Ends the archive. Returns what could not be taken along, a line each.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<Vec<String>> {
        // Two empty blocks.
        self.write(&[0; 1024])?;
        Ok(self.notes)
    }

    pub(crate) fn entry(&mut self, path: &Path, status: &Stat) -> Result<()> {
        let name = path.file_name().unwrap_or_default();
        let layer = self.whiteouts == Whiteouts::Overlay;
        if layer && is_whiteout(status) {
            let mut hidden = PREFIX.to_vec();
            hidden.extend_from_slice(name.as_bytes());
            return self.mark(&path.with_file_name(std::ffi::OsStr::from_bytes(&hidden)));
        }
        if layer && name.as_bytes().starts_with(PREFIX) {
            self.notes.push(format!("{} was left out: in a layer this name would hide another", path.display()));
            return Ok(());
        }
        let mut header = Header::new(&self.name_of(path), status);
        match FileType::from_raw_mode(status.st_mode) {
            FileType::RegularFile => return self.file(path),
            FileType::Directory => return self.folder(header, path),
            FileType::Symlink => {
                header.kind = b'2';
                header.link = self.read_link(path)?;
            }
            FileType::CharacterDevice => header.kind = b'3',
            FileType::BlockDevice => header.kind = b'4',
            FileType::Fifo => header.kind = b'6',
            _ => {
                self.notes.push(format!("{} was left out: a socket is no part of an image", path.display()));
                return Ok(());
            }
        }
        if status.st_nlink > 1 && self.is_link(&mut header, path, status) {
            return self.write(&header.encode());
        }
        self.write(&header.encode())
    }

    /// Whether this is a further name of a file that is in the archive already: it then becomes a hard link.
    fn is_link(&mut self, header: &mut Header, path: &Path, status: &Stat) -> bool {
        match self.links.get(&(status.st_dev, status.st_ino)) {
            Some(first) => {
                (header.kind, header.size) = (b'1', 0);
                header.link = first.as_os_str().as_bytes().to_vec();
                true
            }
            None => {
                self.links.insert((status.st_dev, status.st_ino), self.name_of(path));
                false
            }
        }
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let Some((file, status)) = regular(self.root, path).map_err(failed("open", path))? else {
            self.notes.push(format!("{} was left out: it became something else", path.display()));
            return Ok(());
        };
        let mut header = Header::new(&self.name_of(path), &status);
        if status.st_nlink > 1 && self.is_link(&mut header, path, &status) {
            return self.write(&header.encode());
        }
        header.xattrs = Attributes::read(file.as_fd()).map_err(failed("examine", path))?.xattrs;
        header.size = status.st_size.cast_unsigned();
        self.write(&header.encode())?;

        // Exactly as much as the header says, also if somebody writes to the file meanwhile.
        let mut left = header.size;
        let mut file = File::from(file).take(left);
        let mut buffer = vec![0; usize::try_from(left.clamp(512, 128 * 1024)).unwrap_or(512)];
        while left > 0 {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    self.write(&buffer[..count])?;
                    left -= count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", path)(error)),
            }
        }
        if left > 0 {
            self.notes.push(format!("{} shrank while it was read; it was filled up with zeros", path.display()));
        }
        self.zeros(left + (header.size.next_multiple_of(512) - header.size))
    }

    fn folder(&mut self, mut header: Header, path: &Path) -> Result<()> {
        let folder = open(self.root, path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(failed("open", path))?;
        header.kind = b'5';
        // The root of all is called that already.
        if header.name != b"/" {
            header.name.push(b'/');
        }
        header.xattrs = Attributes::read(folder.as_fd()).map_err(failed("examine", path))?.xattrs;
        self.write(&header.encode())?;
        match self.whiteouts == Whiteouts::Overlay && whiteout::is_opaque(&folder) {
            true => self.mark(&path.join(OPAQUE)),
            false => Ok(()),
        }
    }

    /// A whiteout: an empty file whose name says it all.
    fn mark(&mut self, path: &Path) -> Result<()> {
        let header = Header { name: path.as_os_str().as_bytes().to_vec(), mode: 0o600, ..Header::default() };
        self.write(&header.encode())
    }

    fn read_link(&self, path: &Path) -> Result<Vec<u8>> {
        let link = open(self.root, path, OFlags::PATH).map_err(failed("open", path))?;
        Ok(readlinkat(link, c"", Vec::new()).map_err(failed("read", path))?.into_bytes())
    }

    fn zeros(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            let step = count.min(4096);
            self.write(&[0; 4096][..step as usize])?;
            count -= step;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(Error::io("write", "the archive"))
    }
}

/// The header of an entry: POSIX ustar, and PAX records for what does not fit.
#[derive(Default)]
struct Header {
    /// 0 is an ordinary file.
    kind: u8,
    name: Vec<u8>,
    link: Vec<u8>,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    mtime: i64,
    device: (u32, u32),
    xattrs: Vec<(String, Vec<u8>)>,
}

impl Header {
    fn new(path: &Path, status: &Stat) -> Header {
        Header {
            name: path.as_os_str().as_bytes().to_vec(),
            mode: status.st_mode & 0o7777,
            uid: status.st_uid,
            gid: status.st_gid,
            mtime: status.st_mtime,
            device: (major(status.st_rdev), minor(status.st_rdev)),
            ..Header::default()
        }
    }

    /// The blocks of the header.
    fn encode(&self) -> Vec<u8> {
        let mut records = Vec::new();
        let mut block = tar::Header::new_ustar();
        if let Some(ustar) = block.as_ustar_mut() {
            text(&mut ustar.name, "path", &self.name, &mut records);
            text(&mut ustar.linkname, "linkpath", &self.link, &mut records);
            octal(&mut ustar.mode, "mode", i64::from(self.mode), &mut records);
            octal(&mut ustar.uid, "uid", i64::from(self.uid), &mut records);
            octal(&mut ustar.gid, "gid", i64::from(self.gid), &mut records);
            octal(&mut ustar.size, "size", self.size.cast_signed(), &mut records);
            octal(&mut ustar.mtime, "mtime", self.mtime, &mut records);
            ustar.typeflag = [if self.kind == 0 { b'0' } else { self.kind }];
            if matches!(self.kind, b'3' | b'4') {
                // At most 20 bits: always fits.
                octal(&mut ustar.dev_major, "SCHILY.devmajor", i64::from(self.device.0), &mut records);
                octal(&mut ustar.dev_minor, "SCHILY.devminor", i64::from(self.device.1), &mut records);
            }
        }
        block.set_cksum();
        for (name, value) in &self.xattrs {
            pax::push(&mut records, format!("SCHILY.xattr.{name}").as_bytes(), value);
        }
        if records.is_empty() {
            return block.as_bytes().to_vec();
        }
        let mut blocks = extension(&records);
        blocks.extend_from_slice(block.as_bytes());
        blocks
    }
}

/// An extended header, which speaks of the entry after it.
fn extension(records: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    if let Some(ustar) = header.as_ustar_mut() {
        ustar.name[..11].copy_from_slice(b"PaxHeader/0");
        ustar.typeflag = [b'x'];
    }
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(records.len() as u64);
    header.set_cksum();
    let mut blocks = header.as_bytes().to_vec();
    blocks.extend_from_slice(records);
    blocks.resize(blocks.len().next_multiple_of(512), 0);
    blocks
}

/// A text in its field, or, where it is too long or not ASCII, in a record as well.
fn text(field: &mut [u8], key: &str, value: &[u8], records: &mut Vec<u8>) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
    if value.len() > field.len() {
        pax::push(records, key.as_bytes(), value);
    }
}

/// A number in octal digits, or, where they do not suffice, in a record.
fn octal(field: &mut [u8], key: &str, value: i64, records: &mut Vec<u8>) {
    let digits = field.len() - 1;
    let mut text = format!("{value:0digits$o}");
    if value < 0 || text.len() > digits {
        pax::push(records, key.as_bytes(), value.to_string().as_bytes());
        text = "0".repeat(digits);
    }
    field[..digits].copy_from_slice(text.as_bytes());
}

/// Goes through all that is beneath a folder: sorted, a folder before what is in it. It opens each folder from the
/// root, so that neither the stack nor the number of open files grows with the depth.
pub(crate) struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// Still to visit, the next last.
    ahead: Vec<PathBuf>,
    passes_over: Option<PassesOver<'a>>,
}

/// Whether an open folder is to be taken as empty.
pub(crate) type PassesOver<'a> = &'a dyn Fn(BorrowedFd<'_>) -> bool;

impl<'a> Walk<'a> {
    pub(crate) fn new(root: BorrowedFd<'a>) -> Result<Walk<'a>> {
        let mut walk = Walk { root, ahead: Vec::new(), passes_over: None };
        walk.descend(Path::new(""))?;
        Ok(walk)
    }

    /// Of this path, itself first; folders that `passes_over` says so of are taken as empty.
    pub(crate) fn of(root: BorrowedFd<'a>, path: &Path, passes_over: Option<PassesOver<'a>>) -> Walk<'a> {
        Walk { root, ahead: vec![path.to_path_buf()], passes_over }
    }

    pub(crate) fn next(&mut self) -> Result<Option<(PathBuf, Stat)>> {
        while let Some(path) = self.ahead.pop() {
            let status = match open(self.root, &path, OFlags::PATH) {
                Err(errno) if is_gone(errno) => continue,
                result => {
                    result.and_then(|file| statat(file, c"", AtFlags::EMPTY_PATH)).map_err(failed("examine", &path))?
                }
            };
            if FileType::from_raw_mode(status.st_mode) == FileType::Directory {
                self.descend(&path)?;
            }
            return Ok(Some((path, status)));
        }
        Ok(None)
    }

    fn descend(&mut self, path: &Path) -> Result<()> {
        let folder = match open(self.root, path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(errno) if is_gone(errno) => return Ok(()),
            folder => folder.map_err(failed("open", path))?,
        };
        if self.passes_over.is_some_and(|passes_over| passes_over(folder.as_fd())) {
            return Ok(());
        }
        let mut names = names(folder.as_fd()).map_err(Error::io("read", path))?;
        names.sort_unstable_by(|one, other| other.cmp(one));
        self.ahead.extend(names.into_iter().map(|name| path.join(name)));
        Ok(())
    }
}

/// What was found a moment ago is not there any more, or a link is in its place: whoever still writes here did that.
pub(crate) fn is_gone(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

/// Opens a file for reading, if it is an ordinary one. To open a device may do something, and to read one may tell what is
/// nobody's business here; and a file may become one at any moment. So what was found is held (`O_PATH` opens nothing), looked at,
/// and opened anew through /proc (proc_pid_fd(5)): that is the very same file.
fn regular(root: BorrowedFd<'_>, path: &Path) -> Result<Option<(OwnedFd, Stat)>, Errno> {
    let found = open(root, path, OFlags::PATH)?;
    let status = fstat(&found)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let file =
        openat(CWD, format!("/proc/self/fd/{}", found.as_raw_fd()), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(Some((file, status)))
}

/// Opens a path beneath the root, through no link: whoever writes here may be hostile.
///
/// # Errors
/// The kernel's own, `ELOOP` for a link on the way.
pub fn open(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    openat2(root, path, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty(), resolve)
}

/// Whether this is how overlayfs says that something is hidden.
pub(crate) fn is_whiteout(status: &Stat) -> bool {
    FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice && status.st_rdev == 0
}

pub(crate) fn failed(step: &'static str, path: &Path) -> impl FnOnce(Errno) -> Error {
    let path = path.to_path_buf();
    move |errno| Error::Io { step, path, source: errno.into() }
}
