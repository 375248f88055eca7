//! In what two layers differ that should be the same: for whoever wants a build to be repeatable.
//!
//! What an archive of them would hold is compared, and nothing else: times count in whole seconds, inodes not at all.

use std::cmp::Ordering;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags, Stat, readlinkat};

use crate::attributes::Attributes;
use crate::error::{Error, Result};
use crate::overlay::open_folder;
use crate::pack::{Walk, failed, open};
use crate::whiteout::is_opaque;

/// The first thing that differs, in the order of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// As seen in a container.
    pub path: PathBuf,
    /// `its time is … here and … there`, to follow the path.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// Compares two unpacked layers. None: an archive of one is an archive of the other.
///
/// # Errors
/// [`Error::Io`].
pub fn first_difference(one: &Path, other: &Path) -> Result<Option<Difference>> {
    let roots = [open_folder(one)?, open_folder(other)?];
    let mut walks = [Walk::new(roots[0].as_fd())?, Walk::new(roots[1].as_fd())?];
    loop {
        let found = [walks[0].next()?, walks[1].next()?];
        let (path, what) = match found {
            [None, None] => return Ok(None),
            [Some((path, _)), None] => (path, Some(only("first"))),
            [None, Some((path, _))] => (path, Some(only("second"))),
            [Some((first, status)), Some((second, other))] => match first.cmp(&second) {
                Ordering::Less => (first, Some(only("first"))),
                Ordering::Greater => (second, Some(only("second"))),
                Ordering::Equal => {
                    let what = Pair { roots: &roots, path: &first, statuses: [status, other] }.difference()?;
                    (first, what)
                }
            },
        };
        if let Some(what) = what {
            return Ok(Some(Difference { path: Path::new("/").join(path), what }));
        }
    }
}

fn only(which: &str) -> String {
    format!("only the {which} has it")
}

/// Two files of one name.
struct Pair<'a> {
    roots: &'a [OwnedFd; 2],
    path: &'a Path,
    statuses: [Stat; 2],
}

impl Pair<'_> {
    fn difference(&self) -> Result<Option<String>> {
        let kind = |status: &Stat| FileType::from_raw_mode(status.st_mode);
        let kinds = self.statuses.each_ref().map(kind);
        if kinds[0] != kinds[1] {
            return Ok(Some(format!(
                "it is a {} in the first and a {} in the second",
                named(kinds[0]),
                named(kinds[1])
            )));
        }
        let numbers = self
            .told("owner", |status| format!("{}:{}", status.st_uid, status.st_gid))
            .or_else(|| self.told("mode", |status| format!("{:04o}", status.st_mode & 0o7777)))
            .or_else(|| self.told("device number", |status| status.st_rdev.to_string()));
        if numbers.is_some() {
            return Ok(numbers);
        }
        let content = match kinds[0] {
            FileType::RegularFile => self.contents()?,
            FileType::Symlink => self.targets()?,
            _ => None,
        };
        match content {
            Some(told) => Ok(Some(told)),
            // The time last: where the content differs, it mostly does, too, and says less.
            None => Ok(self.attributes(kinds[0])?.or_else(|| self.told("time", time))),
        }
    }

    fn told(&self, name: &str, of: impl Fn(&Stat) -> String) -> Option<String> {
        let [one, other] = self.statuses.each_ref().map(of);
        (one != other).then(|| format!("its {name} is {one} in the first and {other} in the second"))
    }

    fn open(&self, flags: OFlags) -> Result<[OwnedFd; 2]> {
        let open = |root: &OwnedFd| open(root.as_fd(), self.path, flags).map_err(failed("open", self.path));
        Ok([open(&self.roots[0])?, open(&self.roots[1])?])
    }

    fn contents(&self) -> Result<Option<String>> {
        let [one, other] = self.statuses.each_ref().map(|status| status.st_size);
        if one != other {
            return Ok(Some(format!("it has {one} bytes in the first and {other} in the second")));
        }
        let [one, other] = self.open(OFlags::RDONLY | OFlags::NONBLOCK)?;
        let (mut one, mut other) = (File::from(one), File::from(other));
        let (mut pieces, mut at) = ([vec![0; 64 * 1024], vec![0; 64 * 1024]], 0);
        loop {
            let [first, second] = &mut pieces;
            let count = one.read(first).map_err(Error::io("read", self.path))?;
            other.read_exact(&mut second[..count]).map_err(Error::io("read", self.path))?;
            if count == 0 {
                return Ok(None);
            }
            if let Some(offset) = first[..count].iter().zip(second.iter()).position(|(one, other)| one != other) {
                return Ok(Some(format!("its content differs from byte {} on", at + offset)));
            }
            at += count;
        }
    }

    fn targets(&self) -> Result<Option<String>> {
        let target = |link: &OwnedFd| readlinkat(link, c"", Vec::new()).map_err(failed("read", self.path));
        let [one, other] = self.open(OFlags::PATH)?;
        let (one, other) = (target(&one)?, target(&other)?);
        let told = || {
            let [one, other] = [&one, &other].map(|target| target.to_string_lossy().into_owned());
            format!("it leads to {one} in the first and to {other} in the second")
        };
        Ok((one != other).then(told))
    }

    /// Only what can be opened without consequences has extended attributes in an archive.
    fn attributes(&self, kind: FileType) -> Result<Option<String>> {
        if !matches!(kind, FileType::RegularFile | FileType::Directory) {
            return Ok(None);
        }
        let read = |file: &OwnedFd| Attributes::read(file.as_fd()).map_err(failed("examine", self.path));
        let [one, other] = self.open(OFlags::RDONLY | OFlags::NONBLOCK)?;
        if is_opaque(&one) != is_opaque(&other) {
            return Ok(Some("only one of them hides what is below".to_owned()));
        }
        let (one, other) = (read(&one)?.xattrs, read(&other)?.xattrs);
        let differs = |(name, _): &&(String, Vec<u8>)| {
            let value = |list: &[(String, Vec<u8>)]| list.iter().find(|(known, _)| known == name).cloned();
            value(&one) != value(&other)
        };
        let first = one.iter().chain(&other).find(differs);
        Ok(first.map(|(name, _)| format!("its attribute {name} differs")))
    }
}

