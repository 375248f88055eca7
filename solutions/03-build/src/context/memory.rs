//! Remembering the digests of files, so that what was not touched is not read again.
//!
//! One text file a folder of the host, with a line a file: its digest, its stamp, its path. Where the stamp is
//! still the same, so are the bytes, with one exception that git calls *racy*: a file can be changed twice within one tick of
//! the clock that stamps it. So what was touched a moment before it was read is not remembered.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use layers::Digest;

use crate::context::entry::Stamp;
use crate::error::{Error, Result};

/// The first line. Other lines are of another time, and are forgotten.
const FORMAT: &[u8] = b"kesako context 1";
/// The kernel stamps with the time of its last tick, which may be 10 ms ago; a filesystem may keep seconds only, or two.
const TICK: u128 = 20_000_000;
const COARSE_TICK: u128 = 2_100_000_000;
/// Of how many folders the digests are kept.
const MOST_FOLDERS: usize = 200;
/// How many lines of files that were not asked for are kept, for a build that copies other files.
const MOST_UNASKED: usize = 100_000;

/// What is remembered of one folder.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Nowhere: it is forgotten with the build.
    file: Option<PathBuf>,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    known: HashMap<PathBuf, Line>,
    changed: bool,
}

#[derive(Debug)]
struct Line {
    digest: Digest,
    stamp: Stamp,
    asked: bool,
}

impl Memory {
    /// Of nothing.
    pub(crate) fn none() -> Self {
        Self { file: None, lines: Mutex::default() }
    }

    /// Of the folder that is known by this name, in a folder for such files.
    pub(crate) fn open(folder: &Path, name: &str) -> Self {
        let file = folder.join(name);
        // What cannot be read was never remembered: it costs time and nothing else.
        let known = fs::read(&file).ok().and_then(|text| parse(&text)).unwrap_or_default();
        Self { file: Some(file), lines: Mutex::new(Lines { known, changed: false }) }
    }

    /// The digest of a file that is still the same.
    pub(crate) fn get(&self, path: &Path, stamp: &Stamp) -> Option<Digest> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.known.get_mut(path).filter(|line| line.stamp == *stamp)?;
        line.asked = true;
        Some(line.digest)
    }

    /// Remembers a file that had this stamp both before and after it was read. `since` is when that began, if it is a file that
    /// may be changed at all.
    pub(crate) fn put(&self, path: PathBuf, stamp: Stamp, digest: Digest, since: Option<SystemTime>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.changed = true;
        if since.is_none_or(|since| is_settled(&stamp, since)) {
            lines.known.insert(path, Line { digest, stamp, asked: true });
        } else {
            lines.known.remove(&path);
        }
    }

    /// Writes down what is new.
    ///
    /// # Errors
    /// If that fails. The build needs it not.
    pub(crate) fn save(&self) -> Result<()> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = self.file.as_ref().filter(|_| std::mem::take(&mut lines.changed)) else { return Ok(()) };
        if lines.known.values().filter(|line| !line.asked).count() > MOST_UNASKED {
            lines.known.retain(|_, line| line.asked);
        }
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        write(file, folder, &lines.known).map_err(Error::io("write", file))?;
        forget_oldest(folder).map_err(Error::io("clean", folder))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            tracing::warn!("the digests of the context's files are not remembered: {error}");
        }
    }
}

/// Whether a later change would certainly give the file another stamp.
fn is_settled(stamp: &Stamp, since: SystemTime) -> bool {
    // A filesystem that keeps seconds only shows none of their parts.
    let tick = if stamp.changed.1 == 0 { COARSE_TICK } else { TICK };
    let nanoseconds = |(seconds, rest): (i64, u32)| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let since = since.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let limit = i128::try_from(since.saturating_sub(tick)).unwrap_or(i128::MAX);
    nanoseconds(stamp.changed) < limit && nanoseconds(stamp.modified) < limit
}

/// Another build may do the same: each file is whole, and the last one counts.
fn write(file: &Path, folder: &Path, known: &HashMap<PathBuf, Line>) -> io::Result<()> {
    let mut sorted: Vec<_> = known.iter().collect();
    sorted.sort_unstable_by_key(|(path, _)| *path);
    let mut to = io::BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
    to.write_all(FORMAT)?;
    for (path, Line { digest, stamp, .. }) in sorted {
        let Stamp { device, inode, size, modified, changed } = stamp;
        let (digest, path) = (digest.hex(), escape(path));
        write!(
            to,
            "\n{digest} {device} {inode} {size} {}.{:09} {}.{:09} ",
            modified.0, modified.1, changed.0, changed.1
        )?;
        to.write_all(&path)?;
    }
    to.into_inner().map_err(io::IntoInnerError::into_error)?.persist(file)?;
    Ok(())
}

