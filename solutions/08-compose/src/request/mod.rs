//! What a service, a network and a volume are to the engine: the requests of its API that make them, as docker compose
//! makes them (its `pkg/compose/create.go`).

mod endpoints;
mod files;
mod labels;
mod limits;
mod mounts;
mod resources;

pub use files::{File, copied};
pub use resources::{network, volume};

use crate::error::{Error, Result};
use crate::model::{Healthcheck, Model, Service};
use engine::api::{
    ContainerConfig, CreateRequest, EndpointSettings, HealthConfig, HostConfig, LogConfig, MountPoint, NetworkingConfig,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// The first version of the API that takes a container with more than one network.
pub const MANY_NETWORKS: (u32, u32) = (1, 44);

/// A container that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub model: &'a Model,
    /// As the model has it, or as `run` changed it.
    pub service: &'a Service,
    /// What it is to be called, if only until its predecessor is gone.
    pub name: &'a str,
    /// Which of the service's containers it is, from 1. None of what `run` starts.
    pub number: Option<u32>,
    pub run: Option<Run<'a>>,
    pub image: Image<'a>,
    /// The version of the engine's API: what is newer is done in another way, or refused.
    pub api: (u32, u32),
    /// The names of the containers of each service, by number: whose namespaces and volumes may be asked for.
    pub others: &'a BTreeMap<String, Vec<String>>,
    /// The mounts of the container in whose place it is made: its volumes without a name live on. Empty if there is none, or
    /// if they are to be forgotten.
    pub inherit: &'a [MountPoint],
    /// It is made in the place of another.
    pub replaces: bool,
}

/// The image it is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Image<'a> {
    /// `sha256:…`
    pub id: &'a str,
    /// Where its `VOLUME`s are.
    pub volumes: &'a [String],
}

/// What `run` starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run<'a> {
    /// A long random name.
    pub slug: &'a str,
    pub auto_remove: bool,
    /// Somebody types into it.
    pub interactive: bool,
    /// `--use-aliases`: it answers to the service's names, too.
    pub use_aliases: bool,
}

/// The requests that make a container, in this order.
#[derive(Clone, Debug)]
pub struct Container {
    pub name: String,
    /// `linux/amd64`; empty for the engine's own.
    pub platform: String,
    pub create: CreateRequest,
    /// What an engine older than [`MANY_NETWORKS`] connects afterwards, by the networks' names.
    pub connect: Vec<(String, EndpointSettings)>,
    /// What is copied into it before it starts.
    pub files: Vec<File>,
}

/// A service's container.
///
/// # Errors
/// It asks for what the engine is too old for, or for what is not there (yet).
pub fn container(wanted: &Wanted<'_>) -> Result<Container> {
    let service = wanted.service;
    let links = endpoints::links(wanted)?;
    let mut networks = endpoints::networks(wanted, &links)?;
    let mode = match networks.first() {
        _ if !service.network_mode.is_empty() => shared(wanted, &service.network_mode, "network namespace")?,
        Some((first, _)) => first.clone(),
        None => "none".to_owned(),
    };
    let many = wanted.api >= MANY_NETWORKS;
    let connect = if many || networks.is_empty() { Vec::new() } else { networks.split_off(1) };
    let config = config(wanted)?;
    let host_config = HostConfig { network_mode: mode, links: some(links), ..host_config(wanted)? };
    let endpoints_config: BTreeMap<_, _> = networks.into_iter().collect();
    let networking_config = (!endpoints_config.is_empty()).then_some(NetworkingConfig { endpoints_config });
    let default_platform = wanted.model.variables.get("DOCKER_DEFAULT_PLATFORM").map_or("", String::as_str);
    Ok(Container {
        name: wanted.name.to_owned(),
        platform: if service.platform.is_empty() { default_platform } else { &service.platform }.to_owned(),
        create: CreateRequest { config, host_config, networking_config },
        connect,
        files: files::copied(wanted.model, service)?,
    })
}

