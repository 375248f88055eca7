//! The mounts of a container that is about to start: what each of them shows, opened on this host.
//!
//! What create decided is in the record. What is only known now is whether the sources are there, and what they are.

use super::{memory, shared};
use crate::container::record::Record;
use crate::{Engine, Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use volumes::{Bind, Held, MountPoint, Options, Source, VolumeName, VolumeUse};

/// All that a container sees besides its image.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub mounts: Vec<ShownMount>,
    /// The modes of the folders that the image has in the places of mounts: see [`crate::spec`].
    pub modes_in_image: BTreeMap<String, u32>,
}

/// A mount, and where on this host it is.
#[derive(Debug)]
pub(crate) struct ShownMount {
    pub point: MountPoint,
    /// What is bound; empty for a tmpfs of the container's own.
    pub path: PathBuf,
    /// Whether it is read-only, whatever the mount says.
    pub read_only: bool,
    /// What `path` names is kept by this: a place in a volume, whose names a container may change at any time.
    _open: Option<OwnedFd>,
}

impl ShownMount {
    /// Whether a file is mounted, and so upon a file.
    pub(crate) fn is_file(&self) -> bool {
        !self.path.as_os_str().is_empty() && fs::metadata(&self.path).is_ok_and(|metadata| !metadata.is_dir())
    }
}

impl Engine {
    /// Opens what the container shall see.
    pub(crate) fn show_mounts(&self, record: &Record) -> Result<Shown> {
        let mounts: Result<_> = record.mount_points.iter().map(|point| self.show(point)).collect();
        let shown = Shown { mounts: mounts?, ..Shown::default() };
        for (name, point) in volumes_of(record) {
            let read_write = (!point.read_only).to_string();
            let attributes = [
                ("container", record.id.as_str()),
                ("destination", &point.destination),
                ("read/write", &read_write),
                ("propagation", ""),
            ];
            self.tell_volume("mount", name, &attributes);
        }
        Ok(shown)
    }

    /// The container does not see it any more.
    pub(crate) fn hide_mounts(&self, record: &Record) {
        for (name, _) in volumes_of(record) {
            self.tell_volume("unmount", name, &[("container", record.id.as_str())]);
            if let Err(error) = self.release_memory(name, &record.id) {
                tracing::warn!("the volume {name} stays mounted: {error}");
            }
        }
    }

    fn show(&self, point: &MountPoint) -> Result<ShownMount> {
        let shown = |path: PathBuf| ShownMount { point: point.clone(), path, read_only: point.read_only, _open: None };
        match &point.source {
            Source::Tmpfs(_) => Ok(shown(PathBuf::new())),
            Source::Bind(bind) => {
                make_source(bind)?;
                shared::check(bind)?;
                Ok(shown(PathBuf::from(&bind.path)))
            }
            Source::Volume(volume) => {
                let held = self.volume_store().hold(&VolumeName::parse(&volume.name)?)?;
                show_volume(&held, volume, shown)
            }
        }
    }
}

fn show_volume(held: &Held, volume: &VolumeUse, shown: impl Fn(PathBuf) -> ShownMount) -> Result<ShownMount> {
    let data = held.volume.data();
    let backing = held.volume.backing();
    let memory = match &backing {
        Options::Tmpfs { data: options, flags } => Some(memory::open(held, options, flags)?),
        Options::Folder | Options::Bind { .. } => None,
    };
    let open = if volume.subpath.is_empty() { memory } else { Some(volumes::subpath(&data, &volume.subpath)?) };
    // The descriptor, and not the path once more: what the path leads to may be another thing by then.
    let path = open.as_ref().map_or(data, |open| PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())));
    let shown = shown(path);
    let read_only = shown.read_only || matches!(backing, Options::Bind { read_only: true, .. });
    Ok(ShownMount { read_only, _open: open, ..shown })
}

/// `-v` makes the folder that is not there. Where there is a file, that is what was meant.
fn make_source(bind: &Bind) -> Result<()> {
    let path = Path::new(&bind.path);
    if !bind.create || path.exists() {
        return Ok(());
    }
    match fs::DirBuilder::new().recursive(true).mode(0o755).create(path) {
        // Something above it is a file: what the mount says of it is clear enough.
        Err(e) if e.kind() == ErrorKind::NotADirectory => Ok(()),
        Err(e) => {
            let text = format!("error while creating mount source path '{0}': mkdir {0}: {1}", bind.path, go_text(&e));
            Err(Error::new(crate::Kind::System, text))
        }
        Ok(()) => Ok(()),
    }
}

/// As Go says it: without Rust's number at the end.
fn go_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn volumes_of(record: &Record) -> impl Iterator<Item = (&str, &MountPoint)> {
    record.mount_points.iter().filter_map(|point| match &point.source {
        Source::Volume(volume) => Some((volume.name.as_str(), point)),
        Source::Bind(_) | Source::Tmpfs(_) => None,
    })
}
