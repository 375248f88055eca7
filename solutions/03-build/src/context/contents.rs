//! The digests of files, by several threads, and only of those that are not remembered.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::SystemTime;

use layers::Digest;
use layers::attributes::Attributes;
use layers::digest::Hasher;
use layers::pack::open;
use rustix::fs::{FileType, OFlags, fstat};

use crate::cancel::Cancel;
use crate::context::entry::{Entry, Kind, Stamp, copied_attributes, file_digest};
use crate::context::rooted::kind;
use crate::context::tree::Tree;
use crate::error::{Error, Result};

/// What each thread reads at once: memory does not grow with the size of files.
const BUFFER: usize = 256 * 1024;
const MOST_THREADS: usize = 8;

/// Finds out the content of all files among these entries, whose paths begin at `base`.
pub(crate) fn find_out(tree: &Tree, base: &Path, entries: &mut [Entry], cancel: Option<&Cancel>) -> Result<()> {
    let mut unknown = Vec::new();
    for entry in entries.iter_mut() {
        let path = entry.below(base);
        if let Kind::File { content: content @ None } = &mut entry.kind {
            *content = tree.memory().get(&path, &identity(tree, entry.stamp));
            if content.is_none() {
                unknown.push(entry);
            }
        }
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(unknown.len());
    let work = Mutex::new(unknown.into_iter());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| read_all(tree, base, &work, cancel))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// What one thread does: one file after the other, as long as there are any.
fn read_all<'a>(
    tree: &Tree,
    base: &Path,
    work: &Mutex<impl Iterator<Item = &'a mut Entry>>,
    cancel: Option<&Cancel>,
) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let next = work.lock().map_or(None, |mut work| work.next());
        let Some(entry) = next else { return Ok(()) };
        read(tree, &entry.below(base), entry, &mut buffer, cancel)?;
    }
}

fn read(tree: &Tree, path: &Path, entry: &mut Entry, buffer: &mut [u8], cancel: Option<&Cancel>) -> Result<()> {
    let since = SystemTime::now();
    let (mut file, stamp) = open_file(tree, path)?;
    let digest = digest_of(&mut file, path, buffer, cancel)?;
    entry.stamp = stamp;
    entry.kind = Kind::File { content: Some(digest) };
    let after = Stamp::of(&fstat(&file).map_err(Error::io("examine", path))?);
    // Where it was written to meanwhile, the digest is of nothing that ever was. Whoever copies it will notice.
    if after == stamp {
        let since = Some(since).filter(|_| !tree.is_immutable());
        tree.memory().put(path.to_path_buf(), identity(tree, stamp), digest, since);
    }
    Ok(())
}

/// Opens a file of a tree for reading. Whatever has taken its place keeps nobody waiting and is refused.
pub(crate) fn open_file(tree: &Tree, path: &Path) -> Result<(File, Stamp)> {
    let file = open(tree.root().as_fd(), path, OFlags::RDONLY | OFlags::NONBLOCK);
    let file = file.map_err(Error::io("open", path))?;
    let status = fstat(&file).map_err(Error::io("examine", path))?;
    match kind(&status) {
        FileType::RegularFile => Ok((File::from(file), Stamp::of(&status))),
        _ => Err(Error::Unsuitable {
            what: path.display().to_string(),
            why: "it is no longer an ordinary file".to_owned(),
        }),
    }
}

/// The digest of an open file, from where it is read to its end, and of its extended attributes.
pub(crate) fn digest_of(file: &mut File, path: &Path, buffer: &mut [u8], cancel: Option<&Cancel>) -> Result<Digest> {
    let xattrs = Attributes::read(file.as_fd()).map_err(Error::io("examine", path))?.xattrs;
    let mut hasher = Hasher::default();
    loop {
        if cancel.is_some_and(Cancel::is_cancelled) {
            return Err(Error::Cancelled);
        }
        match file.read(buffer) {
            Ok(0) => return Ok(file_digest(hasher.finish(), &copied_attributes(xattrs))),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read", path)(error)),
        }
    }
}

/// By what a file is remembered. An image's files are never touched, but each time they are mounted their numbers are others.
fn identity(tree: &Tree, stamp: Stamp) -> Stamp {
    match tree.is_immutable() {
        true => Stamp { device: 0, inode: 0, changed: (0, 0), ..stamp },
        false => stamp,
    }
}
