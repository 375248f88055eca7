//! What a container must not leave on the host once it is gone.

use std::path::Path;

/// Panics when a mount, a process or a run-time folder still speaks of this root.
pub(super) fn assert_none(root: &Path) {
    let needle = root.to_str().unwrap().to_owned();
    super::eventually("no mount is left", || !std::fs::read_to_string("/proc/self/mounts").unwrap().contains(&needle));
    super::eventually("no process is left", || processes(&needle).is_empty());
    for kept in ["containers", "run/containers"] {
        let left: Vec<_> =
            std::fs::read_dir(root.join(kept)).into_iter().flatten().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

/// The processes whose command line or environment names the root: the shims, and what they started.
fn processes(needle: &str) -> Vec<String> {
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
            text.contains(needle).then_some(format!("{pid}: {text}"))
        })
        .collect()
}
