//! Going through a folder of a tree: sorted, a folder before what is in it, and without what is hidden.
//!
//! Of each folder all is examined at once and then it is closed, so that neither the stack nor the number of open files grows
//! with the depth. No path goes through a link, and nothing but folders is opened: a named pipe keeps nobody waiting.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use layers::attributes::Attributes;
use layers::pack::{names, open};
use rustix::fs::{AtFlags, FileType, OFlags, Stat, readlinkat, statat};
use rustix::io::Errno;

use crate::context::entry::{Entry, Kind, Stamp, copied_attributes};
use crate::context::rooted::kind;
use crate::context::tree::Tree;
use crate::error::{Error, Result};
use crate::ignore::{Ignore, Verdict};

/// Which of the files in a folder are meant.
#[derive(Debug, Default)]
pub(crate) struct Select {
    /// `--exclude`: not these. From the folder, as the next.
    pub(crate) exclude: Ignore,
    /// `--parents`: only what these speak of.
    pub(crate) include: Option<Ignore>,
}

/// All entries beneath a folder of the tree, which goes through no link. The folder itself is none of them.
pub(crate) fn walk(tree: &Tree, base: &Path, select: &Select) -> Result<Vec<Entry>> {
    let mut walk = Walk { tree, base, select, entries: Vec::new(), links: HashMap::new() };
    let above = Verdicts { ignore: tree.ignore().verdict_of(base), ..Verdicts::default() };
    let (children, _) = walk.open(Path::new(""))?;
    let mut folders = vec![Folder { path: PathBuf::new(), children, verdicts: above, entry: None }];
    while let Some(folder) = folders.last_mut() {
        let Some((name, status)) = folder.children.pop() else {
            folders.pop();
            continue;
        };
        let path = folder.path.join(name);
        let verdicts = walk.judge(&path, &folder.verdicts);
        let visible = walk.is_visible(&verdicts);
        if kind(&status) == FileType::Directory {
            if visible || walk.may_hold_visible(&path, &verdicts) {
                folders.extend(walk.enter(path, &status, verdicts)?);
                if visible {
                    walk.settle(&mut folders);
                }
            }
        } else if visible {
            walk.settle(&mut folders);
            walk.take(path, &status)?;
        }
    }
    Ok(walk.entries)
}

struct Walk<'a> {
    tree: &'a Tree,
    base: &'a Path,
    select: &'a Select,
    entries: Vec<Entry>,
    /// The first name of each file that has several.
    links: HashMap<(u64, u64), PathBuf>,
}

/// A folder that is being gone through.
struct Folder {
    path: PathBuf,
    /// What is still to come, the next last.
    children: Vec<(OsString, Stat)>,
    verdicts: Verdicts,
    /// Itself, as long as nothing visible was found in it and it is hidden.
    entry: Option<Entry>,
}

/// What all rules say.
#[derive(Default)]
struct Verdicts {
    ignore: Verdict,
    exclude: Verdict,
    include: Verdict,
}

