//! What makes no sense is refused at create, in Docker's words and in its order; what only looks odd is a warning.
//!
//! It looks at the request, and of the host only whether the sources of mounts are there. What else the host lacks is told at
//! the start.

use crate::api::{ContainerConfig, HostConfig, RestartPolicy};
use crate::spec::security::Security;
use crate::{Error, Kind, Result};

/// The smallest memory limit that a process survives: Docker's.
const MINIMUM_MEMORY: i64 = 6 * 1024 * 1024;

/// Docker's default size of `/dev/shm`.
const SHM_SIZE: i64 = 64 * 1024 * 1024;

fn invalid<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(Kind::Invalid, message))
}

/// Checks what the user asked for before it is merged with the image. Answers with warnings.
pub(crate) fn validate(config: &ContainerConfig, host: &HostConfig) -> Result<Vec<String>> {
    hostname_conflicts(config, host)?;
    container(config)?;
    if host.auto_remove && !matches!(host.restart_policy.name.as_str(), "" | "no") {
        return invalid("can't create 'AutoRemove' container with restart policy");
    }
    for request in host.mounts.iter().flatten() {
        request.point()?.check_source()?;
    }
    host.extra_hosts.iter().flatten().try_for_each(|entry| extra_host(entry))?;
    restart_policy(&host.restart_policy)?;
    crate::spec::bounding(host)?;
    let mut warnings = resources(host)?;
    if host.network_mode == "host" && host.port_bindings.as_ref().is_some_and(|ports| !ports.is_empty()) {
        warnings.push("Published ports are discarded when using host network mode".to_owned());
    }
    namespaces(host)?;
    for (target, options) in host.tmpfs.iter().flatten() {
        absolute_and_not_root(target)?;
        crate::spec::mounts::tmpfs_options(options)?;
    }
    log_options(host)?;
    host.ulimits.iter().flatten().try_for_each(ulimit)?;
    for rule in host.device_cgroup_rules.iter().flatten() {
        crate::spec::devices::parse_rule(rule)?;
    }
    Security::parse(host.security_opt.as_deref().unwrap_or_default())?;
    Ok(warnings)
}

/// The values that Docker fills in where the user said nothing, so that `inspect` shows what holds.
pub(crate) fn fill_defaults(host: &mut HostConfig) {
    if host.restart_policy.name.is_empty() {
        "no".clone_into(&mut host.restart_policy.name);
    }
    if host.network_mode.is_empty() {
        "default".clone_into(&mut host.network_mode);
    }
    if host.memory > 0 && host.memory_swap == 0 {
        host.memory_swap = host.memory.saturating_mul(2);
    }
    if host.shm_size == 0 {
        host.shm_size = SHM_SIZE;
    }
    if host.ipc_mode.is_empty() {
        "private".clone_into(&mut host.ipc_mode);
    }
    if host.cgroupns_mode.is_empty() {
        "private".clone_into(&mut host.cgroupns_mode);
    }
    if host.log_config.r#type.is_empty() {
        "json-file".clone_into(&mut host.log_config.r#type);
    }
    if host.runtime.is_empty() {
        "kesako".clone_into(&mut host.runtime);
    }
    // 0 and everything below have always meant "no limit".
    host.pids_limit = host.pids_limit.filter(|limit| *limit > 0);
}

fn hostname_conflicts(config: &ContainerConfig, host: &HostConfig) -> Result<()> {
    if host.uts_mode == "host" && !config.hostname.is_empty() {
        return invalid("conflicting options: hostname and the UTS mode");
    }
    Ok(())
}

fn container(config: &ContainerConfig) -> Result<()> {
    let folder = &config.working_dir;
    if !folder.is_empty() && !folder.starts_with('/') {
        return invalid(format!("the working directory '{folder}' is invalid, it needs to be an absolute path"));
    }
    if let Some(signal) = config.stop_signal.as_deref().filter(|signal| !signal.is_empty())
        && process::signal::parse(signal).is_err()
    {
        return invalid(format!("invalid signal: {signal}"));
    }
    if let Some(nameless) = config.env.iter().flatten().find(|v| v.is_empty() || v.starts_with('=')) {
        return invalid(format!("invalid environment variable: {nameless}"));
    }
    config.healthcheck.as_ref().map_or(Ok(()), crate::container::health::validate)
}

fn absolute_and_not_root(path: &str) -> Result<()> {
    if !path.starts_with('/') {
        return invalid(format!("invalid mount path: '{path}' mount path must be absolute"));
    }
    if path.split('/').all(|part| part.is_empty() || part == ".") {
        return invalid("invalid specification: destination can't be '/'");
    }
    Ok(())
}

/// `NAME:ADDRESS`, or `NAME=ADDRESS`.
fn extra_host(entry: &str) -> Result<()> {
    let Some((_, address)) = entry.split_once(['=', ':']).filter(|(name, _)| !name.is_empty()) else {
        return invalid(format!("bad format for add-host: {entry:?}"));
    };
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    if address != "host-gateway" && bare.parse::<std::net::IpAddr>().is_err() {
        return invalid(format!("invalid IP address in add-host: {address:?}"));
    }
    Ok(())
}

