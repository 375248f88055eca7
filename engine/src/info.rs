//! The engine and its host: `version` and `info`.

use crate::container::state::Status;
use crate::{Engine, Error, Kind, Result, api, learner};
use layers::manifest::Platform;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// The newest version of Docker's Engine API that is spoken here, and the oldest.
pub const API_VERSION: &str = "1.44";
/// See [`API_VERSION`].
pub const MIN_API_VERSION: &str = "1.24";

impl Engine {
    /// `version`: ours, and those of the kernel and the API.
    pub fn version(&self) -> api::Version {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let (kernel, architecture) = (kernel(), architecture());
        let details = [
            ("ApiVersion", API_VERSION),
            ("MinAPIVersion", MIN_API_VERSION),
            ("Os", "linux"),
            ("Arch", &architecture),
            ("KernelVersion", &kernel),
            ("Experimental", "false"),
        ];
        let mut details: BTreeMap<_, _> = details.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        details.extend(learner::chapters().map(|chapters| ("BuiltOn".to_owned(), chapters)));
        let engine = api::Component { name: "Engine".to_owned(), version: version.clone(), details };
        api::Version {
            platform: api::Platform { name: "Kesako".to_owned() },
            components: vec![engine],
            version,
            api_version: API_VERSION.to_owned(),
            min_api_version: MIN_API_VERSION.to_owned(),
            os: "linux".to_owned(),
            arch: architecture,
            kernel_version: kernel,
            ..Default::default()
        }
    }

    /// `info`: how much there is of what, and what this host can do.
    pub fn info(&self) -> Result<api::Info> {
        let entries = self.entries()?;
        let count =
            |wanted: &[Status]| entries.iter().filter(|entry| wanted.contains(&entry.state.status)).count() as u64;
        let running = count(&[Status::Running, Status::Restarting]);
        let paused = count(&[Status::Paused]);
        let total = entries.len() as u64;
        let cgroups = Controllers::of_host();
        let has = |controller: &str| cgroups.has(controller);
        Ok(api::Info {
            id: self.identity(),
            containers: total,
            containers_running: running,
            containers_paused: paused,
            containers_stopped: total - running - paused,
            images: self.count_images(),
            driver: "overlay2".to_owned(),
            driver_status: vec![["Backing Filesystem".to_owned(), filesystem(&self.roots.data)]],
            memory_limit: has("memory"),
            swap_limit: has("memory") && cgroups.limits_swap(),
            cpu_cfs_period: has("cpu"),
            cpu_cfs_quota: has("cpu"),
            cpu_shares: has("cpu"),
            cpu_set: has("cpuset"),
            pids_limit: has("pids"),
            ipv4_forwarding: read("/proc/sys/net/ipv4/ip_forward") == "1",
            oom_kill_disable: has("memory") && !cgroups.unified_memory(),
            system_time: crate::container::state::now(),
            logging_driver: "json-file".to_owned(),
            cgroup_driver: "cgroupfs".to_owned(),
            cgroup_version: if cgroups.unified_memory() { "2" } else { "1" }.to_owned(),
            kernel_version: kernel(),
            operating_system: os_release("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
            os_version: os_release("VERSION_ID").unwrap_or_default(),
            os_type: "linux".to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            index_server_address: "https://index.docker.io/v1/".to_owned(),
            ncpu: std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
            mem_total: memory(),
            docker_root_dir: self.roots.data.display().to_string(),
            name: read("/proc/sys/kernel/hostname"),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            default_runtime: "kesako".to_owned(),
            // A container belongs to its shim: no engine can take it along when it goes.
            live_restore_enabled: true,
            init_binary: "kesako".to_owned(),
            security_options: security_options(),
            warnings: cgroups.warnings(),
            plugins: api::Plugins {
                volume: vec![volumes::DRIVER.to_owned()],
                network: ["bridge", "host", "null"].map(str::to_owned).into(),
                authorization: None,
                log: ["json-file", "none"].map(str::to_owned).into(),
            },
            swarm: api::Swarm { local_node_state: "inactive".to_owned(), ..Default::default() },
            other: absent(),
            ..Default::default()
        })
    }

    /// A name for this installation that stays the same. The machine's own is not for others to see, only a hash of it
    /// (machine-id(5)).
    fn identity(&self) -> String {
        let (machine, root) = (read("/etc/machine-id"), self.roots.data.display());
        layers::Digest::of(format!("{machine} {root}").as_bytes()).hex()[..16].to_owned()
    }
}

/// What Docker tells of its parts, said of ours: there is no containerd, and no proxy.
fn absent() -> serde_json::Map<String, serde_json::Value> {
    let commit = json!({"ID": "", "Expected": ""});
    let fields = json!({
        "Runtimes": {"kesako": {"path": "kesako"}},
        "RegistryConfig": {"InsecureRegistryCIDRs": [], "IndexConfigs": {}, "Mirrors": []},
        "ContainerdCommit": commit, "RuncCommit": commit, "InitCommit": commit, "GenericResources": null,
        "Debug": false, "NFd": 0, "NGoroutines": 0, "NEventsListener": 0, "Isolation": "", "HttpProxy": "",
        "HttpsProxy": "", "NoProxy": ""
    });
    match fields {
        serde_json::Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}

/// Whether this process is in a user namespace: the initial one maps all numbers onto themselves (user_namespaces(7)).
pub(crate) fn in_user_namespace() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        map.split_ascii_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"]
    })
}

