//! From the flags of `run` and `create` to the request that the engine understands.

use super::container::ContainerFlags;
use super::{device, environment, mount, security};
use anyhow::{Result, bail};
use engine::api::{ContainerConfig, CreateRequest, HealthConfig, HostConfig, LogConfig, RestartPolicy};
use std::collections::BTreeMap;

impl ContainerFlags {
    /// What shall be created. `detached`: nothing of ours is joined to it.
    pub fn request(&self, detached: bool) -> Result<CreateRequest> {
        if !matches!(self.pull.as_str(), "" | "always" | "missing" | "never") {
            bail!("invalid pull option: '{}': must be one of \"always\", \"missing\" or \"never\"", self.pull);
        }
        let (volumes, binds) = mount::short(&self.volume)?;
        let config = ContainerConfig { volumes: Some(volumes), ..self.config(detached)? };
        let host_config = HostConfig { binds: (!binds.is_empty()).then_some(binds), ..self.host_config()? };
        let request = CreateRequest { config, host_config, networking_config: self.networking()? };
        if self.rm && !matches!(self.restart.as_str(), "" | "no") {
            bail!("conflicting options: cannot specify both --restart and --rm");
        }
        Ok(request)
    }

    fn config(&self, detached: bool) -> Result<ContainerConfig> {
        let (image, command) = self.words.split_first().map(|(i, c)| (i.clone(), c.to_vec())).unwrap_or_default();
        let attaches = |stream: &str| !detached && self.attach.iter().any(|a| a == stream);
        let default = !detached && self.attach.is_empty();
        let attach_stdin = attaches("stdin") || (self.interactive && !detached);
        Ok(ContainerConfig {
            hostname: self.hostname.clone(),
            domainname: self.domainname.clone(),
            user: self.user.clone(),
            attach_stdin,
            exposed_ports: self.ports()?.0,
            attach_stdout: default || attaches("stdout"),
            attach_stderr: default || attaches("stderr"),
            tty: self.tty,
            open_stdin: self.interactive,
            // The container's stdin ends when we do.
            stdin_once: self.interactive && attach_stdin,
            env: Some(environment::variables(&self.env_file, &self.env)?),
            cmd: (!command.is_empty()).then_some(command),
            image,
            working_dir: self.workdir.clone(),
            // An empty entrypoint is not none: it takes the image's away.
            entrypoint: self.entrypoint.clone().map(|entrypoint| vec![entrypoint]),
            labels: environment::labels(&self.label_file, &self.label)?.into_iter().collect(),
            stop_signal: self.stop_signal.clone(),
            stop_timeout: self.stop_timeout,
            healthcheck: self.healthcheck()?,
            ..ContainerConfig::default()
        })
    }

