//! `<data>/networks/<id>.json`: what a network is.

use crate::container::id::ContainerId;
use crate::container::state;
use crate::durable::{self, Durability};
use crate::{Engine, Error, Kind, Result};
use network::Range;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The networks that are always there, and their drivers.
pub(super) const PREDEFINED: [(&str, &str); 3] = [("bridge", "bridge"), ("host", "host"), ("none", "null")];

/// A network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NetworkRecord {
    /// Sixty-four digits, like a container's.
    pub id: ContainerId,
    pub name: String,
    pub created: String,
    /// `bridge`, `host` or `null`.
    pub driver: String,
    pub ipv6: bool,
    pub internal: bool,
    pub attachable: bool,
    /// Its subnets: one for each family that it has.
    pub ranges: Vec<Range>,
    /// The names of the addresses that belong to others.
    pub others: BTreeMap<String, std::net::IpAddr>,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
}

impl NetworkRecord {
    pub(crate) fn is_predefined(&self) -> bool {
        PREDEFINED.iter().any(|(name, _)| *name == self.name)
    }

    /// Containers on it have names; those on the default bridge have not, as in Docker.
    pub(crate) fn has_names(&self) -> bool {
        !self.is_predefined()
    }
}

/// The right to change networks, leases and links: one for all engines of a network namespace, since it is the namespace's
/// links that are changed. The kernel's own file of the namespace is what is locked (or one of ours).
#[derive(Debug)]
pub(crate) struct NetworkLock {
    /// None if this thread had the right already.
    file: Option<File>,
}

thread_local! {
    /// Whether this thread has the right: it would wait for itself for ever.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

impl NetworkLock {
    /// By the kernel's own file.
    pub(super) fn take() -> Result<Self> {
        Self::take_by("/proc/thread-self/ns/net".as_ref(), File::options().read(true))
    }

    fn take_by(path: &Path, options: &OpenOptions) -> Result<Self> {
        if HELD.get() {
            return Ok(Self { file: None });
        }
        let file = options.open(path).map_err(|e| Error::system(format!("open {}", path.display()), e))?;
        file.lock().map_err(|e| Error::system("lock the networks", e))?;
        HELD.set(true);
        Ok(Self { file: Some(file) })
    }
}

impl Drop for NetworkLock {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            HELD.set(false);
        }
    }
}

impl Engine {
    pub(crate) fn lock_networks(&self) -> Result<NetworkLock> {
        if !crate::info::in_user_namespace() {
            return NetworkLock::take();
        }
        // An ordinary user's processes are not all in the same namespace.
        let path = self.roots.run.join("networks.lock");
        NetworkLock::take_by(&path, File::options().write(true).create(true).truncate(false))
    }

    fn networks_folder(&self) -> PathBuf {
        self.roots.data.join("networks")
    }

    fn network_path(&self, id: &ContainerId) -> PathBuf {
        self.networks_folder().join(format!("{id}.json"))
    }

    /// All networks, by name; the predefined ones are made where they are missing.
    pub(crate) fn networks(&self) -> Result<Vec<NetworkRecord>> {
        let mut found = self.written_networks()?;
        if PREDEFINED.iter().any(|(name, _)| !found.iter().any(|network| network.name == *name)) {
            let _lock = self.lock_networks()?;
            found = self.written_networks()?;
            for (name, driver) in PREDEFINED {
                if !found.iter().any(|network| network.name == name) {
                    found.push(self.predefine(name, driver, &found)?);
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Those that are on disk.
    pub(super) fn written_networks(&self) -> Result<Vec<NetworkRecord>> {
        let folder = self.networks_folder();
        let entries = match fs::read_dir(&folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| Error::system(format!("read {}", folder.display()), e))?,
        };
        let mut found = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "json")
                && let Some(network) = durable::read_json(&path)?
            {
                found.push(network);
            }
        }
        Ok(found)
    }

    fn predefine(&self, name: &str, driver: &str, others: &[NetworkRecord]) -> Result<NetworkRecord> {
        let ranges = match driver {
            "bridge" => vec![Range::new(self.free_subnet(others)?, None, None, Vec::new())?],
            _ => Vec::new(),
        };
        let network = NetworkRecord {
            id: ContainerId::random(),
            name: name.to_owned(),
            created: state::now(),
            driver: driver.to_owned(),
            ipv6: false,
            internal: false,
            attachable: false,
            ranges,
            others: BTreeMap::new(),
            options: BTreeMap::new(),
            labels: BTreeMap::new(),
        };
        // It can be made again at any time.
        self.save_network(&network, Durability::Passing)?;
        Ok(network)
    }

    /// Writes a network down. The caller holds the lock.
    pub(super) fn save_network(&self, network: &NetworkRecord, durability: Durability) -> Result<()> {
        crate::container::record::make_private_folder(&self.networks_folder())?;
        durable::write_json(&self.network_path(&network.id), network, durability)
    }

    pub(super) fn forget_network(&self, network: &NetworkRecord) -> Result<()> {
        let path = self.network_path(&network.id);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::system(format!("remove {}", path.display()), e)),
            _ => Ok(()),
        }
    }

    /// A network by its ID, its name, or an unambiguous beginning of its ID.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub(crate) fn find_network(&self, given: &str) -> Result<NetworkRecord> {
        let networks = self.networks()?;
        let exact = networks.iter().find(|network| network.id.as_str() == given || network.name == given);
        if let Some(network) = exact {
            return Ok(network.clone());
        }
        let mut fitting = networks.iter().filter(|network| !given.is_empty() && network.id.as_str().starts_with(given));
        match (fitting.next(), fitting.next()) {
            (Some(network), None) => Ok(network.clone()),
            (None, _) => Err(Error::new(Kind::NotFound, format!("network {given} not found"))),
            (Some(_), Some(_)) => Err(Error::new(
                Kind::Invalid,
                format!("network {given} is ambiguous (several matches found on ID prefix)"),
            )),
        }
    }

    /// Where everything about networks is while containers run.
    pub(crate) fn networks_run_folder(&self) -> PathBuf {
        self.roots.run.join("networks")
    }
}
