//! What the image has at the place of a new volume goes into the volume: *copy-up*, since "down" is where the image is.
//!
//! Whoever kills us in the middle must not leave half of it to be found: a volume with anything in it is never filled
//! again. So the copy is made beside the data, and only when it is whole it gets the name `_full`; from then on it is
//! moved into place, entry by entry, by us or by whoever next lays hands on the volume.

use crate::attributes::{Attributes, give};
use crate::beneath;
use crate::copy;
use crate::mount_point::{MountPoint, Source};
use crate::options::Options;
use crate::store::{Held, Volume};
use crate::{Error, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

/// What an image has at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InImage {
    Nothing,
    File,
    Folder,
}

/// Whether what the image has at the place of a mount is copied into what is mounted there.
///
/// A mount hides what is beneath it: a database image that comes with an initial state in its data folder would find an empty one there,
/// if a new volume were just that. So it is copied, but only then and there where it cannot do harm. All of this must hold:
///
/// * what is mounted is a volume: the files of the host are the user's, and memory is meant to be empty;
/// * nobody has said `nocopy` (`VolumeUse::copy`);
/// * the volume is empty: whatever is in one was put there by somebody. If a part of it was asked for (`VolumeUse::subpath`), that
///   part is there, and the volume is not empty in any case;
/// * the image has a folder there, empty or not: a volume also gets the owner and the mode of that folder.
pub fn takes_copy(point: &MountPoint, volume_is_empty: bool, image: InImage) -> bool {
    // exercise: 5.2 takes_copy: a volume, empty, in the place of a folder, and nobody against it
    todo!("exercise 5.2, takes_copy: a volume, empty, in the place of a folder, and nobody against it")
    // end exercise
}

impl Held {
    /// Fills the volume with what an image has at the place of this mount, if that is to be ([`takes_copy`]). `image` is the
    /// root of the image's files. With `lasting`, what was copied is on the disk when this returns.
    ///
    /// # Errors
    /// A file cannot be read or written: then the volume is as it was.
    pub fn fill(&self, point: &MountPoint, image: BorrowedFd<'_>, lasting: bool) -> Result<bool> {
        // Two at once would both find it empty.
        let _lock = self.lock_content()?;
        self.move_in()?;
        let place = beneath::in_image(image, &point.destination).map_err(Error::io("open", &point.destination))?;
        let found = match &place {
            None => InImage::Nothing,
            Some(place) if beneath::is_folder(place).map_err(Error::io("open", &point.destination))? => InImage::Folder,
            Some(_) => InImage::File,
        };
        let Some(place) = place.filter(|_| takes_copy(point, self.volume.is_empty(), found)) else { return Ok(false) };
        tracing::info!(
            target: "explain",
            man = "docker-run(1), --volume",
            shell = format!("cp -a IMAGE{}/. {}", point.destination, self.volume.data().display()),
            "the volume {} is new: what the image has in {} goes into it", self.volume.name, point.destination
        );
        self.copy(place.as_fd(), lasting)?;
        self.move_in()?;
        Ok(true)
    }

    /// Finishes what a process has left that was killed while it filled the volume.
    pub(crate) fn finish_filling(&self) -> Result<()> {
        if !self.volume.staging("full").exists() {
            return Ok(());
        }
        let _lock = self.lock_content()?;
        self.move_in()
    }

    /// The right to change what the volume as a whole holds: to fill it, to mount it.
    ///
    /// # Errors
    /// The volume cannot be read.
    pub fn lock_content(&self) -> Result<File> {
        let path = self.volume.record_path();
        // Not the data folder: a container could lock that, and make us wait.
        let lock = || File::open(&path).and_then(|file| file.lock().map(|()| file));
        lock().map_err(Error::io("lock", &path))
    }

    fn copy(&self, place: BorrowedFd<'_>, lasting: bool) -> Result<()> {
        let (new, full) = (self.volume.staging("new"), self.volume.staging("full"));
        // Of one who was killed.
        delete(&new)?;
        DirBuilder::new().mode(0o700).create(&new).map_err(Error::io("create", &new))?;
        let from = beneath::folder(place, "".as_ref()).map_err(Error::io("open", "the image's folder"))?;
        let to = File::open(&new).map_err(Error::io("open", &new))?;
        let copied = copy::tree(from.as_fd(), to.as_fd()).map_err(|(path, source)| Error::Io {
            step: "copy into a volume",
            path,
            source,
        });
        if let Err(error) = copied {
            // On a full disk, every byte of it. The first error is the one to be told.
            let _ = fs::remove_dir_all(&new);
            return Err(error);
        }
        if lasting {
            // One call for all files: fsync(2) of each would wait for the disk as often as there are files.
            syncfs(&to).map_err(Error::io("write", &new))?;
        }
        fs::rename(&new, &full).map_err(Error::io("rename", &new))
    }

    /// Moves a copy that is whole into the volume's data, which is ours again from where we were when we were killed.
    fn move_in(&self) -> Result<()> {
        let (full, data) = (self.volume.staging("full"), self.volume.data());
        let entries = match fs::read_dir(&full) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Error::io("read", &full))?,
        };
        let open = |path: &PathBuf| File::open(path).map_err(Error::io("open", path));
        // First: what is moved out of a folder changes its time, and what is moved into one does.
        let attributes = Attributes::of(open(&full)?.as_fd()).map_err(Error::io("read", &full))?;
        for entry in entries {
            let entry = entry.map_err(Error::io("read", &full))?;
            let to = data.join(entry.file_name());
            match renameat_with(CWD, entry.path(), CWD, &to, RenameFlags::NOREPLACE) {
                // A container that runs already has made a file of this name: it is newer.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(Error::io("move into a volume", to)(errno)),
            }
        }
        give(open(&data)?.as_fd(), &attributes).map_err(Error::io("set the owner and mode of", &data))?;
        delete(&full)
    }
}

impl Volume {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let ours = ["new", "full"].map(|stage| self.staging(stage));
        let mut entries = fs::read_dir(self.data()).into_iter().flatten().flatten();
        // A folder that cannot be read is nothing to write into.
        self.data().is_dir() && entries.all(|entry| ours.contains(&entry.path()))
    }

    /// A folder on the filesystem of the data, where it can be moved from by rename(2).
    fn staging(&self, stage: &str) -> PathBuf {
        match self.backing() {
            Options::Bind { device, .. } => PathBuf::from(device).join(format!(".kesako-{stage}")),
            Options::Folder | Options::Tmpfs { .. } => self.own_folder().join(format!("_{stage}")),
        }
    }
}

fn delete(folder: &PathBuf) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", folder)(e)),
        _ => Ok(()),
    }
}
