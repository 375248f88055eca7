//! Everything about one container.

use crate::api::{self, GraphDriver, MountPoint, NetworkSettings};
use crate::container::record::{Container, Record};
use crate::container::state::{State, Status};
use crate::{Engine, Error, Kind, Result, network};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use volumes::Source;

impl Engine {
    /// What `docker inspect` shows. With `size`, the bytes of the container's files, too.
    pub fn inspect(&self, id: &str, size: bool) -> Result<api::ContainerInspect> {
        let container = self.find(id)?;
        let record = container.record()?;
        let state = container.state()?;
        let (size_rw, size_root_fs) = if size { self.sizes(&container, &record)? } else { (None, None) };
        let file = |name: &str| container.run.join(name).display().to_string();
        let driver = "overlay2".to_owned();
        Ok(api::ContainerInspect {
            id: record.id.to_string(),
            created: record.created.clone(),
            path: record.path.clone(),
            args: record.args.clone(),
            state: state.to_api(),
            image: record.image_id.clone(),
            resolv_conf_path: file("resolv.conf"),
            hostname_path: file("hostname"),
            hosts_path: file("hosts"),
            log_path: container.log_path().display().to_string(),
            name: format!("/{}", record.name),
            restart_count: state.restart_count,
            platform: "linux".to_owned(),
            exec_ids: self.exec_ids(&container, &state),
            graph_driver: GraphDriver { name: driver.clone(), data: self.stack(&container, &record) },
            driver,
            size_rw,
            size_root_fs,
            mounts: self.mounts_of(&record),
            network_settings: network_settings(&container, &record, &state),
            host_config: shown(api::HostConfig { links: self.shown_links(&record), ..record.host_config }),
            config: record.config,
            ..Default::default()
        })
    }

    /// What is mounted into the container on the user's behalf. (`--tmpfs` is not among it, `--mount type=tmpfs` is: so it
    /// is in Docker.)
    pub(crate) fn mounts_of(&self, record: &Record) -> Vec<MountPoint> {
        record.mount_points.iter().map(|point| self.described(point)).collect()
    }

    fn described(&self, point: &volumes::MountPoint) -> MountPoint {
        let common = MountPoint {
            destination: point.destination.clone(),
            mode: point.mode.clone(),
            rw: !point.read_only,
            ..Default::default()
        };
        match &point.source {
            Source::Bind(bind) => MountPoint {
                r#type: "bind".to_owned(),
                source: bind.path.clone(),
                propagation: bind.propagation.to_string(),
                ..common
            },
            Source::Volume(volume) => MountPoint {
                r#type: "volume".to_owned(),
                name: volume.name.clone(),
                // It may have been removed by hand; it is shown where it was all the same.
                source: self.volume_store().mountpoint(&volume.name).display().to_string(),
                driver: volumes::DRIVER.to_owned(),
                ..common
            },
            Source::Tmpfs(_) => MountPoint { r#type: "tmpfs".to_owned(), ..common },
        }
    }

    /// The folders of the overlay, as overlayfs would be told them (highest layer first).
    fn stack(&self, container: &Container, record: &Record) -> BTreeMap<String, String> {
        let (upper, work) = container.upper_and_work();
        let lower = self.lower_folders(record).unwrap_or_default();
        let lower: Vec<_> = lower.iter().rev().map(|path| path.display().to_string()).collect();
        let entries = [
            ("ID", record.id.to_string()),
            ("LowerDir", lower.join(":")),
            // Only the container itself sees the merged view: nothing is mounted on the host.
            ("MergedDir", String::new()),
            ("UpperDir", upper.display().to_string()),
            ("WorkDir", work.display().to_string()),
        ];
        entries.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// The bytes of the container's own layer, and of all its files.
    pub(crate) fn sizes(&self, container: &Container, record: &Record) -> Result<(Option<i64>, Option<i64>)> {
        let own = folder_size(&container.upper_and_work().0);
        let mut all = own;
        for layer in self.lower_folders(record)? {
            all += folder_size(&layer);
        }
        Ok((Some(own), Some(all)))
    }

    /// The execs that run in the container; null without any, as Docker has it.
    fn exec_ids(&self, container: &Container, state: &State) -> Option<Vec<String>> {
        if !state.status.is_running() {
            return None;
        }
        let ids = self.running_execs(container);
        (!ids.is_empty()).then_some(ids)
    }

    /// The container's processes, as `ps` of the host shows them.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it does not run.
    pub fn top(&self, id: &str, ps_args: &str) -> Result<api::TopResponse> {
        let container = self.find(id)?;
        let state = container.state()?;
        match state.status {
            Status::Running | Status::Paused => {}
            Status::Restarting => {
                let text = format!("Container {} is restarting, wait until the container is running", container.id);
                return Err(Error::new(Kind::Conflict, text));
            }
            _ => return Err(Error::new(Kind::Conflict, format!("container {} is not running", container.id))),
        }
        let ps_args = if ps_args.is_empty() { "-ef" } else { ps_args };
        let top = super::top::top(&self.processes(&container)?, ps_args)?;
        self.tell_container("top", &container, &container.record()?, &[]);
        Ok(top)
    }
}

/// The bytes of the files beneath a folder. Hard links count once each: this is a figure to get an idea by.
pub(crate) fn folder_size(folder: &Path) -> i64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_size(&entry.path()),
        Ok(metadata) if metadata.is_file() => metadata.len() as i64,
        _ => 0,
    });
    sizes.sum()
}

fn network_settings(container: &Container, record: &Record, state: &State) -> NetworkSettings {
    let networks = network::networks(container, record, state);
    NetworkSettings {
        ports: network::ports(container, record, state),
        other: network::shown_settings(&networks),
        networks,
        ..Default::default()
    }
}

/// The host configuration with what Docker shows besides: its masked paths where nothing else was said, and the fields
/// that Kesako has no use for, with the values that say so. Scripts find in `inspect` all that they find with Docker.
fn shown(mut host: api::HostConfig) -> api::HostConfig {
    if !host.privileged {
        let linux = process::defaults::spec().linux().clone().unwrap_or_default();
        host.masked_paths = host.masked_paths.or(linux.masked_paths().clone());
        host.readonly_paths = host.readonly_paths.or(linux.readonly_paths().clone());
    }
    host.other = fields(json!({
        "Cgroup": "", "Isolation": "", "BlkioWeight": 0,
        "BlkioWeightDevice": [], "BlkioDeviceReadBps": [], "BlkioDeviceWriteBps": [], "BlkioDeviceReadIOps": [],
        "BlkioDeviceWriteIOps": [], "CpuRealtimePeriod": 0, "CpuRealtimeRuntime": 0, "DeviceRequests": null,
        "MemorySwappiness": null, "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0, "IOMaximumBandwidth": 0
    }));
    host
}

fn fields(object: Value) -> serde_json::Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}
