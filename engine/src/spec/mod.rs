//! From a container's record to the OCI runtime configuration that [`process`] carries out.
//!
//! The base is Docker's default specification; what follows changes it as the record says, one aspect a function. Two
//! things are settled later, by the shim, which has the root filesystem before it: who the user is ([`settle_user`]),
//! and with it the home folder.

pub(crate) mod devices;
pub(crate) mod mounts;
pub(crate) mod network_files;
mod rootfs;
pub(crate) mod security;
mod skeleton;
mod targets;

use crate::api::HostConfig;
use crate::container::record::{Container, Record};
use crate::create::merge;
use crate::spec::security::{Seccomp, Security};
use crate::volume::at_start::Shown;
use crate::{Error, Kind, Result};
use process::oci::{
    self, Capabilities, LinuxCpu, LinuxMemory, LinuxNamespace, LinuxNamespaceType, LinuxPids, LinuxResources, Process,
    Root, Spec,
};
use std::collections::HashMap;

/// What a container sees as its PATH, unless its image or its user say otherwise.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The specification of a container that is about to start, with these mounts of the user's in it.
///
/// # Errors
/// If a device is not there, or a profile or limit makes no sense: what the host has is only looked at now.
pub(crate) fn spec(container: &Container, record: &Record, shown: &Shown) -> Result<Spec> {
    let host = &record.host_config;
    let security = Security::parse(host.security_opt.as_deref().unwrap_or_default())?;
    let bounding = bounding(host)?;

    let mut spec = process::defaults::spec();
    let mut root = Root::default();
    root.set_readonly(Some(host.readonly_rootfs));
    spec.set_root(Some(root));
    spec.set_hostname((host.uts_mode != "host").then(|| record.config.hostname.clone()));
    spec.set_domainname(Some(record.config.domainname.clone()).filter(|name| !name.is_empty()));
    spec.set_process(Some(process(record, &security, &bounding)?));
    let base = spec.mounts().clone().unwrap_or_default();
    spec.set_mounts(Some(mounts::mounts(container, record, shown, &security, base)?));

    let mut linux = spec.linux().clone().unwrap_or_default();
    linux.set_namespaces(Some(namespaces(host, linux.namespaces().clone().unwrap_or_default())));
    linux.set_sysctl(Some(sysctls(host)).filter(|sysctls| !sysctls.is_empty()));
    linux.set_seccomp(seccomp(host, &security, &bounding)?);
    linux.set_cgroups_path(Some(cgroup_name(container).into()));
    set_paths(&mut linux, host);
    linux.set_resources(Some(resources(host)));
    devices::add(&mut linux, host)?;
    spec.set_linux(Some(linux));
    Ok(spec)
}

/// Puts the container into a network namespace that exists.
pub(crate) fn set_network(spec: &mut Spec, namespace: &std::path::Path) {
    let namespaces = spec.linux_mut().as_mut().and_then(|linux| linux.namespaces_mut().as_mut());
    for network in namespaces.into_iter().flatten().filter(|kind| kind.typ() == LinuxNamespaceType::Network) {
        network.set_path(Some(namespace.to_owned()));
    }
}

/// The name of the container's cgroup.
pub(crate) fn cgroup_name(container: &Container) -> String {
    format!("kesako/{}", container.id)
}

/// The groups that a process of the container gets besides its own: `--group-add`.
///
/// # Errors
/// There are some, and the kernel lets nobody set any.
pub(crate) fn groups(host: &HostConfig) -> Result<&[String]> {
    let groups = host.group_add.as_deref().unwrap_or_default();
    if !groups.is_empty() && !process::userns::lets_set_groups() {
        let text = format!(
            "cannot add the group {}: without subordinate IDs the kernel lets an ordinary user set no groups; have some given to \
             you (usermod --add-subuids and --add-subgids, and the package uidmap), or run as root",
            groups[0]
        );
        return Err(Error::new(Kind::System, text));
    }
    Ok(groups)
}

/// Writes in who the container runs as, once its own /etc/passwd could be read. HOME is set where nobody set it, and a
/// user other than root holds no capabilities but those of the files it executes.
pub(crate) fn settle_user(spec: &mut Spec, record: &Record, user: &process::user::User) -> Result<()> {
    let bounding = bounding(&record.host_config)?;
    spec.process_mut().as_mut().map_or(Ok(()), |process| settle(process, &bounding, user))
}