fn time(status: &Stat) -> String {
    crate::image::time(status.st_mtime).unwrap_or_else(|| status.st_mtime.to_string())
}

fn named(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "file",
        FileType::Directory => "folder",
        FileType::Symlink => "link",
        FileType::CharacterDevice => "character device (or what hides a file below)",
        FileType::BlockDevice => "block device",
        FileType::Fifo => "named pipe",
        _ => "socket",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::{Duration, UNIX_EPOCH};

    fn folder(change: impl FnOnce(&Path)) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/file"), "content").unwrap();
        symlink("file", folder.path().join("a/link")).unwrap();
        change(folder.path());
        for path in ["a/file", "a"] {
            let time = UNIX_EPOCH + Duration::from_secs(if path == "a" { 5 } else { 7 });
            let Ok(file) = File::open(folder.path().join(path)) else { continue };
            if file.metadata().unwrap().modified().unwrap() > time + Duration::from_secs(100) {
                file.set_modified(time).unwrap();
            }
        }
        folder
    }

    fn told(change: impl FnOnce(&Path)) -> Option<String> {
        let (one, other) = (folder(|_| {}), folder(change));
        first_difference(one.path(), other.path()).unwrap().map(|difference| difference.to_string())
    }

    #[test]
    fn the_first_difference_is_told() {
        assert_eq!(told(|_| {}), None);
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(told(|root| fs::write(root.join("b"), "").unwrap()), is("/b: only the second has it"));
        assert_eq!(told(|root| fs::remove_file(root.join("a/file")).unwrap()), is("/a/file: only the first has it"));
        let longer = told(|root| fs::write(root.join("a/file"), "contents").unwrap());
        assert_eq!(longer, is("/a/file: it has 7 bytes in the first and 8 in the second"));
        let other = told(|root| fs::write(root.join("a/file"), "conTent").unwrap());
        assert_eq!(other, is("/a/file: its content differs from byte 3 on"));
        let mode = told(|root| fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o700)).unwrap());
        assert_eq!(mode, is("/a: its mode is 0755 in the first and 0700 in the second"));
        let link = told(|root| {
            fs::remove_file(root.join("a/link")).unwrap();
            symlink("else", root.join("a/link")).unwrap();
        });
        assert_eq!(link.unwrap(), "/a/link: it leads to file in the first and to else in the second");
        let kind = told(|root| {
            fs::remove_file(root.join("a/file")).unwrap();
            fs::create_dir(root.join("a/file")).unwrap();
        });
        assert_eq!(kind, is("/a/file: it is a file in the first and a folder in the second"));
        let time = told(|root| {
            let file = File::open(root.join("a/file")).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(9)).unwrap();
        });
        let expected = "its time is 1970-01-01T00:00:07Z in the first and 1970-01-01T00:00:09Z in the second";
        assert_eq!(time, is(&format!("/a/file: {expected}")));
    }
}
