//! `cp`: files of this host on their way into a container, and files of a container on their way to this host.

use super::piped::piped;
use super::{Body, Client, Error, Response, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::api::ContainerPathStat;
use layers::copy_in::{CopyIn, Owner, copy_in};
use layers::copy_out::copy_out;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use tokio::io::AsyncRead;
use tokio_util::io::SyncIoBridge;

/// The header that tells what a path of a container is.
pub(crate) const PATH_STAT: &str = "x-docker-container-path-stat";

/// Files of this host that are sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// A folder, opened, and what in it is sent; empty is itself.
    pub folder: PathBuf,
    pub path: PathBuf,
    /// What it is called in the archive.
    pub name: PathBuf,
}

/// An archive of them, as it is made. Must be called inside a tokio runtime.
///
/// # Errors
/// The folder cannot be opened.
pub fn archive(outgoing: Outgoing) -> std::io::Result<impl AsyncRead + Send + Unpin> {
    let folder = File::open(&outgoing.folder)?;
    Ok(piped(move |to| {
        let nothing = |_: std::os::fd::BorrowedFd<'_>| false;
        let notes = copy_out(folder.as_fd(), &outgoing.path, &outgoing.name, &nothing, to);
        for note in notes.map_err(|error| error.to_string())? {
            tracing::debug!("{note}");
        }
        Ok(())
    }))
}

/// A file that is sent by itself.
#[derive(Clone, Debug)]
pub struct Sent {
    pub path: PathBuf,
    /// What it is called in the archive.
    pub name: PathBuf,
}

/// An archive of these, each by itself: of a folder only that it is there. One that is gone by then is left out. Must be called
/// inside a tokio runtime.
pub fn several(files: Vec<Sent>) -> impl AsyncRead + Send + Unpin {
    piped(move |to| {
        let mut archive = tar::Builder::new(to);
        let all = files.iter().try_for_each(|file| append(&mut archive, file));
        all.and_then(|()| archive.finish()).map_err(|error| error.to_string())
    })
}

fn append(archive: &mut tar::Builder<&mut dyn std::io::Write>, file: &Sent) -> std::io::Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(&file.path) else { return Ok(()) };
    let name = file.name.strip_prefix("/").unwrap_or(&file.name);
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    if metadata.is_symlink() {
        header.set_size(0);
        return archive.append_link(&mut header, name, std::fs::read_link(&file.path)?);
    }
    if metadata.is_dir() {
        header.set_size(0);
        return archive.append_data(&mut header, name, std::io::empty());
    }
    let Ok(content) = File::open(&file.path) else { return Ok(()) };
    if !metadata.is_file() {
        return Ok(());
    }
    // Somebody may be writing it: as many bytes as are promised, whatever becomes of it.
    let content = content.chain(std::io::repeat(0)).take(metadata.len());
    archive.append_data(&mut header, name, content)
}

/// Where an archive that comes from a container is unpacked.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub folder: PathBuf,
    /// What the first part of its names becomes. None as the old one: all of it goes beneath the new one.
    pub rename: Option<(Option<OsString>, OsString)>,
}

/// Unpacks an archive as it comes. All of it belongs to who runs this.
///
/// # Errors
/// It would replace a folder by something else or the other way round, reaches out of the folder, or cannot be written.
pub async fn unpack(archive: impl AsyncRead + Send + Unpin + 'static, incoming: Incoming) -> Result<()> {
    let mut archive = SyncIoBridge::new(archive);
    let unpacked = tokio::task::spawn_blocking(move || {
        let folder = File::open(&incoming.folder).map_err(|e| format!("open {}: {e}", incoming.folder.display()))?;
        let rename = incoming.rename.as_ref().map(|(old, new)| (old.as_deref(), new.as_os_str()));
        let copy = CopyIn { at: Path::new(""), rename, replaces: false, owner: Owner::Me };
        copy_in(&mut archive, folder.as_fd(), &copy).map_err(|error| match error {
            layers::Error::Clash { is_folder, path, .. } => {
                let path = incoming.folder.join(path.strip_prefix("/").unwrap_or(&path));
                layers::Error::Clash { is_folder, path, at: incoming.folder.clone() }.to_string()
            }
            error => error.to_string(),
        })
    });
    match unpacked.await {
        Ok(Ok(notes)) => {
            notes.iter().for_each(|note| tracing::warn!("{note}"));
            Ok(())
        }
        Ok(Err(why)) => Err(Error::local(why)),
        Err(defect) => Err(Error::local(defect.to_string())),
    }
}

impl Client {
    /// What is at a path of a container.
    ///
    /// # Errors
    /// There is nothing, or no such container: which of them, no body tells (RFC 9110, section 9.3.2).
    pub async fn path_stat(&self, container: &str, path: &str) -> Result<ContainerPathStat> {
        let asked = self.head(format!("/containers/{container}/archive")).query("path", path);
        stat(&asked.response().await?)
    }

    /// What is at a path of a container, as an archive.
    ///
    /// # Errors
    /// There is nothing, or it cannot be read.
    pub async fn copy_from(&self, container: &str, path: &str) -> Result<(ContainerPathStat, Body)> {
        let asked = self.get(format!("/containers/{container}/archive")).query("path", path);
        let response = asked.response().await?;
        Ok((stat(&response)?, response.reader()))
    }
}

fn stat(response: &Response) -> Result<ContainerPathStat> {
    let header = response.header(PATH_STAT).unwrap_or_default();
    let missing = |why: String| Error::local(format!("unable to get resource stat from response: {why}"));
    let json = BASE64_STANDARD.decode(header).map_err(|error| missing(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| missing(error.to_string()))
}