/// The same for the process of an exec.
///
/// # Errors
/// There is no such user in an ordinary user's containers.
pub(crate) fn settle(process: &mut Process, bounding: &Capabilities, user: &process::user::User) -> Result<()> {
    let (uid, gid) = (user.uid, user.gid);
    if !process::userns::has(uid, gid) {
        let text = format!(
            "cannot run as user {uid}, group {gid}: without subordinate IDs for it an ordinary user's containers have no such user; \
             have some given to you (usermod --add-subuids and --add-subgids, and the package uidmap), or run as root"
        );
        return Err(Error::new(Kind::System, text));
    }
    let mut oci_user = oci::User::default();
    oci_user.set_uid(user.uid);
    oci_user.set_gid(user.gid);
    oci_user.set_additional_gids(Some(user.additional_gids.clone()));
    process.set_user(oci_user);
    process.set_capabilities(Some(process::capabilities::process_sets(bounding, user.uid == 0)));
    let mut env = process.env().clone().unwrap_or_default();
    if !env.iter().any(|variable| merge::name_of(variable) == "HOME") {
        env.push(format!("HOME={}", user.home));
    }
    process.set_env(Some(env));
    Ok(())
}

/// What bounds the container's capabilities, whoever it runs as.
pub(crate) fn bounding(host: &HostConfig) -> Result<Capabilities> {
    let list = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
    Ok(process::capabilities::resolve(&list(&host.cap_add), &list(&host.cap_drop), host.privileged)?)
}

fn process(record: &Record, security: &Security, bounding: &Capabilities) -> Result<Process> {
    let (config, host) = (&record.config, &record.host_config);
    let mut process = Process::default();
    process.set_terminal(Some(config.tty));
    process.set_args(Some([&record.path].into_iter().chain(&record.args).cloned().collect()));
    process.set_env(Some(environment(record)));
    process.set_cwd(if config.working_dir.is_empty() { "/".into() } else { config.working_dir.clone().into() });
    process.set_no_new_privileges(Some(security.no_new_privileges));
    process.set_capabilities(Some(process::capabilities::process_sets(bounding, true)));
    process.set_oom_score_adj(i32::try_from(host.oom_score_adj).ok().filter(|score| *score != 0));
    let [height, width] = host.console_size;
    if config.tty && height > 0 && width > 0 {
        let size = oci::BoxBuilder::default().height(u64::from(height)).width(u64::from(width)).build();
        process.set_console_size(size.ok());
    }
    let limits = host.ulimits.iter().flatten();
    let limits = limits.map(|limit| Ok(process::rlimits::rlimit(&limit.name, limit.soft, limit.hard)?));
    process.set_rlimits(Some(limits.collect::<Result<Vec<_>>>()?).filter(|limits| !limits.is_empty()));
    Ok(process)
}

/// Docker's own variables first, then the container's: one of the same name takes the place of Docker's, and a name
/// without a value takes it away.
pub(crate) fn environment(record: &Record) -> Vec<String> {
    let mut env = vec![PATH.to_owned(), format!("HOSTNAME={}", record.config.hostname)];
    if record.config.tty {
        env.push("TERM=xterm".to_owned());
    }
    for variable in record.config.env.iter().flatten() {
        let name = merge::name_of(variable);
        let at = env.iter().position(|known| merge::name_of(known) == name);
        match (at, variable.contains('=')) {
            (Some(at), true) => env[at].clone_from(variable),
            (Some(at), false) => drop(env.remove(at)),
            (None, true) => env.push(variable.clone()),
            (None, false) => {}
        }
    }
    env
}

/// Each mode that says `host` leaves the namespace of that kind away: the container then stays in the host's.
fn namespaces(host: &HostConfig, mut namespaces: Vec<LinuxNamespace>) -> Vec<LinuxNamespace> {
    let modes = [
        (LinuxNamespaceType::Network, &host.network_mode),
        (LinuxNamespaceType::Pid, &host.pid_mode),
        (LinuxNamespaceType::Ipc, &host.ipc_mode),
        (LinuxNamespaceType::Uts, &host.uts_mode),
        (LinuxNamespaceType::Cgroup, &host.cgroupns_mode),
    ];
    for (kind, mode) in modes {
        let there = namespaces.iter().any(|namespace| namespace.typ() == kind);
        if mode == "host" {
            namespaces.retain(|namespace| namespace.typ() != kind);
        } else if !there {
            let mut namespace = LinuxNamespace::default();
            namespace.set_typ(kind);
            namespaces.push(namespace);
        }
    }
    namespaces
}

