//! The folders that files are copied into: made where they are missing, and at the end as if nobody had been there.
//!
//! Every file that is made in a folder changes the folder's time. One that was there before gets its own back, so that two
//! builds make the same layer; one that is made here gets its attributes when it is full, for it may have to be read-only.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use layers::attributes::{Attributes, Writer, times};
use layers::pack::open;
use rustix::fs::{FileType, Mode, OFlags, Timestamps, fstat, futimens, mkdirat};
use rustix::io::Errno;

use crate::context::entry::shown;
use crate::context::rooted::kind;
use crate::error::{Error, Result};

/// The folders of the image that a step writes to. All paths are from the root and go through no link.
pub(crate) struct Folders<'a> {
    root: BorrowedFd<'a>,
    /// What those have that are made on the way.
    on_the_way: Attributes,
    /// The last one: most files have the same.
    open: Option<(PathBuf, Rc<OwnedFd>)>,
    /// What folders are to have in the end.
    wanted: BTreeMap<PathBuf, Attributes>,
    /// The times of those that were there before.
    found: BTreeMap<PathBuf, Timestamps>,
}

impl<'a> Folders<'a> {
    pub(crate) fn new(root: BorrowedFd<'a>, on_the_way: Attributes) -> Self {
        Self { root, on_the_way, open: None, wanted: BTreeMap::new(), found: BTreeMap::new() }
    }

    /// A folder that is written to.
    pub(crate) fn open(&mut self, path: &Path) -> Result<Rc<OwnedFd>> {
        if let Some((known, folder)) = &self.open
            && known == path
        {
            return Ok(Rc::clone(folder));
        }
        let folder = match open(self.root, path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(Errno::NOTDIR | Errno::LOOP) => return Err(Error::NotFolder(shown(path))),
            result => Rc::new(result.map_err(Error::io("open", shown(path)))?),
        };
        if !self.wanted.contains_key(path) && !self.found.contains_key(path) {
            let status = fstat(&*folder).map_err(Error::io("examine", shown(path)))?;
            self.found.insert(path.to_path_buf(), times(&status));
        }
        self.open = Some((path.to_path_buf(), Rc::clone(&folder)));
        Ok(folder)
    }

    /// Makes a folder and all above it, as far as they are missing.
    pub(crate) fn make_all(&mut self, path: &Path) -> Result<()> {
        let mut above: Vec<&Path> = path.ancestors().filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        for path in above {
            if self.wanted.contains_key(path) {
                continue;
            }
            match open(self.root, path, OFlags::PATH | OFlags::DIRECTORY) {
                Ok(_) => {}
                Err(Errno::NOENT) => {
                    let wanted = self.on_the_way.clone();
                    self.make(path, Some(wanted))?;
                }
                Err(Errno::NOTDIR | Errno::LOOP) => return Err(Error::NotFolder(shown(path))),
                Err(errno) => return Err(Error::io("open", shown(path))(errno)),
            }
        }
        Ok(())
    }

    /// Makes one folder, or takes the one that is there; it gets these attributes either way.
    pub(crate) fn make(&mut self, path: &Path, wanted: Option<Attributes>) -> Result<()> {
        let parent = self.open(path.parent().unwrap_or(Path::new("")))?;
        let name = path.file_name().unwrap_or_default();
        match mkdirat(&*parent, name, Mode::from_raw_mode(0o755)) {
            Err(Errno::EXIST) if !is_folder(self.root, path)? => return Err(Error::NotFolder(shown(path))),
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::io("create", shown(path))(errno)),
        }
        if let Some(wanted) = wanted {
            self.found.remove(path);
            self.wanted.insert(path.to_path_buf(), wanted);
        }
        Ok(())
    }

    /// Somebody else made this one on the way.
    pub(crate) fn was_made(&mut self, path: &Path) {
        self.wanted.entry(path.to_path_buf()).or_insert_with(|| self.on_the_way.clone());
    }

    /// Gives all folders what they are to have.
    pub(crate) fn finish(mut self, writer: &mut Writer) -> Result<()> {
        self.open = None;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        // The deepest first: a folder that only its owner may search is closed after what is in it.
        for (path, wanted) in self.wanted.iter().rev() {
            let folder = open(self.root, path, flags).map_err(Error::io("open", shown(path)))?;
            let name = path.as_os_str().as_encoded_bytes();
            writer.write(folder.as_fd(), name, wanted, None).map_err(Error::fault(path))?;
        }
        for (path, times) in &self.found {
            let folder = open(self.root, path, flags).map_err(Error::io("open", shown(path)))?;
            futimens(folder, times).map_err(Error::io("set the time of", shown(path)))?;
        }
        Ok(())
    }
}

/// Whether there is a folder, and not a link to one.
pub(crate) fn is_folder(root: BorrowedFd<'_>, path: &Path) -> Result<bool> {
    let status = crate::context::rooted::examine(root, path).map_err(Error::io("examine", shown(path)))?;
    Ok(status.is_some_and(|status| kind(&status) == FileType::Directory))
}