/// What runs.
fn config(wanted: &Wanted<'_>) -> Result<ContainerConfig> {
    let service = wanted.service;
    let interactive = wanted.run.is_some_and(|run| run.interactive);
    let variable = |(name, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{name}={value}"),
        None => name.clone(),
    };
    Ok(ContainerConfig {
        hostname: service.hostname.clone(),
        domainname: service.domainname.clone(),
        user: service.user.clone(),
        attach_stdin: interactive,
        attach_stdout: true,
        attach_stderr: true,
        exposed_ports: some_map(endpoints::exposed(service)?),
        tty: service.tty,
        open_stdin: service.stdin_open,
        stdin_once: interactive && service.stdin_open,
        env: some(service.environment.iter().map(variable).collect()),
        cmd: service.command.clone(),
        healthcheck: service.healthcheck.as_ref().map(healthcheck).transpose()?,
        image: service.image_name(&wanted.model.name),
        working_dir: service.working_dir.clone(),
        entrypoint: service.entrypoint.clone(),
        labels: labels::of(wanted),
        stop_signal: some_text(&service.stop_signal),
        stop_timeout: service.stop_grace_period.map(|grace| i64::try_from(grace.as_secs()).unwrap_or(i64::MAX)),
        ..ContainerConfig::default()
    })
}

fn healthcheck(check: &Healthcheck) -> Result<HealthConfig> {
    let nanos = |span: Option<Duration>| span.map_or(0, |span| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX));
    if check.start_interval.is_some() && check.start_period.is_none() {
        let what = "healthcheck.start_interval requires healthcheck.start_period to be set";
        return Err(Error::Failed(what.to_owned()));
    }
    Ok(HealthConfig {
        test: if check.disable { Some(vec!["NONE".to_owned()]) } else { check.test.clone() },
        interval: nanos(check.interval),
        timeout: nanos(check.timeout),
        start_period: nanos(check.start_period),
        start_interval: nanos(check.start_interval),
        retries: check.retries.unwrap_or_default(),
    })
}

/// How the host runs it, without its networks.
fn host_config(wanted: &Wanted<'_>) -> Result<HostConfig> {
    let service = wanted.service;
    let (binds, mounts) = mounts::mounts(wanted)?;
    let (security_opt, unconfined) = limits::security(wanted.model, &service.security_opt)?;
    let tmpfs = service.tmpfs.iter().map(|text| text.split_once(':').unwrap_or((text, "")));
    let nothing = || unconfined.then(Vec::new);
    let log_config = service
        .logging
        .as_ref()
        .map(|logging| LogConfig { r#type: logging.driver.clone(), config: logging.options.clone() });
    let mut host = HostConfig {
        auto_remove: wanted.run.is_some_and(|run| run.auto_remove),
        binds: some(binds),
        mounts: some(mounts),
        cap_add: some(service.cap_add.clone()),
        cap_drop: some(service.cap_drop.clone()),
        init: service.init,
        ipc_mode: shared(wanted, &service.ipc, "IPC namespace")?,
        cgroupns_mode: service.cgroup.clone(),
        readonly_rootfs: service.read_only,
        restart_policy: limits::restart_policy(wanted)?,
        shm_size: service.shm_size.0,
        sysctls: some_map(service.sysctls.clone()),
        port_bindings: some_map(endpoints::published(service)),
        volumes_from: some(mounts::volumes_from(wanted)?),
        dns: some(service.dns.clone()),
        dns_search: some(service.dns_search.clone()),
        dns_options: some(service.dns_opt.clone()),
        extra_hosts: some(service.extra_hosts.iter().map(|line| line.replacen('=', ":", 1)).collect()),
        security_opt: some(security_opt),
        userns_mode: service.userns_mode.clone(),
        uts_mode: service.uts.clone(),
        privileged: service.privileged,
        pid_mode: shared(wanted, &service.pid, "PID namespace")?,
        tmpfs: some_map(tmpfs.map(|(target, options)| (target.to_owned(), options.to_owned())).collect()),
        runtime: service.runtime.clone(),
        log_config: log_config.unwrap_or_default(),
        group_add: some(service.group_add.clone()),
        oom_score_adj: service.oom_score_adj,
        masked_paths: nothing(),
        readonly_paths: nothing(),
        ..HostConfig::default()
    };
    limits::set(service, &mut host);
    Ok(host)
}

/// A mode in which `service:NAME` is the name of a container of that service.
fn shared(wanted: &Wanted<'_>, mode: &str, what: &str) -> Result<String> {
    let Some(other) = Service::shared(mode) else { return Ok(mode.to_owned()) };
    match wanted.others.get(other).and_then(|containers| containers.first()) {
        Some(container) => Ok(format!("container:{container}")),
        None => Err(Error::Failed(format!("cannot share {what} with service {other}: container missing"))),
    }
}

/// A list that says something.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn some_map<K, V>(map: BTreeMap<K, V>) -> Option<BTreeMap<K, V>> {
    (!map.is_empty()).then_some(map)
}

fn some_text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