    fn healthcheck(&self) -> Result<Option<HealthConfig>> {
        let command = (!self.health_cmd.is_empty()).then(|| vec!["CMD-SHELL".to_owned(), self.health_cmd.clone()]);
        let wanted = HealthConfig {
            test: command,
            interval: self.health_interval,
            timeout: self.health_timeout,
            start_period: self.health_start_period,
            start_interval: self.health_start_interval,
            retries: self.health_retries,
        };
        let is_given = wanted != HealthConfig::default();
        if self.no_healthcheck {
            if is_given {
                bail!("--no-healthcheck conflicts with --health-* options");
            }
            return Ok(Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..wanted }));
        }
        let numbers = [
            ("interval", wanted.interval),
            ("timeout", wanted.timeout),
            ("retries", wanted.retries),
            ("start-period", wanted.start_period),
            ("start-interval", wanted.start_interval),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number < 0) {
            bail!("--health-{name} cannot be negative");
        }
        Ok(is_given.then_some(wanted))
    }

    fn host_config(&self) -> Result<HostConfig> {
        namespace_mode("--pid: invalid PID mode", &self.pid)?;
        if !matches!(self.uts.as_str(), "" | "host") {
            bail!("--uts: invalid UTS mode");
        }
        let (security_opt, open_paths) = security::parse(&self.security_opt)?;
        let paths = || if open_paths { Some(Vec::new()) } else { None };
        if self.log_driver == "none" && !self.log_opt.is_empty() {
            bail!("invalid logging opts for driver {}", self.log_driver);
        }
        let (_, port_bindings) = self.ports()?;
        let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
        Ok(HostConfig {
            container_id_file: self.cidfile.clone().unwrap_or_default(),
            log_config: LogConfig { r#type: self.log_driver.clone(), config: pairs(&self.log_opt) },
            network_mode: self.network_mode()?,
            port_bindings,
            publish_all_ports: self.publish_all,
            dns: some(&self.dns),
            dns_search: some(&self.dns_search),
            dns_options: some(&self.dns_option),
            extra_hosts: some(&self.add_host),
            links: some(&self.link),
            restart_policy: restart_policy(&self.restart)?,
            auto_remove: self.rm,
            cap_add: some(&self.cap_add),
            cap_drop: some(&self.cap_drop),
            group_add: some(&self.group_add),
            ipc_mode: self.ipc.clone(),
            pid_mode: self.pid.clone(),
            uts_mode: self.uts.clone(),
            oom_score_adj: self.oom_score_adj.unwrap_or(0),
            privileged: self.privileged,
            readonly_rootfs: self.read_only,
            security_opt: some(&security_opt),
            masked_paths: paths(),
            readonly_paths: paths(),
            tmpfs: (!self.tmpfs.is_empty()).then(|| self.tmpfs.iter().map(|t| tmpfs(t)).collect()),
            mounts: (!self.mount.is_empty()).then(|| self.mount.clone()),
            volumes_from: some(&self.volumes_from),
            volume_driver: self.volume_driver.clone(),
            shm_size: self.shm_size.unwrap_or(0),
            sysctls: (!self.sysctl.is_empty()).then(|| pairs(&self.sysctl)),
            devices: Some(self.device.iter().map(|d| device::parse(d)).collect::<Result<_>>()?),
            device_cgroup_rules: some(&self.device_cgroup_rule),
            memory: self.memory.unwrap_or(0),
            memory_reservation: self.memory_reservation.unwrap_or(0),
            memory_swap: self.memory_swap.unwrap_or(0),
            nano_cpus: self.cpus.unwrap_or(0),
            cpu_shares: self.cpu_shares.unwrap_or(0),
            cpu_period: self.cpu_period.unwrap_or(0),
            cpu_quota: self.cpu_quota.unwrap_or(0),
            cpuset_cpus: self.cpuset_cpus.clone(),
            cpuset_mems: self.cpuset_mems.clone(),
            pids_limit: self.pids_limit,
            ulimits: (!self.ulimit.is_empty()).then(|| self.ulimit.clone()),
            init: self.init,
            ..HostConfig::default()
        })
    }
}

/// `host`, `container:NAME`, or nothing.
fn namespace_mode(complaint: &str, mode: &str) -> Result<()> {
    match mode.split_once(':') {
        None if matches!(mode, "" | "host") => Ok(()),
        Some(("container", name)) if !name.is_empty() => Ok(()),
        _ => bail!("{complaint}"),
    }
}

fn pairs(list: &[String]) -> BTreeMap<String, String> {
    list.iter().map(|text| environment::pair(text)).collect()
}

/// `/path[:options]`.
fn tmpfs(text: &str) -> (String, String) {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    (path.to_owned(), options.to_owned())
}

/// `on-failure:3`.
fn restart_policy(text: &str) -> Result<RestartPolicy> {
    let (name, count) = match text.split_once(':') {
        Some(("", _)) => bail!("invalid restart policy format: no policy provided before colon"),
        Some((name, count)) => {
            let count = count.parse().map_err(|_| {
                anyhow::anyhow!("invalid restart policy format: maximum retry count must be an integer")
            })?;
            (name, count)
        }
        None => (text, 0),
    };
    Ok(RestartPolicy { name: name.to_owned(), maximum_retry_count: count })
}
