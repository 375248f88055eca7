//! What a container must not leave on the host once it is gone.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Panics when a mount, a process or a run-time folder still speaks of this root.
pub(super) fn assert_none(root: &Path) {
    let needle = root.to_str().unwrap().to_owned();
    super::eventually("no mount is left", || !std::fs::read_to_string("/proc/self/mounts").unwrap().contains(&needle));
    let ids = containers_that_were(root);
    super::eventually("no process is left", || processes(&needle, &ids).is_empty());
    for kept in ["containers", "run/containers"] {
        let left: Vec<_> =
            std::fs::read_dir(root.join(kept)).into_iter().flatten().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
    super::eventually("no cgroup is left", || cgroups().iter().all(|name| !ids.contains(name)));
}

/// The IDs of all containers that this root ever had, from its log of events.
fn containers_that_were(root: &Path) -> HashSet<String> {
    let log = std::fs::read_to_string(root.join("run/events.log")).unwrap_or_default();
    let events = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    events
        .filter(|event| event["Type"] == "container")
        .filter_map(|event| Some(event["Actor"]["ID"].as_str()?.to_owned()))
        // A prune is about no container in particular.
        .filter(|id| !id.is_empty())
        .collect()
}

/// The names of the cgroups that lie in a folder `kesako`, in whatever hierarchy.
fn cgroups() -> Vec<String> {
    let mut found = Vec::new();
    let mut look = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = look.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if folder.ends_with("kesako") {
                    found.extend(entry.file_name().into_string());
                }
                look.push(entry.path());
            }
        }
    }
    found
}

/// The processes whose command line or environment names the root, or one of its containers, as a shim's does.
fn processes(needle: &str, ids: &HashSet<String>) -> Vec<String> {
    let own = std::process::id();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != own)
        .filter_map(|pid| {
            let read = |what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
            let words = [read("cmdline"), read("environ")].concat();
            let text = String::from_utf8_lossy(&words).replace('\0', " ");
            let ours = text.contains(needle) || text.split(' ').any(|word| ids.contains(word));
            ours.then_some(format!("{pid}: {text}"))
        })
        .collect()
}
