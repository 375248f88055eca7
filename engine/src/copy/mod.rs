//! `cp`: files between a container and somebody outside, whether it runs or not.
//!
//! [`view`] opens the container's files as it sees them, with its volumes; a path in them is resolved beneath that root by file
//! descriptor ([`crate::rooted`]), since a container that runs may exchange any folder for a link at any moment. What is
//! found is described ([`stat`]), written into an archive, or written over by one. Docker Engine API, "Get an archive of a filesystem
//! resource in a container" and its neighbours.

mod path;
mod stat;
mod view;
mod writable;

use crate::{Engine, Error, Kind, Result, api};
use layers::copy_in::{CopyIn, Owner};
use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;
use std::io::{Read, Write};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use view::{Access, View};

/// How an archive is unpacked in a container.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtractOptions {
    /// Everything is to belong to the container's user, if it has one: `cp -a`.
    pub copy_uid_gid: bool,
    /// A folder never takes the place of something else, nor something else that of a folder.
    pub no_overwrite_dir_non_dir: bool,
}

/// Something in a container that is about to be archived. The container is not started or removed meanwhile.
#[derive(Debug)]
pub struct Archived {
    pub stat: api::ContainerPathStat,
    view: View,
    /// A folder, and what in it is archived; empty is itself.
    root: OwnedFd,
    path: PathBuf,
    name: PathBuf,
}

impl Engine {
    /// What is at this path of a container.
    ///
    /// # Errors
    /// [`Kind::NotFound`], in Docker's words.
    pub fn stat_path(&self, id: &str, path: &str) -> Result<api::ContainerPathStat> {
        let view = self.view(id, Access::Read)?;
        let asked = path::absolute(path);
        let found = found(&view, &asked).map_err(|errno| not_found(errno, id, path, &asked))?;
        stat::describe(view.root(), &found, &asked)
    }

    /// Opens what is at this path of a container, for an archive to be made of it.
    ///
    /// # Errors
    /// [`Kind::NotFound`], in Docker's words.
    pub fn archive_path(&self, id: &str, path: &str) -> Result<Archived> {
        let view = self.view(id, Access::Read)?;
        let asked = path::absolute(path);
        let lost = |errno| not_found(errno, id, path, &asked);
        let found = found(&view, &asked).map_err(lost)?;
        let stat = stat::describe(view.root(), &found, &asked)?;
        let name = PathBuf::from(path::base(&asked));
        let archived = match is_folder(&found).map_err(lost)? {
            true => Archived { stat, root: found, path: PathBuf::new(), name, view },
            // A file is held by its folder: what it is called there when it is read, that is archived.
            false => {
                let (folder, file) = path::split(&asked);
                let root = crate::rooted::open(view.root(), folder, OFlags::PATH | OFlags::DIRECTORY).map_err(lost)?;
                Archived { stat, root, path: PathBuf::from(file), name, view }
            }
        };
        self.tell_container("archive-path", &archived.view.container, &archived.view.record, &[]);
        Ok(archived)
    }

    /// Unpacks an archive, which may be compressed, in a folder of a container.
    ///
    /// # Errors
    /// There is no such folder, or it is read-only, or the archive cannot be written there.
    pub fn extract(
        &self,
        id: &str,
        path: &str,
        options: &ExtractOptions,
        archive: &mut (dyn Read + Send),
    ) -> Result<()> {
        let view = self.view(id, Access::Write)?;
        let asked = path::absolute(path);
        let lost = |errno| not_found(errno, id, path, &asked);
        let folder = found(&view, &path::with_slash(&asked)).map_err(|errno| match errno {
            Errno::NOTDIR => Error::new(Kind::Invalid, "extraction point is not a directory"),
            errno => lost(errno),
        })?;
        drop(folder);
        let at = crate::rooted::resolve(view.root(), &asked).ok_or_else(|| lost(Errno::LOOP))?;
        writable::check(&view.record, &at)?;
        let owner = match options.copy_uid_gid && !view.record.config.user.is_empty() {
            true => {
                let groups = crate::spec::groups(&view.record.host_config)?;
                let user = process::user::resolve(view.root(), &view.record.config.user, groups)?;
                Owner::Given(user.uid, user.gid)
            }
            false => Owner::OfArchive,
        };
        let copy = CopyIn { at: &at, rename: None, replaces: !options.no_overwrite_dir_non_dir, owner };
        tracing::info!(
            target: "explain", man = "openat2(2)", shell = format!("tar -x -C ROOT/{}", at.display()),
            "unpacking an archive in /{} of the container, each name resolved beneath its root", at.display()
        );
        for note in layers::copy_in::copy_in(archive, view.root(), &copy)? {
            tracing::warn!("{note}");
        }
        self.tell_container("extract-to-dir", &view.container, &view.record, &[]);
        Ok(())
    }
}

impl Archived {
    /// Writes the archive.
    ///
    /// # Errors
    /// Something cannot be read, or nobody reads any more.
    pub fn write(self, to: &mut dyn Write) -> Result<()> {
        tracing::info!(
            target: "explain", man = "tar(5)", shell = format!("tar -c -C ROOT {}", self.name.display()),
            "what is at {} of the container, read beneath its root by descriptor", self.name.display()
        );
        // The devices of a container that runs are ours, and no part of it either.
        let dev = crate::rooted::open(self.view.root(), "/dev", OFlags::PATH);
        let dev =
            dev.ok().filter(|dev| view::is_mount_root(dev.as_fd()).unwrap_or(false)).and_then(|dev| same(dev.as_fd()));
        let not_its_own = |folder: BorrowedFd<'_>| {
            view::is_kernels(folder).unwrap_or(false) || (dev.is_some() && same(folder) == dev)
        };
        for note in layers::copy_out::copy_out(self.root.as_fd(), &self.path, &self.name, &not_its_own, to)? {
            tracing::debug!("{note}");
        }
        Ok(())
    }
}

/// Opens what is at a path, to be looked at. What is the kernel's (/proc and the like) is not there: it is no file that could be
/// copied, and with Docker it is not there either.
fn found(view: &View, path: &str) -> rustix::io::Result<OwnedFd> {
    let found = crate::rooted::open(view.root(), path, OFlags::PATH | OFlags::NOFOLLOW)?;
    // The folder that such a filesystem is mounted on is the container's, as far as it is empty.
    if view::is_kernels(found.as_fd())? && !view::is_mount_root(found.as_fd())? {
        return Err(Errno::NOENT);
    }
    Ok(found)
}

fn is_folder(file: &OwnedFd) -> rustix::io::Result<bool> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Directory)
}

/// What is the same for a file by whatever path it was opened.
fn same(file: BorrowedFd<'_>) -> Option<(u64, u64)> {
    fstat(file).ok().map(|status| (status.st_dev, status.st_ino))
}

/// Docker's words; `path` is as it was asked for.
fn not_found(errno: Errno, id: &str, path: &str, absolute: &str) -> Error {
    match errno {
        Errno::NOENT => Error::new(Kind::NotFound, format!("Could not find the file {path} in container {id}")),
        errno => {
            let why = match errno {
                Errno::NOTDIR => "not a directory".to_owned(),
                Errno::LOOP => "too many levels of symbolic links".to_owned(),
                errno => errno.to_string(),
            };
            Error::new(Kind::System, format!("lstat {absolute}: {why}"))
        }
    }
}