fn security_options() -> Vec<String> {
    let mut options = vec!["name=seccomp,profile=builtin".to_owned()];
    if in_user_namespace() {
        options.push("name=rootless".to_owned());
    }
    options.push("name=cgroupns".to_owned());
    options
}

/// The cgroup controllers that a container can be given limits by, and in which hierarchy.
struct Controllers {
    /// Of the unified hierarchy (v2).
    unified: Vec<String>,
    /// Mounted in a hierarchy of their own (v1).
    legacy: Vec<String>,
}

impl Controllers {
    fn of_host() -> Self {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
        let unified = roots.iter().map(|root| read(&format!("{root}/cgroup.controllers")));
        let unified = unified.flat_map(|list| list.split_whitespace().map(Into::into).collect::<Vec<_>>()).collect();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let options = mounts.lines().filter_map(|line| {
            let mut fields = line.split(' ').skip(2);
            (fields.next() == Some("cgroup")).then(|| fields.next()).flatten()
        });
        let legacy = options.flat_map(|options| options.split(',').map(Into::into).collect::<Vec<_>>()).collect();
        Self { unified, legacy }
    }

    fn has(&self, controller: &str) -> bool {
        self.unified.iter().chain(&self.legacy).any(|known| known == controller)
    }

    fn unified_memory(&self) -> bool {
        self.unified.iter().any(|known| known == "memory")
    }

    fn limits_swap(&self) -> bool {
        self.unified_memory() || Path::new("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes").exists()
    }

    /// What is missing, in Docker's words.
    fn warnings(&self) -> Vec<String> {
        let limits = [
            ("memory", "WARNING: No memory limit support"),
            ("cpu", "WARNING: No cpu cfs quota support"),
            ("cpu", "WARNING: No cpu cfs period support"),
            ("cpu", "WARNING: No cpu shares support"),
            ("cpuset", "WARNING: No cpuset support"),
            ("pids", "WARNING: No pids limit support"),
        ];
        let missing = limits.iter().filter(|(controller, _)| !self.has(controller));
        let mut warnings: Vec<String> = missing.map(|(_, warning)| (*warning).to_owned()).collect();
        if self.has("memory") && !self.limits_swap() {
            warnings.insert(0, "WARNING: No swap limit support".to_owned());
        }
        warnings
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn kernel() -> String {
    read("/proc/sys/kernel/osrelease")
}

/// This machine's, as Go and the image format name it: `amd64`.
pub fn architecture() -> String {
    Platform::host().architecture
}

/// Refuses the programs of another machine: there is no emulation here. Empty means this one.
///
/// # Errors
/// [`Kind::Invalid`] for what is no platform, [`Kind::NotImplemented`] for another one.
pub fn refuse_platform(platform: &str) -> Result<()> {
    let (asked, host) = match platform {
        "" => return Ok(()),
        platform => (Platform::parse(platform)?, Platform::host()),
    };
    if (&asked.os, &asked.architecture) == (&host.os, &host.architecture) {
        return Ok(());
    }
    let text = format!("platform {platform} is not supported: this host is {}/{}", host.os, host.architecture);
    Err(Error::new(Kind::NotImplemented, text))
}

pub(crate) fn memory() -> u64 {
    let text = read("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// A value of os-release(5).
fn os_release(key: &str) -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").or_else(|_| fs::read_to_string("/usr/lib/os-release")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

/// The filesystem that holds a folder, by the magic numbers of statfs(2).
fn filesystem(path: &Path) -> String {
    match rustix::fs::statfs(path).map(|stat| stat.f_type as u32) {
        Ok(0xef53) => "extfs",
        Ok(0x5846_5342) => "xfs",
        Ok(0x9123_683e) => "btrfs",
        Ok(0x0102_1994) => "tmpfs",
        Ok(0x2fc1_2fc1) => "zfs",
        Ok(0x794c_7630) => "overlayfs",
        Ok(0xf2f5_2010) => "f2fs",
        _ => "<unknown>",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_programs_run() {
        for fine in ["", "linux", &format!("linux/{}", architecture()), std::env::consts::ARCH] {
            assert!(refuse_platform(fine).is_ok(), "{fine}");
        }
        let refused = |platform: &str| refuse_platform(platform).unwrap_err();
        assert!(refused("linux/s390x").message.contains("this host is linux/"));
        assert_eq!((refused("windows/amd64").kind, refused("a b").kind), (Kind::NotImplemented, Kind::Invalid));
    }
}
