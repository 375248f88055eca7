//! What `docker run` asks for when nothing is asked.

use std::path::PathBuf;

use crate::oci::{self, LinuxNamespaceType as Kind};
use crate::{capabilities, seccomp};

/// Docker's default specification, to be filled with a command, an environment and a user: each namespace but the
/// user's own, the usual mounts, what is hidden of /proc and /sys, the default capabilities and seccomp profile.
pub fn spec() -> oci::Spec {
    let bounding = capabilities::default_set();
    let mut process = oci::Process::default();
    process
        .set_cwd(PathBuf::from("/"))
        .set_terminal(Some(false))
        .set_rlimits(None)
        .set_no_new_privileges(Some(false))
        .set_args(Some(vec!["sh".to_owned()]))
        .set_env(Some(vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()]))
        .set_capabilities(Some(capabilities::process_sets(&bounding, true)));

    let mut linux = oci::Linux::default();
    linux
        .set_namespaces(Some(
            [Kind::Mount, Kind::Uts, Kind::Ipc, Kind::Pid, Kind::Network, Kind::Cgroup].map(namespace).into(),
        ))
        .set_masked_paths(Some(strings(&MASKED)))
        .set_readonly_paths(Some(strings(&READONLY)))
        .set_resources(None)
        .set_devices(None)
        .set_rootfs_propagation(None)
        .set_seccomp(Some(seccomp::default_spec(&bounding)));

    let mut root = oci::Root::default();
    root.set_readonly(Some(false));

    let mut spec = oci::Spec::default();
    spec.set_process(Some(process))
        .set_root(Some(root))
        .set_hostname(None)
        .set_mounts(Some(MOUNTS.iter().map(mount).collect()))
        .set_linux(Some(linux));
    spec
}

/// Destination, type, source, options. /dev first, since others are beneath it.
const MOUNTS: [(&str, &str, &str, &str); 7] = [
    ("/proc", "proc", "proc", "nosuid,noexec,nodev"),
    ("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
    ("/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
    ("/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"),
    ("/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev"),
    ("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"),
    ("/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=67108864"),
];

/// What a container is not shown: the host's memory, keys and hardware.
const MASKED: [&str; 11] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

/// What a container may read but not change: settings of the whole machine.
const READONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

fn namespace(kind: Kind) -> oci::LinuxNamespace {
    let mut namespace = oci::LinuxNamespace::default();
    namespace.set_typ(kind).set_path(None);
    namespace
}

fn mount(&(destination, kind, source, options): &(&str, &str, &str, &str)) -> oci::Mount {
    let mut mount = oci::Mount::default();
    mount
        .set_destination(PathBuf::from(destination))
        .set_typ(Some(kind.to_owned()))
        .set_source(Some(PathBuf::from(source)))
        .set_options(Some(options.split(',').map(str::to_owned).collect()));
    mount
}