fn parse(text: &[u8]) -> Option<HashMap<PathBuf, Line>> {
    let mut lines = text.split(|byte| *byte == b'\n');
    (lines.next() == Some(FORMAT)).then(|| lines.filter_map(parse_line).collect())
}

fn parse_line(line: &[u8]) -> Option<(PathBuf, Line)> {
    let mut fields = line.splitn(7, |byte| *byte == b' ');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let digest = Digest::from_hex(text()?).ok()?;
    let [device, inode, size] = [text()?.parse().ok()?, text()?.parse().ok()?, text()?.parse().ok()?];
    let (modified, changed) = (time(text()?)?, time(text()?)?);
    let stamp = Stamp { device, inode, size, modified, changed };
    Some((unescape(fields.next()?), Line { digest, stamp, asked: false }))
}

fn time(text: &str) -> Option<(i64, u32)> {
    let (seconds, rest) = text.split_once('.')?;
    Some((seconds.parse().ok()?, rest.parse().ok()?))
}

/// A path on one line.
fn escape(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.fold(Vec::new(), |mut escaped, byte| {
        match byte {
            b'\n' => escaped.extend(b"\\n"),
            b'\\' => escaped.extend(b"\\\\"),
            byte => escaped.push(*byte),
        }
        escaped
    })
}

fn unescape(text: &[u8]) -> PathBuf {
    if !text.contains(&b'\\') {
        return OsStr::from_bytes(text).into();
    }
    let mut bytes = text.iter();
    let mut path = Vec::new();
    while let Some(byte) = bytes.next() {
        path.push(match byte {
            b'\\' if bytes.next() == Some(&b'n') => b'\n',
            byte => *byte,
        });
    }
    OsStr::from_bytes(&path).into()
}

/// Folders come and go; what is remembered of those that are not built any more does not pile up.
fn forget_oldest(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort_unstable();
    let too_many = files.len().saturating_sub(MOST_FOLDERS);
    files.iter().take(too_many).try_for_each(|(_, path)| fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stamp(seconds: i64, nanoseconds: u32) -> Stamp {
        Stamp { device: 1, inode: 2, size: 3, modified: (-5, 6), changed: (seconds, nanoseconds) }
    }

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    #[test]
    fn what_was_put_is_there_in_the_next_build() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "with\nnewline\\n", "with blank"].map(PathBuf::from);
        let odd = PathBuf::from(OsStr::from_bytes(b"\xff\\"));
        let memory = Memory::open(folder.path(), "x");
        for path in paths.iter().chain([&odd]) {
            memory.put(path.clone(), stamp(1, 1), Digest::of(path.as_os_str().as_bytes()), Some(at(10_000)));
        }
        drop(memory);
        let memory = Memory::open(folder.path(), "x");
        for path in paths.iter().chain([&odd]) {
            let digest = Digest::of(path.as_os_str().as_bytes());
            assert_eq!(memory.get(path, &stamp(1, 1)), Some(digest), "{path:?}");
            assert_eq!(memory.get(path, &stamp(1, 2)), None, "it was touched");
        }
        assert_eq!(Memory::open(folder.path(), "y").get(&paths[0], &stamp(1, 1)), None);
    }

    #[test]
    fn what_was_touched_a_moment_ago_is_not_remembered() {
        let memory = Memory::none();
        let put = |stamp: Stamp, since| {
            memory.put("a".into(), stamp, Digest::of(b""), Some(since));
            memory.get(Path::new("a"), &stamp).is_some()
        };
        assert!(put(stamp(10, 1), at(10_100)));
        assert!(!put(stamp(10, 1), at(10_010)), "the same tick");
        assert!(!put(stamp(11, 1), at(10_100)), "its clock is ahead");
        assert!(!put(stamp(10, 0), at(11_000)), "a filesystem that keeps seconds");
        assert!(put(stamp(10, 0), at(13_000)));
    }

    #[test]
    fn a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "kesako context 0\n", "kesako context 1\nx\n 1 2\n", "\0\0\n"] {
            fs::write(folder.path().join("x"), text).unwrap();
            assert_eq!(Memory::open(folder.path(), "x").get(Path::new(""), &Stamp::default()), None);
        }
    }
}
