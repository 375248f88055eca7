//! What a file of a container is, as the header `X-Docker-Container-Path-Stat` tells it.

use super::path;
use crate::{Error, Result, api, rooted};
use rustix::fs::{FileType, Stat, fstat};
use std::os::fd::{BorrowedFd, OwnedFd};

/// Describes what was found at this path.
pub(super) fn describe(root: BorrowedFd<'_>, found: &OwnedFd, path: &str) -> Result<api::ContainerPathStat> {
    let status = fstat(found).map_err(|e| Error::system(format!("examine {path}"), e))?;
    let link_target = match FileType::from_raw_mode(status.st_mode) {
        // As far as there is anything.
        FileType::Symlink => rooted::resolve(root, path).map(|target| format!("/{}", target.display())),
        _ => None,
    };
    let time = jiff::Timestamp::new(status.st_mtime, status.st_mtime_nsec as i32).unwrap_or_default();
    Ok(api::ContainerPathStat {
        name: path::base(path).to_owned(),
        size: status.st_size,
        mode: mode(&status),
        mtime: time.to_string(),
        link_target: link_target.unwrap_or_default(),
    })
}

/// Go's `os.FileMode`: the permissions where Unix has them, and the rest from the top.
fn mode(status: &Stat) -> u32 {
    let kind = match FileType::from_raw_mode(status.st_mode) {
        FileType::Directory => 1 << 31,
        FileType::Symlink => 1 << 27,
        FileType::BlockDevice => 1 << 26,
        FileType::CharacterDevice => 1 << 26 | 1 << 21,
        FileType::Fifo => 1 << 25,
        FileType::Socket => 1 << 24,
        _ => 0,
    };
    let special = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let special = special.into_iter().filter(|(bit, _)| status.st_mode & bit != 0).map(|(_, bit)| bit).sum::<u32>();
    kind | special | (status.st_mode & 0o777)
}
