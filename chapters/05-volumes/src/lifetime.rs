//! How long a volume lives: as long as somebody may ask for it.

use crate::mount_point::{MountPoint, Source};

/// The volumes that go with a container when it is removed with its volumes (`rm -v`, `--rm`). `of` are the container's mounts, `others` those
/// of all other containers.
///
/// A volume with a name stays: its name is a promise that somebody will ask for it again. One without a name (`VolumeUse::anonymous`) was
/// made for this container, and with it, it goes. But `--volumes-from` may have lent it to another: as long as any other container has a
/// volume of this name, it stays as well. What is no volume is not ours to remove.
pub fn goes_with(of: &[MountPoint], others: &[MountPoint]) -> Vec<String> {
    // exercise: 5.6 goes_with: without a name, and nobody else's
    todo!("exercise 5.6, goes_with: without a name, and nobody else's")
    // end exercise
}

/// The names of the volumes among these mounts.
pub fn volumes(points: &[MountPoint]) -> impl Iterator<Item = &str> {
    points.iter().filter_map(|point| match &point.source {
        Source::Volume(volume) => Some(volume.name.as_str()),
        Source::Bind(_) | Source::Tmpfs(_) => None,
    })
}
