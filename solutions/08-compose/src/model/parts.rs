//! What a service is made of.

use super::values::{duration, mode};
use super::{Bytes, Ulimit};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How an image is built.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Build {
    /// A folder, a URL, or `service:NAME`.
    pub context: String,
    pub dockerfile: String,
    pub dockerfile_inline: String,
    pub entitlements: Vec<String>,
    pub args: BTreeMap<String, Option<String>>,
    pub provenance: String,
    pub sbom: String,
    pub ssh: BTreeMap<String, Option<String>>,
    pub labels: BTreeMap<String, String>,
    pub cache_from: Vec<String>,
    pub cache_to: Vec<String>,
    pub no_cache: bool,
    pub no_cache_filter: Vec<String>,
    pub additional_contexts: BTreeMap<String, String>,
    pub pull: bool,
    pub extra_hosts: Vec<String>,
    pub network: String,
    pub target: String,
    pub secrets: Vec<Grant>,
    pub shm_size: Bytes,
    pub tags: Vec<String>,
    pub ulimits: BTreeMap<String, Ulimit>,
    pub platforms: Vec<String>,
    pub privileged: bool,
}

/// What `watch` does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Develop {
    pub watch: Vec<Trigger>,
}

/// What is done when something beneath a path changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trigger {
    pub path: String,
    /// `sync`, `rebuild`, `restart`, `sync+restart`, `sync+exec`.
    pub action: String,
    pub target: String,
    pub exec: Hook,
    pub include: Vec<String>,
    pub ignore: Vec<String>,
    pub initial_sync: bool,
}

/// A command in a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hook {
    pub command: Option<Vec<String>>,
}

/// When one that is waited for is good enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Condition {
    #[default]
    #[serde(rename = "service_started")]
    Started,
    #[serde(rename = "service_healthy")]
    Healthy,
    #[serde(rename = "service_completed_successfully")]
    CompletedSuccessfully,
}

impl Condition {
    /// The specification's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "service_started",
            Self::Healthy => "service_healthy",
            Self::CompletedSuccessfully => "service_completed_successfully",
        }
    }

    /// The other way round; None of another word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Started, Self::Healthy, Self::CompletedSuccessfully].into_iter().find(|one| one.as_str() == word)
    }
}

/// One that a service waits for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dependency {
    pub condition: Condition,
    /// Restarted when the other one is.
    pub restart: bool,
    /// Without it, the service is not started.
    pub required: bool,
}

/// What a service is given of a secret or config.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    pub source: String,
    pub target: String,
    pub uid: String,
    pub gid: String,
    #[serde(deserialize_with = "mode")]
    pub mode: Option<u32>,
}

/// A device of the host.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    pub source: String,
    pub target: String,
    pub permissions: String,
}

/// A file with variables.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnvFile {
    pub path: String,
    pub required: bool,
    pub format: String,
}

impl Default for EnvFile {
    fn default() -> Self {
        // The JSON has it only if it is false.
        Self { path: String::new(), required: true, format: String::new() }
    }
}

/// How a container is found to be well.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Healthcheck {
    /// `NONE`, `CMD` or `CMD-SHELL`, and what follows. None: the image's.
    pub test: Option<Vec<String>>,
    #[serde(deserialize_with = "duration")]
    pub timeout: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub interval: Option<Duration>,
    pub retries: Option<i64>,
    #[serde(deserialize_with = "duration")]
    pub start_period: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub start_interval: Option<Duration>,
    pub disable: bool,
}

/// Where the output goes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    pub driver: String,
    pub options: BTreeMap<String, String>,
}

/// A service in a network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    pub aliases: Vec<String>,
    pub driver_opts: BTreeMap<String, String>,
    pub gw_priority: i64,
    pub interface_name: String,
    pub ipv4_address: String,
    pub ipv6_address: String,
    pub mac_address: String,
    pub priority: i64,
}

/// A port of a container, and where it is published.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Port {
    pub name: String,
    pub mode: String,
    pub host_ip: String,
    pub target: u16,
    /// A port, a range of which the engine takes one that is free, or empty for any.
    pub published: String,
    pub protocol: String,
    pub app_protocol: String,
}

/// What is mounted in a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`.
    pub r#type: String,
    /// A path of the host; or the key of a volume, empty for one without a name.
    pub source: String,
    pub target: String,
    pub read_only: bool,
    pub consistency: String,
    pub bind: Option<Bind>,
    pub volume: Option<OfVolume>,
    pub tmpfs: Option<Tmpfs>,
}

/// What only a bind mount has.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bind {
    pub selinux: String,
    pub propagation: String,
    /// Make the source, as a folder, where it is missing.
    pub create_host_path: bool,
    pub recursive: String,
}

impl Default for Bind {
    fn default() -> Self {
        let text = String::new;
        // The JSON has it only if it is false.
        Self { selinux: text(), propagation: text(), create_host_path: true, recursive: text() }
    }
}

/// What only a volume has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfVolume {
    pub labels: BTreeMap<String, String>,
    pub nocopy: bool,
    pub subpath: String,
}

/// What only a tmpfs has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tmpfs {
    pub size: Bytes,
    pub mode: u32,
}
