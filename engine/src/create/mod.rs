//! Making a container: from a request and an image to a folder on disk. Nothing runs yet.

pub(crate) mod merge;
mod random_name;
mod unsupported;
pub(crate) mod validate;

use crate::api::{self, ContainerConfig, HostConfig};
use crate::container::id::ContainerId;
use crate::container::names;
use crate::container::record::{Container, Lock, Record};
use crate::container::remove::delete_folder;
use crate::container::state;
use crate::create::merge::merge;
use crate::create::random_name::random_name;
use crate::durable::Durability;
use crate::image::ImageForRun;
use crate::{Engine, Error, Kind, Result, network, spec};
use std::collections::BTreeMap;
use volumes::MountPoint;

impl Engine {
    /// Creates a container, with a random name if none is given.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a request that makes no sense, [`Kind::NotImplemented`] for one that Kesako cannot meet,
    /// [`Kind::NotFound`] without the image, [`Kind::Conflict`] when the name is taken.
    pub fn create(&self, name: Option<&str>, mut request: api::CreateRequest) -> Result<api::CreateResponse> {
        let name = name.filter(|name| !name.is_empty()).map(names::check).transpose()?;
        let mut warnings = validate::validate(&request.config, &request.host_config)?;
        unsupported::refuse(&request)?;
        let networks = network::wishes(self, &request)?;
        request.host_config.links = self.settle_links(&request.host_config)?;
        let image = self.image_for_run(&request.config.image)?;
        merge(&mut request.config, &image.config);
        validate::fill_defaults(&mut request.host_config);
        let passed_over = process::cgroup::passed_over(&spec::resources(&request.host_config))?;
        warnings.extend(passed_over.into_iter().map(str::to_owned));

        let container = self.container(&ContainerId::random());
        if request.config.hostname.is_empty() {
            request.config.hostname = self.hostname(&request.host_config.network_mode, &container.id);
        }
        let mount_points = self.mount_points(&request)?;
        let record =
            Record { networks, ..record(&container.id, request.config, request.host_config, mount_points, &image)? };
        let lock = container.make()?;
        if let Err(error) = self.write(&container, record, name, &lock) {
            delete_folder(&container.folder)?;
            return Err(error);
        }
        Ok(api::CreateResponse { id: container.id.into(), warnings })
    }

    /// Whoever's network it is, theirs is the name. (Without one there, it will not start.)
    fn hostname(&self, network_mode: &str, id: &ContainerId) -> String {
        let name = match network_mode.strip_prefix("container:") {
            Some(other) => self.find(other).and_then(|other| other.record()).ok().map(|record| record.config.hostname),
            None if network_mode == "host" => {
                nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into_owned())
            }
            None => None,
        };
        name.unwrap_or_else(|| id.short().to_owned())
    }

    /// Puts the container into its folder: volumes, name, and last `config.json`, with which it exists. Until then a crash
    /// leaves only what the next one who comes by may clear away.
    fn write(&self, container: &Container, mut record: Record, name: Option<&str>, _lock: &Lock) -> Result<()> {
        // Until the record says that they are used, nobody may remove them.
        let volumes = self.hold_volumes(container, &mut record)?;
        let written = self.name(&container.id, name, record.durability()).and_then(|name| {
            record.name = name;
            self.note_links(&record)?;
            container.save_record(&record)
        });
        if let Err(error) = written {
            self.release_name(&record.name, &container.id)?;
            self.give_up(volumes);
            return Err(error);
        }
        volumes.are_used(container)?;
        self.tell_container("create", container, &record, &[]);
        Ok(())
    }

    /// Reserves the name, or a random one.
    fn name(&self, id: &ContainerId, wanted: Option<&str>, durability: Durability) -> Result<String> {
        if let Some(name) = wanted {
            self.reserve_name(name, id, durability)?;
            return Ok(name.to_owned());
        }
        for attempt in 0..6 {
            let name = random_name(attempt);
            match self.reserve_name(&name, id, durability) {
                Err(error) if error.kind == Kind::Conflict => {}
                other => return other.map(|()| name),
            }
        }
        self.reserve_name(id.short(), id, durability).map(|()| id.short().to_owned())
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it is taken.
    pub fn rename(&self, id: &str, name: &str) -> Result<()> {
        if id.is_empty() || name.is_empty() {
            return Err(Error::new(Kind::Invalid, "Neither old nor new names may be empty"));
        }
        let container = self.find(id)?;
        let _lock = container.lock()?;
        let mut record = container.record()?;
        if record.name == name.strip_prefix('/').unwrap_or(name) {
            let text = "Renaming a container with the same name as its current name";
            return Err(Error::new(Kind::Invalid, text));
        }
        let refused = |e: Error| Error::new(e.kind, format!("Error when allocating new name: {e}"));
        let new = names::check(name).map_err(refused)?;
        // The new name, the record, and then the old name: at each step the container can be found by one of them.
        self.reserve_name(new, &container.id, record.durability()).map_err(refused)?;
        let old = std::mem::replace(&mut record.name, new.to_owned());
        container.save_record(&record)?;
        if container.state()?.status.is_running() && !record.networks.is_empty() {
            // Its neighbours call it by its name.
            crate::shim::call(&container, crate::shim::Request::Networks)?;
        }
        self.release_name(&old, &container.id)?;
        self.tell_container("rename", &container, &record, &[("oldName", &format!("/{old}"))]);
        Ok(())
    }
}

/// The request, merged and checked, as it will be kept.
fn record(
    id: &ContainerId,
    mut config: ContainerConfig,
    host_config: HostConfig,
    mount_points: Vec<MountPoint>,
    image: &ImageForRun,
) -> Result<Record> {
    let mut command = config.entrypoint.iter().flatten().chain(config.cmd.iter().flatten()).cloned();
    let Some(path) = command.next() else {
        return Err(Error::new(Kind::Invalid, "no command specified"));
    };
    let args = command.collect();
    // Empty stays empty: that is "/", and `inspect` tells the two apart.
    if !config.working_dir.is_empty() {
        config.working_dir = volumes::clean(&config.working_dir);
    }
    Ok(Record {
        id: id.clone(),
        name: String::new(),
        created: state::now(),
        image_id: image.id.clone(),
        layers: image.layers.clone(),
        path,
        args,
        config,
        host_config,
        mount_points,
        networks: BTreeMap::new(),
    })
}