impl Walk<'_> {
    fn judge(&self, path: &Path, parent: &Verdicts) -> Verdicts {
        let inner = path.as_os_str().as_bytes();
        let ignore = match self.tree.ignore() {
            ignore if ignore.is_empty() => Verdict::default(),
            ignore => ignore.verdict(self.base.join(path).as_os_str().as_bytes(), &parent.ignore),
        };
        let include = self.select.include.as_ref().map(|include| include.verdict(inner, &parent.include));
        Verdicts {
            ignore,
            exclude: self.select.exclude.verdict(inner, &parent.exclude),
            include: include.unwrap_or_default(),
        }
    }

    fn is_visible(&self, verdicts: &Verdicts) -> bool {
        // What the include patterns speak of is "excluded" by them: they are the same kind of rules.
        let included = self.select.include.is_none() || verdicts.include.excluded;
        included && !verdicts.ignore.excluded && !verdicts.exclude.excluded
    }

    /// Whether a hidden folder may hold what is not.
    fn may_hold_visible(&self, path: &Path, verdicts: &Verdicts) -> bool {
        let inner = path.as_os_str().as_bytes();
        let whole = self.base.join(path);
        let ignored = verdicts.ignore.excluded && !self.tree.ignore().has_exception_in(whole.as_os_str().as_bytes());
        let excluded = verdicts.exclude.excluded && !self.select.exclude.has_exception_in(inner);
        let included = |include: &Ignore| verdicts.include.excluded || include.has_pattern_in(inner);
        !ignored && !excluded && self.select.include.as_ref().is_none_or(included)
    }

    /// Opens a folder; nothing, if it was removed meanwhile.
    fn enter(&mut self, path: PathBuf, status: &Stat, verdicts: Verdicts) -> Result<Option<Folder>> {
        let (children, xattrs) = match self.open(&path) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let entry = Some(self.entry(path.clone(), status, Kind::Folder { xattrs }));
        Ok(Some(Folder { path, children, verdicts, entry }))
    }

    /// What is in a folder, the first last, and its extended attributes.
    #[allow(clippy::type_complexity, reason = "two lists")]
    fn open(&self, path: &Path) -> Result<(Vec<(OsString, Stat)>, Vec<(String, Vec<u8>)>)> {
        let whole = self.base.join(path);
        let folder = open(self.tree.root().as_fd(), &whole, OFlags::RDONLY | OFlags::DIRECTORY);
        let folder = folder.map_err(Error::io("open", &whole))?;
        let xattrs = Attributes::read(folder.as_fd()).map_err(Error::io("examine", &whole))?.xattrs;
        let mut names = names(folder.as_fd()).map_err(Error::io("read", &whole))?;
        names.sort_unstable_by(|one, other| other.cmp(one));
        let mut children = Vec::with_capacity(names.len());
        for name in names {
            match statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(status) => children.push((name, status)),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(Error::io("examine", whole.join(name))(errno)),
            }
        }
        Ok((children, copied_attributes(xattrs)))
    }

    /// Takes the folders on the way to something visible, the topmost first.
    fn settle(&mut self, folders: &mut [Folder]) {
        self.entries.extend(folders.iter_mut().filter_map(|folder| folder.entry.take()));
    }

    fn take(&mut self, path: PathBuf, status: &Stat) -> Result<()> {
        let kind = match kind(status) {
            FileType::Symlink => Kind::Symlink { target: self.read_link(&path)? },
            FileType::RegularFile => match self.links.get(&(status.st_dev, status.st_ino)) {
                Some(first) => Kind::HardLink { to: first.clone() },
                None => {
                    if status.st_nlink > 1 {
                        self.links.insert((status.st_dev, status.st_ino), path.clone());
                    }
                    Kind::File { content: None }
                }
            },
            _ => special(status),
        };
        let entry = self.entry(path, status, kind);
        self.entries.push(entry);
        Ok(())
    }

    fn read_link(&self, path: &Path) -> Result<Vec<u8>> {
        let whole = self.base.join(path);
        let link = open(self.tree.root().as_fd(), &whole, OFlags::PATH).map_err(Error::io("open", &whole))?;
        Ok(readlinkat(link, c"", Vec::new()).map_err(Error::io("read", &whole))?.into_bytes())
    }

    fn entry(&self, path: PathBuf, status: &Stat, kind: Kind) -> Entry {
        entry(self.tree, path, status, kind)
    }
}

/// What is neither file, folder nor link.
pub(crate) fn special(status: &Stat) -> Kind {
    match kind(status) {
        FileType::CharacterDevice => Kind::CharDevice(status.st_rdev),
        FileType::BlockDevice => Kind::BlockDevice(status.st_rdev),
        FileType::Fifo => Kind::Fifo,
        // What a socket is the door of is not copied; Docker leaves an empty file.
        _ => Kind::File { content: Some(layers::Digest::of(b"")) },
    }
}

/// An entry of a tree.
pub(crate) fn entry(tree: &Tree, path: PathBuf, status: &Stat, kind: Kind) -> Entry {
    let (uid, gid) = tree.owner_of(status);
    Entry { path, kind, mode: status.st_mode & 0o7777, uid, gid, stamp: Stamp::of(status) }
}
