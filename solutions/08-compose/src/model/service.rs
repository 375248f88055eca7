//! A service.

use super::values::{duration, named};
use super::{
    Build, Bytes, Dependency, Deploy, Develop, Device, Endpoint, EnvFile, Grant, Healthcheck, Logging, Mount, Port,
    Ulimit,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A service, each key as the compose specification calls it. What is empty was not said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// Under `services`.
    #[serde(skip)]
    pub name: String,
    /// See [`config_hash`](crate::hash::config_hash).
    #[serde(skip)]
    pub hash: String,
    pub profiles: Vec<String>,
    pub annotations: BTreeMap<String, String>,
    /// Whether `up` shows its output.
    pub attach: Option<bool>,
    pub build: Option<Build>,
    pub develop: Option<Develop>,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub cgroup_parent: String,
    pub cgroup: String,
    pub cpu_period: i64,
    pub cpu_quota: i64,
    pub cpu_rt_period: i64,
    pub cpu_rt_runtime: i64,
    pub cpus: f64,
    pub cpuset: String,
    pub cpu_shares: i64,
    /// An empty one is another thing than none: it takes the image's away.
    pub command: Option<Vec<String>>,
    pub configs: Vec<Grant>,
    pub container_name: String,
    pub depends_on: BTreeMap<String, Dependency>,
    pub deploy: Option<Deploy>,
    pub device_cgroup_rules: Vec<String>,
    pub devices: Vec<Device>,
    pub dns: Vec<String>,
    pub dns_opt: Vec<String>,
    pub dns_search: Vec<String>,
    pub domainname: String,
    /// As for `command`.
    pub entrypoint: Option<Vec<String>>,
    /// With what the env files say. A variable without a value is taken away from the image's.
    pub environment: BTreeMap<String, Option<String>>,
    /// Of a project whose environment was not asked for; else they are part of it.
    pub env_file: Vec<EnvFile>,
    /// `80`, `8000-8010/udp`.
    pub expose: Vec<String>,
    pub external_links: Vec<String>,
    /// `host=address`.
    pub extra_hosts: Vec<String>,
    pub group_add: Vec<String>,
    pub hostname: String,
    pub healthcheck: Option<Healthcheck>,
    pub image: String,
    pub init: Option<bool>,
    pub ipc: String,
    pub labels: BTreeMap<String, String>,
    /// As for `env_file`.
    pub label_file: Vec<String>,
    /// `service`, `service:alias`.
    pub links: Vec<String>,
    pub logging: Option<Logging>,
    pub mem_limit: Bytes,
    pub mem_reservation: Bytes,
    pub memswap_limit: Bytes,
    pub mem_swappiness: Bytes,
    pub mac_address: String,
    /// `none`, `host`, `service:NAME`, `container:NAME`, …; empty where it has networks.
    pub network_mode: String,
    #[serde(deserialize_with = "named")]
    pub networks: BTreeMap<String, Endpoint>,
    pub oom_kill_disable: bool,
    pub oom_score_adj: i64,
    pub pid: String,
    pub pids_limit: i64,
    pub platform: String,
    pub ports: Vec<Port>,
    pub privileged: bool,
    pub pull_policy: String,
    pub read_only: bool,
    /// `always`, `on-failure:3`, …
    pub restart: String,
    pub runtime: String,
    pub scale: Option<u32>,
    pub secrets: Vec<Grant>,
    pub security_opt: Vec<String>,
    pub shm_size: Bytes,
    pub stdin_open: bool,
    #[serde(deserialize_with = "duration")]
    pub stop_grace_period: Option<Duration>,
    pub stop_signal: String,
    pub storage_opt: BTreeMap<String, String>,
    pub sysctls: BTreeMap<String, String>,
    /// `/run`, `/run:size=64m`.
    pub tmpfs: Vec<String>,
    pub tty: bool,
    pub ulimits: BTreeMap<String, Ulimit>,
    pub user: String,
    pub userns_mode: String,
    pub uts: String,
    pub volumes: Vec<Mount>,
    /// `service:ro`, `container:NAME`.
    pub volumes_from: Vec<String>,
    pub working_dir: String,
}

impl Service {
    /// How many containers it has.
    #[must_use]
    pub fn scale(&self) -> u32 {
        let replicas = self.deploy.as_ref().and_then(|deploy| deploy.replicas);
        self.scale.or(replicas).unwrap_or(1)
    }

    /// Its image; what is built for it without a name has the project's and the service's.
    #[must_use]
    pub fn image_name(&self, project: &str) -> String {
        if self.image.is_empty() { format!("{project}-{}", self.name) } else { self.image.clone() }
    }

    /// What its container of this number is called.
    #[must_use]
    pub fn container_name(&self, project: &str, number: u32) -> String {
        match self.container_name.as_str() {
            "" => format!("{project}-{}-{number}", self.name),
            name => name.to_owned(),
        }
    }

    /// Its networks' keys, those of the highest priority first.
    #[must_use]
    pub fn networks_by_priority(&self) -> Vec<&str> {
        let mut keys: Vec<_> = self.networks.iter().collect();
        // The sort is stable: among equals, the names are in order.
        keys.sort_by_key(|(_, endpoint)| std::cmp::Reverse(endpoint.priority));
        keys.into_iter().map(|(key, _)| key.as_str()).collect()
    }

    /// The service whose namespace a `network_mode`, `ipc` or `pid` of `service:NAME` names.
    #[must_use]
    pub fn shared(mode: &str) -> Option<&str> {
        mode.strip_prefix("service:")
    }
}
