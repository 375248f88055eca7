//! `deploy`: how many containers, and with which limits. What only a cluster can do is read and has no effect, as with
//! docker compose.

use super::Bytes;
use super::values::duration;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deploy {
    pub mode: String,
    pub replicas: Option<u32>,
    /// Of the service, which is nothing here; its containers do not get them.
    pub labels: BTreeMap<String, String>,
    pub update_config: Option<Update>,
    pub rollback_config: Option<Update>,
    pub resources: Resources,
    pub restart_policy: Option<RestartPolicy>,
    pub placement: Placement,
    pub endpoint_mode: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Update {
    pub parallelism: Option<u64>,
    #[serde(deserialize_with = "duration")]
    pub delay: Option<Duration>,
    pub failure_action: String,
    #[serde(deserialize_with = "duration")]
    pub monitor: Option<Duration>,
    pub max_failure_ratio: f64,
    pub order: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resources {
    pub limits: Option<Limits>,
    pub reservations: Option<Limits>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub cpus: f64,
    pub memory: Bytes,
    pub pids: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestartPolicy {
    /// `none`, `on-failure`, `any`.
    pub condition: String,
    #[serde(deserialize_with = "duration")]
    pub delay: Option<Duration>,
    pub max_attempts: Option<i64>,
    #[serde(deserialize_with = "duration")]
    pub window: Option<Duration>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placement {
    pub constraints: Vec<String>,
    pub preferences: Vec<BTreeMap<String, String>>,
    pub max_replicas_per_node: u64,
}
