//! The mounts of a container that is being created: settled, their volumes made, and new ones filled.

use super::marked_anonymous;
use crate::container::record::{Container, Record};
use crate::container::remove::delete_file;
use crate::durable;
use crate::{Engine, Error, Kind, Result, api};
use std::os::fd::AsFd;
use volumes::settle::{Wishes, lent, mounts, volumes_from};
use volumes::{Held, MountPoint, Source, VolumeName};

/// The volumes of a container that is being created: until this is dropped, nobody removes them.
#[derive(Debug, Default)]
pub(crate) struct HeldVolumes {
    held: Vec<Held>,
    /// Those without a name that were made for this container.
    made: Vec<String>,
}

impl HeldVolumes {
    /// The container exists, and says itself what it uses.
    pub(crate) fn are_used(self, container: &Container) -> Result<()> {
        if self.made.is_empty() { Ok(()) } else { delete_file(&container.removed_path()) }
    }
}

/// Names the volumes that have no name. They are made for this container.
fn name_anonymous(record: &mut Record) -> Vec<String> {
    let mut made = Vec::new();
    for point in &mut record.mount_points {
        if let Source::Volume(volume) = &mut point.source
            && volume.name.is_empty()
        {
            VolumeName::random().as_str().clone_into(&mut volume.name);
            made.push(volume.name.clone());
        }
    }
    made
}

impl Engine {
    /// What the container shall see, out of all that was said; `request` is over its image already. Nothing is made yet.
    pub(crate) fn mount_points(&self, request: &api::CreateRequest) -> Result<Vec<MountPoint>> {
        let (config, host) = (&request.config, &request.host_config);
        let mut from = Vec::new();
        for text in host.volumes_from.iter().flatten() {
            let (container, read_only) = volumes_from(text)?;
            // Not found, but not the image: with a 404 clients would go and pull one.
            let invalid = |error: Error| Error::new(Kind::Invalid, error.message);
            let record = self.find(container).and_then(|container| container.record()).map_err(invalid)?;
            from.extend(lent(&record.mount_points, read_only));
        }
        let points = mounts(Wishes {
            from,
            binds: host.binds.as_deref().unwrap_or_default(),
            mounts: host.mounts.as_deref().unwrap_or_default(),
            tmpfs: host.tmpfs.iter().flatten().map(|(target, _)| target.as_str()).collect(),
            declared: config.volumes.iter().flatten().map(|(target, _)| target.as_str()).collect(),
            driver: &host.volume_driver,
        })?;
        // All of them, before the first is made.
        for name in volumes::volumes(&points).filter(|name| !name.is_empty()) {
            VolumeName::parse(name)?;
        }
        Ok(points)
    }

    /// Makes the volumes that the container needs and that are not there, names those without a name, and fills the empty
    /// ones.
    pub(crate) fn hold_volumes(&self, container: &Container, record: &mut Record) -> Result<HeldVolumes> {
        let mut volumes = HeldVolumes { held: Vec::new(), made: name_anonymous(record) };
        if !volumes.made.is_empty() {
            // Who is killed before the container exists leaves a note of them, as who is killed after it was removed.
            durable::write_json(&container.removed_path(), record, record.durability())?;
        }
        if let Err(error) = self.make_and_fill(record, &mut volumes) {
            self.give_up(volumes);
            return Err(error);
        }
        Ok(volumes)
    }

    fn make_and_fill(&self, record: &mut Record, volumes: &mut HeldVolumes) -> Result<()> {
        let auto_remove = record.host_config.auto_remove;
        for point in &mut record.mount_points {
            let Source::Volume(volume) = &mut point.source else { continue };
            let mut new = std::mem::take(&mut volume.new);
            if volumes.made.contains(&volume.name) {
                new = marked_anonymous(new);
                // With `--rm` it goes when the container does.
                new.passing = auto_remove;
            }
            volumes.held.push(self.make_volume(&VolumeName::parse(&volume.name)?, &new)?.0);
        }
        self.fill_volumes(record, volumes)
    }

    /// Copies what the image has in the places of empty volumes into them.
    fn fill_volumes(&self, record: &Record, volumes: &HeldVolumes) -> Result<()> {
        let wants = |point: &&MountPoint| match &point.source {
            Source::Volume(volume) => volume.copy && self.is_empty(volumes, &volume.name),
            Source::Bind(_) | Source::Tmpfs(_) => false,
        };
        let wanted: Vec<_> = record.mount_points.iter().filter(wants).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let image = layers::overlay::mount(&self.lower_folders(record)?, None)?;
        for point in wanted {
            for held in volumes.held.iter().filter(|held| is(held, point)) {
                let lasting = !(record.host_config.auto_remove && volumes.made.contains(&held.volume.name));
                held.fill(point, image.as_fd(), lasting)?;
            }
        }
        Ok(())
    }

    fn is_empty(&self, volumes: &HeldVolumes, name: &str) -> bool {
        volumes.held.iter().any(|held| held.volume.name == name && held.volume.is_empty())
    }

    /// The container is not to be: what was made for it alone goes, too.
    pub(crate) fn give_up(&self, volumes: HeldVolumes) {
        drop(volumes.held);
        for name in volumes.made {
            if let Err(error) = self.remove_volume(&name, true) {
                tracing::warn!("the volume {name} stays: {error}");
            }
        }
    }
}

fn is(held: &Held, point: &MountPoint) -> bool {
    matches!(&point.source, Source::Volume(volume) if volume.name == held.volume.name)
}
