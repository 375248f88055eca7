//! The project as types: what the [tree](crate::tree) says, for those who run it.
//!
//! It is read from the same JSON that `config --format json` prints, so what a person is shown is what is run. Whatever the
//! [table](crate::service) has a key for has a field here: another key is an error, so that none is ever lost.

mod deploy;
mod parts;
mod resources;
mod service;
mod values;

pub use deploy::{Deploy, Limits, Placement, Resources, RestartPolicy, Update};
pub use parts::*;
pub use resources::{FileObject, Ipam, Network, Pool, Volume};
pub use service::Service;
pub use values::{Bytes, Ulimit};

use crate::error::{Error, Result};
use crate::interpolate::Variables;
use crate::order::Dependencies;
use crate::project::Project;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A project.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub name: String,
    /// What its relative paths are relative to.
    pub folder: PathBuf,
    /// The files it was read from.
    pub files: Vec<PathBuf>,
    /// The env files that were asked for.
    pub env_files: Vec<PathBuf>,
    /// What its files could use, and what secrets and configs are taken from.
    pub variables: Variables,
    pub services: BTreeMap<String, Service>,
    pub networks: BTreeMap<String, Network>,
    pub volumes: BTreeMap<String, Volume>,
    pub secrets: BTreeMap<String, FileObject>,
    pub configs: BTreeMap<String, FileObject>,
}

impl Model {
    /// Whom each service waits for.
    #[must_use]
    pub fn graph(&self) -> Dependencies {
        let one = |service: &Service| service.depends_on.keys().cloned().collect();
        self.services.iter().map(|(name, service)| (name.clone(), one(service))).collect()
    }
}

impl Project {
    /// The project as types, with the hash of each service, network and volume.
    ///
    /// # Errors
    /// Its files have something that the types have no place for.
    pub fn model(&self) -> Result<Model> {
        let mut value = self.value();
        let mut model = Model {
            name: self.name.clone(),
            folder: self.folder.clone(),
            files: self.files.clone(),
            env_files: self.env_files.clone(),
            variables: self.variables.clone(),
            services: each(&mut value, "services")?,
            networks: each(&mut value, "networks")?,
            volumes: each(&mut value, "volumes")?,
            secrets: each(&mut value, "secrets")?,
            configs: each(&mut value, "configs")?,
        };
        for (name, service) in &mut model.services {
            service.name.clone_from(name);
            service.hash = self.hash(name)?;
        }
        for (key, network) in &mut model.networks {
            network.hash = self.network_hash(key);
            network.at = self.at("networks", key);
        }
        for (key, volume) in &mut model.volumes {
            volume.hash = self.volume_hash(key);
            volume.at = self.at("volumes", key);
        }
        Ok(model)
    }
}

/// What is under a key, name by name, so that an error says whose it is.
fn each<T: DeserializeOwned>(value: &mut Value, kind: &str) -> Result<BTreeMap<String, T>> {
    let Some(Value::Object(map)) = value.get_mut(kind).map(Value::take) else { return Ok(BTreeMap::new()) };
    let one = |(name, value): (String, Value)| match serde_json::from_value(value) {
        Ok(value) => Ok((name, value)),
        Err(error) => Err(Error::Failed(format!("{kind}.{name}: {error}"))),
    };
    map.into_iter().map(one).collect()
}
