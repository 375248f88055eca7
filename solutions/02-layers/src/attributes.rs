//! What a file has besides its name and content: owner, mode, time, extended attributes.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{
    AtFlags, CWD, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod, fchown, fgetxattr,
    flistxattr, fsetxattr, fstat, futimens, lsetxattr, openat, utimensat,
};
use rustix::io::Errno;

use crate::entry::Entry;
use crate::error::Fault;
use crate::sys;
use crate::whiteout::is_overlay_attribute;

/// Owner, mode, time and extended attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    /// Seconds and nanoseconds.
    pub mtime: (i64, u32),
    pub xattrs: Vec<(String, Vec<u8>)>,
}

impl Attributes {
    /// Those an entry of an archive asks for.
    pub(crate) fn wanted(entry: &Entry) -> Attributes {
        let xattrs = entry.xattrs.clone();
        Attributes { uid: entry.uid, gid: entry.gid, mode: entry.mode, mtime: entry.mtime, xattrs }
    }

    /// Those of an open file or folder.
    ///
    /// # Errors
    /// The kernel's own.
    pub fn read(file: BorrowedFd<'_>) -> Result<Attributes, Errno> {
        let status = fstat(file)?;
        Ok(Attributes {
            uid: status.st_uid,
            gid: status.st_gid,
            mode: status.st_mode & 0o7777,
            mtime: (status.st_mtime, status.st_mtime_nsec as u32),
            xattrs: xattrs(file)?,
        })
    }

    fn times(&self) -> Timestamps {
        let time = Timespec { tv_sec: self.mtime.0, tv_nsec: self.mtime.1.into() };
        Timestamps { last_access: time, last_modification: time }
    }
}

/// When a file was last read and last written to.
#[allow(clippy::unnecessary_cast, reason = "these types differ from machine to machine")]
pub fn times(status: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: status.st_atime as i64, tv_nsec: status.st_atime_nsec as i64 },
        last_modification: Timespec { tv_sec: status.st_mtime as i64, tv_nsec: status.st_mtime_nsec as i64 },
    }
}

/// The extended attributes of an open file, without overlayfs's own, sorted by name.
fn xattrs(file: BorrowedFd<'_>) -> Result<Vec<(String, Vec<u8>)>, Errno> {
    const LARGEST: usize = 64 * 1024; // XATTR_SIZE_MAX and XATTR_LIST_MAX, linux/limits.h
    let mut names = vec![0; 1024];
    let length = match flistxattr(file, names.as_mut_slice()) {
        Ok(0) | Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Err(Errno::RANGE) => {
            names.resize(LARGEST, 0);
            flistxattr(file, names.as_mut_slice())?
        }
        result => result?,
    };
    let mut xattrs = Vec::new();
    let mut value = vec![0; LARGEST];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty() && !is_overlay_attribute(name))
    {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        match fgetxattr(file, name, value.as_mut_slice()) {
            Ok(length) => xattrs.push((name.to_string(), value[..length].to_vec())),
            // Gone since, or hidden from this user.
            Err(Errno::NODATA) => {}
            Err(errno) => return Err(errno),
        }
    }
    xattrs.sort();
    Ok(xattrs)
}

/// Gives files their attributes with no more system calls than they need, and keeps what could not be done.
pub struct Writer {
    /// New files belong to this process and are trimmed by its umask: only what differs needs a call.
    owner: (u32, u32),
    umask: u32,
    /// Folders that were there before may pass on their group (setgid).
    always_chown: bool,
    notes: Vec<String>,
    owner_noted: bool,
}

impl Writer {
    /// `always_chown`: files are made where they might not belong to who makes them.
    pub fn new(always_chown: bool) -> Writer {
        let owner = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Writer { owner, umask: sys::umask(), always_chown, notes: Vec::new(), owner_noted: false }
    }

    /// All that could not be done.
    pub fn into_notes(self) -> Vec<String> {
        self.notes
    }

    /// Notes something that could not be done; a hostile archive cannot fill the memory with it.
    pub fn note(&mut self, text: String) {
        const MOST: usize = 100;
        if self.notes.len() < MOST {
            self.notes.push(text);
        }
    }