fn restart_policy(policy: &RestartPolicy) -> Result<()> {
    let retries = policy.maximum_retry_count;
    match policy.name.as_str() {
        "" => Ok(()),
        "always" | "unless-stopped" | "no" if retries != 0 => {
            let negative = if retries < 0 { " and cannot be negative" } else { "" };
            let text = "invalid restart policy: maximum retry count can only be used with 'on-failure'";
            invalid(format!("{text}{negative}"))
        }
        "on-failure" if retries < 0 => invalid("invalid restart policy: maximum retry count cannot be negative"),
        "always" | "unless-stopped" | "no" | "on-failure" => Ok(()),
        unknown => invalid(format!(
            "invalid restart policy: unknown policy '{unknown}'; use one of 'no', 'always', 'on-failure', or \
             'unless-stopped'"
        )),
    }
}

/// Memory, CPU and the like. Answers with warnings.
fn resources(host: &HostConfig) -> Result<Vec<String>> {
    memory(host)?;
    cpu(host)?;
    let mut warnings = Vec::new();
    if host.oom_kill_disable == Some(true) && host.memory == 0 {
        warnings.push(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system \
             running out of resources."
                .to_owned(),
        );
    }
    if !(-1000..=1000).contains(&host.oom_score_adj) {
        return invalid(format!("Invalid value {}, range for oom score adj is [-1000, 1000]", host.oom_score_adj));
    }
    if host.shm_size < 0 {
        return invalid("SHM size can not be less than 0");
    }
    Ok(warnings)
}

fn memory(host: &HostConfig) -> Result<()> {
    let (limit, swap, soft) = (host.memory, host.memory_swap, host.memory_reservation);
    if limit != 0 && limit < MINIMUM_MEMORY {
        return invalid("Minimum memory limit allowed is 6MB");
    }
    if limit > 0 && swap > 0 && swap < limit {
        return invalid("Minimum memoryswap limit should be larger than memory limit, see usage");
    }
    if limit == 0 && swap > 0 {
        return invalid("You should always set the Memory limit when using Memoryswap limit, see usage");
    }
    if soft > 0 && soft < MINIMUM_MEMORY {
        return invalid("Minimum memory reservation allowed is 6MB");
    }
    if limit > 0 && soft > 0 && limit < soft {
        return invalid("Minimum memory limit can not be less than memory reservation limit, see usage");
    }
    Ok(())
}

fn cpu(host: &HostConfig) -> Result<()> {
    if host.nano_cpus > 0 && host.cpu_period > 0 {
        return invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set");
    }
    if host.nano_cpus > 0 && host.cpu_quota > 0 {
        return invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    }
    if host.nano_cpus != 0 {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        if host.nano_cpus < 0 || host.nano_cpus > (cpus as i64).saturating_mul(1_000_000_000) {
            return invalid(format!(
                "range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
            ));
        }
    }
    if host.cpu_shares < 0 {
        return invalid(format!("invalid CPU shares ({}): value must be a positive integer", host.cpu_shares));
    }
    if host.cpu_period != 0 && !(1000..=1_000_000).contains(&host.cpu_period) {
        return invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
    }
    if host.cpu_quota > 0 && host.cpu_quota < 1000 {
        return invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)");
    }
    Ok(())
}

fn namespaces(host: &HostConfig) -> Result<()> {
    let of_container = |mode: &str| mode.strip_prefix("container:").is_some_and(|name| !name.is_empty());
    let ipc = host.ipc_mode.as_str();
    if !matches!(ipc, "" | "none" | "private" | "shareable" | "host") && !of_container(ipc) {
        return invalid(format!("invalid IPC mode: {ipc}"));
    }
    let pid = host.pid_mode.as_str();
    if !matches!(pid, "" | "host") && !of_container(pid) {
        return invalid(format!("invalid PID mode: {pid}"));
    }
    if !matches!(host.uts_mode.as_str(), "" | "host") {
        return invalid(format!("invalid UTS mode: {}", host.uts_mode));
    }
    if !matches!(host.cgroupns_mode.as_str(), "" | "private" | "host") {
        return invalid(format!("invalid cgroup namespace mode: {}", host.cgroupns_mode));
    }
    if !matches!(host.userns_mode.as_str(), "" | "host") {
        return invalid(format!("invalid user namespace mode: {}", host.userns_mode));
    }
    if host.network_mode == "container:" {
        return invalid("invalid network mode: invalid container format container:<name|id>");
    }
    if !matches!(host.runtime.as_str(), "" | "kesako" | "runc" | "io.containerd.runc.v2") {
        return invalid(format!("unknown or invalid runtime name: {}", host.runtime));
    }
    Ok(())
}

fn log_options(host: &HostConfig) -> Result<()> {
    let driver = host.log_config.r#type.as_str();
    if driver == "none" {
        return Ok(());
    }
    if !matches!(driver, "" | "json-file") {
        return invalid(format!("logger: no log driver named '{driver}' is registered"));
    }
    for option in host.log_config.config.keys() {
        match option.as_str() {
            "max-size" | "max-file" => {}
            "compress" | "labels" | "labels-regex" | "env" | "env-regex" | "tag" => {
                let text = format!("log opt '{option}': Kesako does not have it");
                return Err(Error::new(Kind::NotImplemented, text));
            }
            _ => return invalid(format!("unknown log opt '{option}' for json-file log driver")),
        }
    }
    crate::shim::Bounds::parse(&host.log_config.config).map(drop)
}

fn ulimit(limit: &crate::api::Ulimit) -> Result<()> {
    process::rlimits::rlimit(&limit.name, limit.soft, limit.hard)?;
    let unlimited_soft = limit.soft == -1 && limit.hard != -1;
    if unlimited_soft || (limit.hard != -1 && limit.soft > limit.hard) {
        return invalid(format!(
            "ulimit soft limit must be less than or equal to hard limit: {} > {}",
            limit.soft, limit.hard
        ));
    }
    Ok(())
}