/// The user's, over the two that Docker sets in a network namespace of its own: any port may be opened, and ping needs
/// no privilege, since the ports and the network are nobody else's.
fn sysctls(host: &HostConfig) -> HashMap<String, String> {
    let mut sysctls = HashMap::new();
    if host.network_mode != "host" {
        sysctls.insert("net.ipv4.ip_unprivileged_port_start".to_owned(), "0".to_owned());
        // The range has to exist in the user namespace: in one that maps few groups the kernel refuses it.
        if !crate::info::in_user_namespace() {
            sysctls.insert("net.ipv4.ping_group_range".to_owned(), "0 2147483647".to_owned());
        }
    }
    sysctls.extend(host.sysctls.iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    sysctls
}

fn seccomp(host: &HostConfig, security: &Security, bounding: &Capabilities) -> Result<Option<oci::LinuxSeccomp>> {
    match &security.seccomp {
        Seccomp::Unconfined => Ok(None),
        Seccomp::Builtin if host.privileged => Ok(None),
        Seccomp::Builtin => Ok(Some(process::seccomp::default_spec(bounding))),
        Seccomp::Profile(text) => Ok(process::seccomp::parse_profile(text, bounding)?),
    }
}

/// Masked and read-only paths: the user's own lists, none for the privileged, else Docker's.
fn set_paths(linux: &mut oci::Linux, host: &HostConfig) {
    if host.privileged {
        linux.set_masked_paths(None);
        linux.set_readonly_paths(None);
    }
    if let Some(paths) = &host.masked_paths {
        linux.set_masked_paths(Some(paths.clone()));
    }
    if let Some(paths) = &host.readonly_paths {
        linux.set_readonly_paths(Some(paths.clone()));
    }
}

/// Limits, each only where it was asked for: a controller that nobody asks for is not touched.
pub(crate) fn resources(host: &HostConfig) -> LinuxResources {
    let mut resources = LinuxResources::default();
    let mut memory = LinuxMemory::default();
    memory.set_limit(positive(host.memory));
    memory.set_reservation(positive(host.memory_reservation));
    memory.set_swap(Some(host.memory_swap).filter(|swap| *swap != 0));
    memory.set_disable_oom_killer(host.oom_kill_disable.filter(|disabled| *disabled));
    resources.set_memory(Some(memory).filter(|memory| *memory != LinuxMemory::default()));

    let mut cpu = LinuxCpu::default();
    cpu.set_shares(positive(host.cpu_shares).map(i64::unsigned_abs));
    cpu.set_period(positive(host.cpu_period).map(i64::unsigned_abs));
    cpu.set_quota(Some(host.cpu_quota).filter(|quota| *quota != 0));
    if host.nano_cpus > 0 {
        // `--cpus 1.5` is 150 ms in every 100 ms.
        cpu.set_period(Some(100_000));
        cpu.set_quota(Some(host.nano_cpus / 10_000));
    }
    let named = |set: &String| Some(set.clone()).filter(|set| !set.is_empty());
    cpu.set_cpus(named(&host.cpuset_cpus));
    cpu.set_mems(named(&host.cpuset_mems));
    resources.set_cpu(Some(cpu.clone()).filter(|cpu| *cpu != LinuxCpu::default()));

    resources.set_pids(host.pids_limit.map(|limit| {
        let mut pids = LinuxPids::default();
        pids.set_limit(limit);
        pids
    }));
    resources
}

fn positive(number: i64) -> Option<i64> {
    Some(number).filter(|number| *number > 0)
}

impl From<process::Error> for Error {
    fn from(error: process::Error) -> Self {
        Self::new(crate::Kind::Invalid, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ContainerConfig, Ulimit};
    use crate::container::record::tests::{engine, record};

    fn spec_of(config: ContainerConfig, host_config: HostConfig) -> Spec {
        let (_folder, engine) = engine();
        let record = record("web", config, host_config);
        spec(&engine.container(&record.id), &record, &Shown::default()).unwrap()
    }

    fn host(host_config: HostConfig) -> Spec {
        spec_of(ContainerConfig::default(), host_config)
    }

    /// Destination and options of each mount.
    fn mounts(spec: &Spec) -> Vec<String> {
        let line = |mount: &oci::Mount| {
            format!("{} {}", mount.destination().display(), mount.options().clone().unwrap_or_default().join(","))
        };
        spec.mounts().iter().flatten().map(line).collect()
    }

    #[test]
    fn variables_replace_dockers_own_in_their_place_and_a_bare_name_takes_one_away() {
        let env = ["PATH=/mine", "A=1", "HOSTNAME", "NOTHING"].map(Into::into).into();
        let config = ContainerConfig { env: Some(env), hostname: "h".into(), tty: true, ..Default::default() };
        assert_eq!(environment(&record("web", config, HostConfig::default())), ["PATH=/mine", "TERM=xterm", "A=1"]);
    }

    #[test]
    fn host_modes_leave_namespaces_away() {
        let kinds = |spec: &Spec| {
            let namespaces = spec.linux().as_ref().unwrap().namespaces().clone().unwrap();
            let mut kinds: Vec<_> = namespaces.iter().map(|namespace| namespace.typ().to_string()).collect();
            kinds.sort();
            kinds.join(" ")
        };
        assert_eq!(kinds(&host(HostConfig::default())), "cgroup ipc mnt net pid uts");
        let shared = || "host".to_owned();
        let all = HostConfig {
            network_mode: shared(),
            pid_mode: shared(),
            ipc_mode: shared(),
            uts_mode: shared(),
            cgroupns_mode: shared(),
            ..Default::default()
        };
        let spec = host(all);
        assert_eq!(kinds(&spec), "mnt");
        assert_eq!((spec.hostname(), spec.linux().as_ref().unwrap().sysctl()), (&None, &None));
    }

    #[test]
    fn a_limit_is_set_only_where_it_was_asked_for() {
        assert_eq!(resources(&HostConfig::default()), LinuxResources::default());
        let asked = HostConfig { memory: 8 << 20, nano_cpus: 1_500_000_000, pids_limit: Some(5), ..Default::default() };
        insta::assert_json_snapshot!(resources(&asked), @r#"
        {
          "memory": {
            "limit": 8388608
          },
          "cpu": {
            "quota": 150000,
            "period": 100000
          },
          "pids": {
            "limit": 5
          }
        }
        "#);
    }

    #[test]
    fn the_privileged_meet_no_walls() {
        let spec = host(HostConfig { privileged: true, ..Default::default() });
        let linux = spec.linux().as_ref().unwrap();
        assert_eq!((linux.seccomp(), linux.masked_paths(), linux.readonly_paths()), (&None, &None, &None));
        let sys = mounts(&spec).into_iter().find(|mount| mount.starts_with("/sys ")).unwrap();
        assert!(!sys.split([' ', ',']).any(|option| option == "ro"), "{sys}");
        let plain = host(HostConfig::default());
        assert!(plain.linux().as_ref().unwrap().seccomp().is_some());
    }

    #[test]
    fn mounts_stand_on_those_above_them_and_a_read_only_root_spares_what_programs_need() {
        let tmpfs = [("/a/b", ""), ("/a", "exec"), ("/dev/shm", "size=1m")];
        let tmpfs = tmpfs.map(|(target, options)| (target.to_owned(), options.to_owned())).into();
        let spec = host(HostConfig { tmpfs: Some(tmpfs), readonly_rootfs: true, ..Default::default() });
        insta::assert_snapshot!(mounts(&spec).join("\n"), @r"
        /proc nosuid,noexec,nodev
        /dev nosuid,strictatime,mode=755,size=65536k
        /dev/pts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5
        /sys nosuid,noexec,nodev,ro
        /sys/fs/cgroup nosuid,noexec,nodev,ro
        /dev/mqueue nosuid,noexec,nodev
        /a nosuid,nodev,rprivate,exec
        /a/b noexec,nosuid,nodev,rprivate
        /dev/shm noexec,nosuid,nodev,rprivate,size=1m
        /etc/resolv.conf rbind,rprivate,ro
        /etc/hostname rbind,rprivate,ro
        /etc/hosts rbind,rprivate,ro
        ");
    }

    #[test]
    fn the_user_is_settled_with_home_and_capabilities() {
        let config = ContainerConfig { env: Some(vec!["A=1".into()]), ..Default::default() };
        let ulimits = Some(vec![Ulimit { name: "nofile".into(), soft: 1, hard: 2 }]);
        let record = record("web", config, HostConfig { ulimits, ..Default::default() });
        let (_folder, engine) = engine();
        let mut spec = spec(&engine.container(&record.id), &record, &Shown::default()).unwrap();
        let user = process::user::User { uid: 7, gid: 8, additional_gids: vec![8, 9], home: "/home/u".into() };
        settle_user(&mut spec, &record, &user).unwrap();
        let process = spec.process().as_ref().unwrap();
        assert_eq!((process.user().uid(), process.user().gid()), (7, 8));
        assert_eq!(process.env().as_ref().unwrap().last().unwrap(), "HOME=/home/u");
        let capabilities = process.capabilities().as_ref().unwrap();
        assert_eq!(capabilities.effective().as_ref().map_or(0, |set| set.len()), 0);
        // What the engine itself does not hold it cannot give.
        let nothing = process::capabilities::all().is_empty();
        assert_eq!(capabilities.bounding().as_ref().unwrap().is_empty(), nothing);
        assert_eq!(process.rlimits().as_ref().unwrap().len(), 1);
    }
}
