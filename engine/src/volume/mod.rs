//! Volumes: kept by [`volumes`], used by containers. Which container uses which volume is in the containers' records, and
//! nowhere else.

pub(crate) mod at_create;
pub(crate) mod at_start;
mod memory;
mod shared;

use crate::container::inspect::folder_size;
use crate::container::record::Record;
use crate::filters::{boolean, has_labels, labels_allow, matches, only, values};
use crate::{Engine, Error, Filters, Kind, Result, api};
use std::collections::{BTreeMap, BTreeSet};
use volumes::{ANONYMOUS_LABEL, NewVolume, Options, Store, Volume, VolumeName};

impl From<volumes::Error> for Error {
    fn from(error: volumes::Error) -> Self {
        use volumes::Error as E;
        let kind = match error {
            E::NoSuchVolume(_) => Kind::NotFound,
            E::InUse { .. } => Kind::Conflict,
            E::Damaged { .. } | E::Io { .. } => Kind::System,
            _ => Kind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}

impl Engine {
    /// The volumes of this engine.
    pub(crate) fn volume_store(&self) -> Store {
        Store::new(&self.roots.data)
    }

    /// `volume create`: the volume of this name, made if there is none.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a name, an option or a driver that cannot be.
    pub fn create_volume(&self, request: api::VolumeCreate) -> Result<api::Volume> {
        let new = NewVolume {
            driver: request.driver,
            options: request.driver_opts.unwrap_or_default(),
            labels: request.labels,
            passing: false,
        };
        let (name, new) = match request.name.as_str() {
            "" => (VolumeName::random(), marked_anonymous(new)),
            name => (VolumeName::parse(name)?, new),
        };
        Ok(described(&self.make_volume(&name, &new)?.0.volume))
    }

    /// Holds a volume, made if there is none; whether it was is the second answer.
    pub(crate) fn make_volume(&self, name: &VolumeName, new: &NewVolume) -> Result<(volumes::Held, bool)> {
        memory::refuse_to_ordinary_user(name.as_str(), new)?;
        let (held, made) = self.volume_store().hold_or_make(name, new)?;
        if made {
            self.tell_volume("create", name.as_str(), &[]);
        }
        Ok((held, made))
    }

    /// `volume inspect`.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn inspect_volume(&self, name: &str) -> Result<api::Volume> {
        Ok(described(&self.volume_store().get(name)?))
    }

    /// `volume ls`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a filter that does not exist.
    pub fn list_volumes(&self, filters: &Filters) -> Result<api::VolumeList> {
        only(filters, &["dangling", "driver", "label", "name"])?;
        let dangling = boolean(filters, "dangling")?;
        let used = if dangling.is_some() { self.used_volumes()? } else { BTreeSet::new() };
        let drivers = values(filters, "driver");
        let fits = |volume: &Volume| {
            (drivers.is_empty() || drivers.contains(&volume.driver))
                && matches(values(filters, "name"), &volume.name)
                && has_labels(values(filters, "label"), &labels(volume))
                && dangling.is_none_or(|dangling| used.contains(&volume.name) != dangling)
        };
        let volumes = self.volume_store().list()?;
        Ok(api::VolumeList { volumes: volumes.iter().filter(|v| fits(v)).map(described).collect(), warnings: None })
    }

    /// `volume rm`. With `force`, one that is not there is as good as removed.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when a container uses it, running or not.
    pub fn remove_volume(&self, name: &str, force: bool) -> Result<()> {
        let users = || -> Result<Vec<String>> {
            let users = self.users_of_volume(name)?;
            if users.is_empty() {
                memory::forget(&self.volume_store().mountpoint(name))?;
            }
            Ok(users)
        };
        match self.volume_store().remove(name, users) {
            Err(error) if force && error.kind == Kind::NotFound => return Ok(()),
            removed => removed?,
        };
        self.tell_volume("destroy", name, &[]);
        Ok(())
    }

    /// `volume prune`: removes the volumes that no container uses and nobody has named; with `all`, those with a name, too.
    /// What is kept elsewhere than in the volume itself stays.
    pub fn prune_volumes(&self, filters: &Filters) -> Result<api::VolumesPruned> {
        only(filters, &["all", "label", "label!"])?;
        let all = boolean(filters, "all")? == Some(true);
        let mut pruned = api::VolumesPruned::default();
        for volume in self.volume_store().list()? {
            let labels = labels(&volume);
            let chosen = (all || labels.contains_key(ANONYMOUS_LABEL)) && labels_allow(filters, &labels);
            if !chosen || volume.backing() != Options::Folder {
                continue;
            }
            let size = folder_size(&volume.mountpoint()).unsigned_abs();
            match self.remove_volume(&volume.name, false) {
                Ok(()) => {
                    pruned.space_reclaimed += size;
                    pruned.volumes_deleted.push(volume.name);
                }
                // Used, or removed by someone else meanwhile.
                Err(error) if matches!(error.kind, Kind::Conflict | Kind::NotFound) => {}
                Err(error) => tracing::warn!("failed to prune volume {}: {error}", volume.name),
            }
        }
        self.tell("volume", "prune", "", &[("reclaimed", &pruned.space_reclaimed.to_string())]);
        Ok(pruned)
    }

    /// The containers that use a volume, running or not.
    fn users_of_volume(&self, name: &str) -> Result<Vec<String>> {
        let uses = |record: &Record| volumes::volumes(&record.mount_points).any(|used| used == name);
        let records = self.records()?;
        Ok(records.into_iter().filter(uses).map(|record| record.id.to_string()).collect())
    }

    fn used_volumes(&self) -> Result<BTreeSet<String>> {
        let records = self.records()?;
        Ok(records.iter().flat_map(|record| volumes::volumes(&record.mount_points).map(str::to_owned)).collect())
    }

    /// What is written down of each container. One that cannot be read might use anything: that is an error.
    fn records(&self) -> Result<Vec<Record>> {
        let records = self.containers()?.into_iter().map(|container| container.record());
        records.filter(|record| !record.as_ref().is_err_and(|error| error.kind == Kind::NotFound)).collect()
    }

    /// Removes the volumes that go with a container which is not there any more. What cannot be removed is told, and stays
    /// for a prune.
    pub(crate) fn remove_volumes_of(&self, record: &Record) {
        // Most containers have none, and then nobody need ask all others.
        if volumes::goes_with(&record.mount_points, &[]).is_empty() {
            return;
        }
        let others = match self.records() {
            Ok(records) => records.into_iter().flat_map(|other| other.mount_points).collect::<Vec<_>>(),
            Err(error) => return tracing::warn!("the volumes of container {} stay: {error}", record.id),
        };
        for name in volumes::goes_with(&record.mount_points, &others) {
            match self.remove_volume(&name, true) {
                // In conflict with somebody who has just begun to use it.
                Err(error) if error.kind != Kind::Conflict => tracing::warn!("the volume {name} stays: {error}"),
                _ => {}
            }
        }
    }

    /// Writes down what happened to a volume.
    pub(crate) fn tell_volume(&self, action: &str, name: &str, attributes: &[(&str, &str)]) {
        self.tell("volume", action, name, &[&[("driver", volumes::DRIVER)], attributes].concat());
    }
}

/// With the label by which `volume prune` knows it.
pub(crate) fn marked_anonymous(mut new: NewVolume) -> NewVolume {
    new.labels.get_or_insert_default().insert(ANONYMOUS_LABEL.to_owned(), String::new());
    new
}

fn labels(volume: &Volume) -> BTreeMap<String, String> {
    volume.labels.clone().unwrap_or_default()
}

fn described(volume: &Volume) -> api::Volume {
    api::Volume {
        created_at: volume.created_at.clone(),
        driver: volume.driver.clone(),
        labels: volume.labels.clone(),
        mountpoint: volume.mountpoint().display().to_string(),
        name: volume.name.clone(),
        options: volume.options.clone(),
        scope: "local".to_owned(),
        usage_data: None,
    }
}
