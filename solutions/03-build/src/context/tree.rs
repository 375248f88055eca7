//! A tree of files that a step copies from: the build context, a named one, an image or a stage.

use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use layers::pack::open;
use rustix::fs::{FileType, OFlags, Stat, fstat};

use crate::context::memory::Memory;
use crate::context::rooted::{self, Resolved, kind};
use crate::error::{Error, Result};
use crate::ignore::{self, Ignore};
use crate::source::Source;

/// The largest Dockerfile or `.dockerignore` that is read into memory.
const LARGEST_DOCUMENT: u64 = 16 << 20;
/// Beneath the folder of the build cache: what is remembered of trees.
const REMEMBERED: &str = "contents";

/// Files to be copied, and what is known of them.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    /// For messages: `context`, or the name after `--from`.
    name: String,
    ignore: Ignore,
    /// Who they belong to when copied; None: to whom they belong here.
    owner: Option<(u32, u32)>,
    memory: Memory,
    /// They never change, as long as they have this name: an image's.
    immutable: bool,
}

impl Tree {
    /// A folder of the host. In the image its files belong to root. What is read of them is remembered beneath `cache`.
    ///
    /// # Errors
    /// If it cannot be examined.
    pub fn folder(root: OwnedFd, name: &str, cache: Option<&Path>) -> Result<Self> {
        let status = fstat(&root).map_err(Error::io("examine", name))?;
        let memory = cache.map_or_else(Memory::none, |cache| {
            Memory::open(&cache.join(REMEMBERED), &format!("folder-{:x}-{:x}", status.st_dev, status.st_ino))
        });
        Ok(Self {
            root,
            name: name.to_owned(),
            ignore: Ignore::default(),
            owner: Some((0, 0)),
            memory,
            immutable: false,
        })
    }

    /// What `--from` names. Files of an image or a stage keep their owners; a folder of the host is a context like any other, with a
    /// `.dockerignore` of its own.
    ///
    /// # Errors
    /// If it cannot be examined, or its `.dockerignore` not be read.
    pub fn source(source: Source, name: &str, cache: Option<&Path>) -> Result<Self> {
        let Some(chain_id) = source.chain_id else {
            let mut tree = Self::folder(source.root, name, cache)?;
            tree.read_ignore(None)?;
            return Ok(tree);
        };
        let memory = cache.map_or_else(Memory::none, |cache| {
            Memory::open(&cache.join(REMEMBERED), &format!("image-{}", chain_id.hex()))
        });
        let ignore = Ignore::default();
        Ok(Self { root: source.root, name: name.to_owned(), ignore, owner: None, memory, immutable: true })
    }

    /// Its root.
    pub fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is not seen of it.
    pub fn ignore(&self) -> &Ignore {
        &self.ignore
    }

    /// Hides what these rules exclude: from `COPY` and `ADD`, not from [`Tree::read`].
    pub fn set_ignore(&mut self, ignore: Ignore) {
        self.ignore = ignore;
    }

    /// Applies its own rules: of `NAME.dockerignore` beside the Dockerfile NAME, or else of `.dockerignore`.
    ///
    /// # Errors
    /// If there is one that cannot be read, or that is malformed.
    pub fn read_ignore(&mut self, dockerfile: Option<&str>) -> Result<()> {
        let beside = dockerfile.map(|name| format!("{name}{}", ignore::FILE));
        for name in beside.as_deref().into_iter().chain([ignore::FILE]) {
            if let Some(text) = self.read(name)? {
                self.ignore = Ignore::parse(name, &text)?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// A file of it, whether it is hidden or not: the Dockerfile itself. Nothing, if it is not there.
    ///
    /// # Errors
    /// If it cannot be read, is no ordinary file, or larger than any honest Dockerfile.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let resolved = rooted::resolve(self.root.as_fd(), Path::new(path)).map_err(Error::io("open", path))?;
        let Some(status) = resolved.status else { return Ok(None) };
        if kind(&status) != FileType::RegularFile {
            return Err(Error::Unsuitable { what: path.to_owned(), why: "it is not an ordinary file".to_owned() });
        }
        // A named pipe that took its place meanwhile keeps nobody waiting.
        let file = open(self.root.as_fd(), &resolved.path, OFlags::RDONLY | OFlags::NONBLOCK);
        let mut file = std::fs::File::from(file.map_err(Error::io("open", path))?).take(LARGEST_DOCUMENT + 1);
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(Error::io("read", path))?;
        if text.len() as u64 > LARGEST_DOCUMENT {
            let why = format!("it is larger than {} MB", LARGEST_DOCUMENT >> 20);
            return Err(Error::Unsuitable { what: path.to_owned(), why });
        }
        Ok(Some(text))
    }

    /// Writes down what was read, for the next build. Happens at the end by itself.
    ///
    /// # Errors
    /// If that fails.
    pub fn remember(&self) -> Result<()> {
        self.memory.save()
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(crate) fn is_immutable(&self) -> bool {
        self.immutable
    }

    /// Who a file belongs to once it is copied.
    pub(crate) fn owner_of(&self, status: &Stat) -> (u32, u32) {
        self.owner.unwrap_or((status.st_uid, status.st_gid))
    }

    /// Where a path leads, as far as a build may see. Nothing, if it leads to nothing, or through what is hidden.
    pub(crate) fn find(&self, path: &Path) -> Result<Option<Resolved>> {
        let resolved = rooted::resolve(self.root.as_fd(), path).map_err(Error::io("find", path))?;
        let hidden = |path: &Path| self.ignore.verdict_of(path).excluded;
        if resolved.status.is_none() || resolved.links.iter().any(|link| hidden(link)) {
            return Ok(None);
        }
        // A folder that is hidden may hold something that is not.
        Ok(Some(resolved).filter(|resolved| resolved.is_folder() || !hidden(&resolved.path)))
    }
}
