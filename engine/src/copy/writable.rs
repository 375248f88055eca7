//! Whether a place in a container may be written to, in Docker's words. What is mounted read-only the kernel would refuse as well,
//! but only once half of the archive is there.

use crate::container::record::Record;
use crate::{Error, Kind, Result};
use std::path::Path;

/// What is mounted upon a read-only root for programs to write to.
const ALWAYS: [&str; 2] = ["/dev", "/dev/shm"];

/// Refuses a folder, which is given from the root, links resolved.
pub(super) fn check(record: &Record, folder: &Path) -> Result<()> {
    let folder = Path::new("/").join(folder);
    let host = &record.host_config;
    let mounts = record.mount_points.iter().map(|point| (point.destination.as_str(), point.read_only));
    let memory = host
        .tmpfs
        .iter()
        .flatten()
        .map(|(target, options)| (target.as_str(), options.split(',').any(|option| option == "ro")));
    let above = mounts.chain(memory).chain(ALWAYS.map(|place| (place, false)));
    let above = above.filter(|(place, _)| folder.starts_with(place));
    match above.max_by_key(|(place, _)| Path::new(place).components().count()) {
        Some((_, false)) => Ok(()),
        Some((_, true)) => Err(Error::new(Kind::Invalid, "mounted volume is marked read-only")),
        None if host.readonly_rootfs => Err(Error::new(Kind::Invalid, "container rootfs is marked read-only")),
        None => Ok(()),
    }
}
