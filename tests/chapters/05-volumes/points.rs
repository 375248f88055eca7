//! Mounts to try things with.

use volumes::request::TmpfsOptions;
use volumes::{Bind, MountPoint, Source, VolumeUse};

fn at(place: &str, source: Source) -> MountPoint {
    MountPoint { destination: place.to_owned(), source, read_only: false, mode: String::new() }
}

/// `-v name:place`.
pub fn volume(name: &str, place: &str) -> MountPoint {
    at(place, Source::Volume(VolumeUse { name: name.to_owned(), copy: true, ..VolumeUse::default() }))
}

/// `-v place`, once the volume was made and has got this name.
pub fn nameless(name: &str, place: &str) -> MountPoint {
    let volume = VolumeUse { name: name.to_owned(), anonymous: true, copy: true, ..VolumeUse::default() };
    at(place, Source::Volume(volume))
}

/// `-v path:place`.
pub fn bind(path: &str, place: &str) -> MountPoint {
    at(place, Source::Bind(Bind { path: path.to_owned(), ..Bind::default() }))
}

/// `--mount type=tmpfs,target=place`.
pub fn tmpfs(place: &str) -> MountPoint {
    at(place, Source::Tmpfs(TmpfsOptions::default()))
}

/// The volume of a mount, to change something of it.
pub fn with(mut point: MountPoint, change: impl FnOnce(&mut VolumeUse)) -> MountPoint {
    if let Source::Volume(volume) = &mut point.source {
        change(volume);
    }
    point
}