    /// An open file or folder. The order matters: a change of owner clears setuid and capabilities.
    /// `born` is the mode it was created with, if it was.
    ///
    /// # Errors
    /// The step that failed.
    pub fn write(
        &mut self,
        file: BorrowedFd<'_>,
        name: &[u8],
        wanted: &Attributes,
        born: Option<u32>,
    ) -> Result<(), Fault> {
        let mut mode = wanted.mode;
        if self.always_chown || (wanted.uid, wanted.gid) != self.owner {
            let (uid, gid) = (Uid::from_raw(wanted.uid), Gid::from_raw(wanted.gid));
            if !self.owned(fchown(file, Some(uid), Some(gid)), name, wanted)? {
                mode &= !0o6000;
            }
        }
        if born.map(|born| born & 0o777 & !self.umask) != Some(mode) {
            fchmod(file, Mode::from_raw_mode(mode)).map_err(Fault::step("set the mode"))?;
        }
        for (key, value) in &wanted.xattrs {
            self.attribute(key, name, |key| fsetxattr(file, key, value, XattrFlags::empty()))?;
        }
        futimens(file, &wanted.times()).map_err(Fault::step("set the time"))
    }

    /// A link or special file, by name in its folder.
    ///
    /// # Errors
    /// The step that failed.
    pub fn write_at(
        &mut self,
        folder: BorrowedFd<'_>,
        file: &OsStr,
        name: &[u8],
        wanted: &Attributes,
        has_mode: bool,
    ) -> Result<(), Fault> {
        let mut mode = wanted.mode;
        if self.always_chown || (wanted.uid, wanted.gid) != self.owner {
            let (uid, gid) = (Uid::from_raw(wanted.uid), Gid::from_raw(wanted.gid));
            let result = chownat(folder, file, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW);
            if !self.owned(result, name, wanted)? {
                mode &= !0o6000;
            }
        }
        if has_mode && mode & (self.umask | 0o7000) != 0 {
            // What is there now may be a link of somebody else's, and chmod(2) would follow it: so what is there is held
            // (`O_PATH` opens nothing), and named by its descriptor.
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let held = openat(folder, file, flags, Mode::empty()).map_err(Fault::step("set the mode"))?;
            let name = format!("/proc/self/fd/{}", held.as_raw_fd());
            rustix::fs::chmodat(CWD, name, Mode::from_raw_mode(mode), AtFlags::empty())
                .map_err(Fault::step("set the mode"))?;
        }
        for (key, value) in &wanted.xattrs {
            let path = [format!("/proc/self/fd/{}/", folder.as_raw_fd()).as_bytes(), file.as_bytes()].concat();
            self.attribute(key, name, |key| lsetxattr(path.as_slice(), key, value, XattrFlags::empty()))?;
        }
        utimensat(folder, file, &wanted.times(), AtFlags::SYMLINK_NOFOLLOW).map_err(Fault::step("set the time"))
    }

    /// Whether the owner is as wanted. A user namespace may not know the id (`EINVAL`); the file then stays with its
    /// maker, and must not be setuid to them.
    fn owned(&mut self, result: Result<(), Errno>, name: &[u8], wanted: &Attributes) -> Result<bool, Fault> {
        match result {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::PERM) if sys::in_user_namespace() => {
                if !std::mem::replace(&mut self.owner_noted, true) {
                    let (name, uid, gid) = (String::from_utf8_lossy(name), wanted.uid, wanted.gid);
                    self.note(format!(
                        "{name} (and maybe others) cannot belong to {uid}:{gid}: this user namespace does not map the ids; \
                         install uidmap and add yourself to /etc/subuid and /etc/subgid"
                    ));
                }
                Ok(false)
            }
            Err(errno) => Err(Fault::Step("set the owner", errno.into())),
        }
    }

    /// Sets one attribute. Attributes of security modules and filesystems that are not here are no reason to fail.
    fn attribute(&mut self, key: &str, name: &[u8], set: impl FnOnce(&str) -> Result<(), Errno>) -> Result<(), Fault> {
        let name = String::from_utf8_lossy(name);
        if is_overlay_attribute(key.as_bytes()) {
            self.note(format!("{name}: attribute {key} belongs to overlayfs and was left out"));
            return Ok(());
        }
        match set(key) {
            Err(errno @ (Errno::NOTSUP | Errno::PERM | Errno::INVAL)) => {
                self.note(format!("{name}: attribute {key} was left out: {errno}"));
                Ok(())
            }
            result => result.map_err(Fault::step("set an attribute")),
        }
    }
}
