//! What a container may take and do.

use super::{Wanted, some};
use crate::error::{Error, Result};
use crate::model::{Model, Service, Ulimit};
use engine::api::{self, DeviceMapping, HostConfig, RestartPolicy};
use serde_json::{Value, json};

/// Memory, CPUs, processes and devices. What `deploy` says counts more.
pub(super) fn set(service: &Service, host: &mut HostConfig) {
    host.cgroup_parent.clone_from(&service.cgroup_parent);
    host.memory = service.mem_limit.0;
    host.memory_swap = service.memswap_limit.0;
    host.memory_reservation = service.mem_reservation.0;
    host.oom_kill_disable = Some(service.oom_kill_disable);
    host.cpu_period = service.cpu_period;
    host.cpu_quota = service.cpu_quota;
    host.cpu_shares = service.cpu_shares;
    host.cpuset_cpus.clone_from(&service.cpuset);
    host.nano_cpus = nano(service.cpus);
    host.pids_limit = (service.pids_limit != 0).then_some(service.pids_limit);
    host.device_cgroup_rules = some(service.device_cgroup_rules.clone());
    let device = |device: &crate::model::Device| DeviceMapping {
        path_on_host: device.source.clone(),
        path_in_container: device.target.clone(),
        cgroup_permissions: device.permissions.clone(),
    };
    host.devices = some(service.devices.iter().map(device).collect());
    let ulimit = |(name, Ulimit { soft, hard }): (&String, &Ulimit)| api::Ulimit {
        name: name.clone(),
        soft: *soft,
        hard: *hard,
    };
    host.ulimits = some(service.ulimits.iter().map(ulimit).collect());
    let Some(deploy) = &service.deploy else { return not_ours(service, host) };
    if let Some(limits) = &deploy.resources.limits {
        for (field, value) in [(&mut host.memory, limits.memory.0), (&mut host.nano_cpus, nano(limits.cpus))] {
            if value != 0 {
                *field = value;
            }
        }
        if limits.pids > 0 {
            host.pids_limit = Some(limits.pids);
        }
    }
    // A reserved CPU is a promise that only a cluster can make.
    if let Some(memory) = deploy.resources.reservations.as_ref().map(|reserved| reserved.memory.0).filter(|n| *n != 0) {
        host.memory_reservation = memory;
    }
    not_ours(service, host);
}

fn nano(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}

/// What Docker's engine has and Kesako's refuses by name.
fn not_ours(service: &Service, host: &mut HostConfig) {
    let whole = |number: i64| (number != 0).then(|| json!(number));
    let map = |map: &std::collections::BTreeMap<String, String>| (!map.is_empty()).then(|| json!(map));
    let fields: [(&str, Option<Value>); 5] = [
        ("Annotations", map(&service.annotations)),
        ("StorageOpt", map(&service.storage_opt)),
        ("MemorySwappiness", whole(service.mem_swappiness.0)),
        ("CpuRealtimePeriod", whole(service.cpu_rt_period)),
        ("CpuRealtimeRuntime", whole(service.cpu_rt_runtime)),
    ];
    host.other.extend(fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
}

/// Whether it is started again.
pub(super) fn restart_policy(wanted: &Wanted<'_>) -> Result<RestartPolicy> {
    // What `run` starts, somebody looks after.
    if wanted.run.is_some() {
        return Ok(RestartPolicy::default());
    }
    let service = wanted.service;
    let (name, attempts) = match service.restart.split_once(':') {
        None => (service.restart.as_str(), 0),
        Some((name, attempts)) => {
            let invalid = |_| Error::Failed(format!("maximum retry count must be an integer: {:?}", service.restart));
            (name, attempts.parse().map_err(invalid)?)
        }
    };
    let of_deploy = service.deploy.as_ref().and_then(|deploy| deploy.restart_policy.as_ref());
    let (name, attempts) = match of_deploy {
        Some(policy) => (policy.condition.as_str(), policy.max_attempts.unwrap_or_default()),
        None => (name, attempts),
    };
    let name = match name {
        "none" => "no",
        "any" => "always",
        name => name,
    };
    Ok(RestartPolicy { name: name.to_owned(), maximum_retry_count: attempts })
}

/// The security options as the engine knows them: a seccomp profile by its content. And whether nothing of `/proc` and `/sys`
/// is hidden.
pub(super) fn security(model: &Model, options: &[String]) -> Result<(Vec<String>, bool)> {
    let mut unconfined = false;
    let mut parsed = Vec::new();
    for option in options {
        if option == "systempaths=unconfined" {
            unconfined = true;
            continue;
        }
        let pair = option.split_once('=').or_else(|| option.split_once(':'));
        let Some((key, value)) = pair.or((option == "no-new-privileges").then_some((option, ""))) else {
            return Err(Error::Failed(format!("invalid security-opt: {option:?}")));
        };
        match (key, value) {
            ("seccomp", "unconfined" | "builtin") => parsed.push(option.clone()),
            ("seccomp", path) => parsed.push(format!("seccomp={}", profile(model, path)?)),
            _ => parsed.push(option.clone()),
        }
    }
    Ok((parsed, unconfined))
}

fn profile(model: &Model, path: &str) -> Result<Value> {
    let failed = |why: &dyn std::fmt::Display| Error::Failed(format!("opening seccomp profile ({path}) failed: {why}"));
    let text = crate::files::read(&crate::scalar::join(&model.folder, path)).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}
