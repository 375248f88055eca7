//! What is asked for, as files and values: the same limit has one spelling in a v1 tree and another in v2.

use super::hierarchy::Controller;
use crate::{Error, Result, oci};

/// One limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// As a person calls it.
    pub(super) name: &'static str,
    pub(super) controller: Controller,
    pub(super) v1: Vec<Setting>,
    /// Nothing, where v2 has no such thing.
    pub(super) v2: Vec<Setting>,
    /// What Docker says where the kernel lacks the file; then the limit is passed over. Without these words, it is an
    /// error.
    pub(super) discarded: Option<&'static str>,
    /// Asks for «no limit»: nothing to do where there is none.
    pub(super) lifts: bool,
}

/// What to write into which file.
pub(super) type Setting = (&'static str, String);

const NO_SWAP: &str =
    "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.";
const NO_SWAPPINESS: &str = "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.";
const NO_OOM_CONTROL: &str = "Your kernel does not support OomKillDisable. OomKillDisable discarded.";

/// All limits that are really asked for: Docker's zero means «not asked».
///
/// # Errors
/// A limit that Kesako does not know.
pub(super) fn limits(resources: &oci::LinuxResources) -> Result<Vec<Limit>> {
    for (name, asked) in [
        ("block IO", resources.block_io().is_some()),
        ("huge pages", resources.hugepage_limits().is_some()),
        ("network class and priority", resources.network().is_some()),
        ("RDMA", resources.rdma().is_some()),
        ("unified", resources.unified().is_some()),
    ] {
        if asked {
            return Err(Error::Limit { limit: name, reason: "Kesako does not know this limit".into() });
        }
    }
    let mut limits = vec![];
    if let Some(memory) = resources.memory() {
        memory_limits(memory, &mut limits);
    }
    if let Some(cpu) = resources.cpu() {
        cpu_limits(cpu, &mut limits)?;
    }
    if let Some(pids) = resources.pids().filter(|pids| pids.limit() != 0) {
        let setting = ("pids.max", or_max(pids.limit()));
        limits.push(Limit {
            name: "the number of processes",
            controller: Controller::Pids,
            v1: vec![setting.clone()],
            v2: vec![setting],
            discarded: None,
            lifts: pids.limit() < 0,
        });
    }
    Ok(limits)
}

fn memory_limits(memory: &oci::LinuxMemory, limits: &mut Vec<Limit>) {
    let mut push = |name, v1: Setting, v2: Option<Setting>, discarded| {
        let lifts = v1.1.starts_with('-');
        let (v1, v2) = (vec![v1], v2.into_iter().collect());
        limits.push(Limit { name, controller: Controller::Memory, v1, v2, discarded, lifts });
    };
    let limit = memory.limit().filter(|&limit| limit != 0);
    if let Some(limit) = limit {
        push("memory", ("memory.limit_in_bytes", limit.to_string()), Some(("memory.max", or_max(limit))), None);
    }
    if let Some(both) = memory.swap().filter(|&swap| swap != 0) {
        // v1 counts memory and swap together, v2 swap alone.
        let swap = match limit {
            Some(limit) if both > 0 => or_max(both - limit),
            _ => or_max(both),
        };
        push("swap", ("memory.memsw.limit_in_bytes", both.to_string()), Some(("memory.swap.max", swap)), Some(NO_SWAP));
    }
    if let Some(soft) = memory.reservation().filter(|&soft| soft != 0) {
        let v1 = ("memory.soft_limit_in_bytes", soft.to_string());
        push("memory reservation", v1, Some(("memory.low", or_max(soft))), None);
    }
    if let Some(swappiness) = memory.swappiness() {
        push("swappiness", ("memory.swappiness", swappiness.to_string()), None, Some(NO_SWAPPINESS));
    }
    if memory.disable_oom_killer() == Some(true) {
        push("the OOM killer", ("memory.oom_control", "1".into()), None, Some(NO_OOM_CONTROL));
    }
}

fn cpu_limits(cpu: &oci::LinuxCpu, limits: &mut Vec<Limit>) -> Result<()> {
    if cpu.realtime_runtime().is_some_and(|runtime| runtime != 0)
        || cpu.realtime_period().is_some_and(|period| period != 0)
    {
        return Err(Error::Limit { limit: "realtime CPU time", reason: "Kesako does not know this limit".into() });
    }
    let mut push = |name, controller, v1: Vec<Setting>, v2| {
        let lifts = v1.iter().all(|(_, value)| value.starts_with('-'));
        limits.push(Limit { name, controller, v1, v2, discarded: None, lifts });
    };
    if let Some(shares) = cpu.shares().filter(|&shares| shares != 0) {
        let (v1, v2) = (("cpu.shares", shares.to_string()), ("cpu.weight", weight(shares).to_string()));
        push("CPU shares", Controller::Cpu, vec![v1], vec![v2]);
    }
    let quota = cpu.quota().filter(|&quota| quota != 0);
    let period = cpu.period().filter(|&period| period != 0);
    if quota.is_some() || period.is_some() {
        let period_v1 = period.map(|period| ("cpu.cfs_period_us", period.to_string()));
        let quota_v1 = quota.map(|quota| ("cpu.cfs_quota_us", quota.to_string()));
        let v2 = format!("{} {}", or_max(quota.unwrap_or(-1)), period.unwrap_or(100_000));
        push("CPU time", Controller::Cpu, period_v1.into_iter().chain(quota_v1).collect(), vec![("cpu.max", v2)]);
    }
    let asked = |set: &Option<String>| set.clone().filter(|set| !set.is_empty());
    let cpus = asked(cpu.cpus()).map(|cpus| ("cpuset.cpus", cpus));
    let mems = asked(cpu.mems()).map(|mems| ("cpuset.mems", mems));
    if cpus.is_some() || mems.is_some() {
        let settings: Vec<_> = cpus.into_iter().chain(mems).collect();
        push("the set of CPUs", Controller::Cpuset, settings.clone(), settings);
    }
    Ok(())
}

/// v1's shares (2 to 262144, usually 1024) as v2's weight (1 to 10000, usually 100), by runc's formula.
fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9_999 / 262_142
}

/// v2's word for no limit, where Docker says -1.
fn or_max(value: i64) -> String {
    if value < 0 { "max".to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Vec<Limit> {
        limits(&serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn zero_is_not_asked() {
        let limits =
            parse(r#"{"memory":{"limit":0,"swap":0},"cpu":{"shares":0,"quota":0,"cpus":""},"pids":{"limit":0}}"#);
        assert_eq!(limits, []);
    }

    #[test]
    fn swap_is_counted_differently() {
        let limits = parse(r#"{"memory":{"limit":100,"swap":250}}"#);
        assert_eq!(limits[1].v1, [("memory.memsw.limit_in_bytes", "250".to_owned())]);
        assert_eq!(limits[1].v2, [("memory.swap.max", "150".to_owned())]);
        assert_eq!(parse(r#"{"memory":{"limit":100,"swap":-1}}"#)[1].v2, [("memory.swap.max", "max".to_owned())]);
    }

    #[test]
    fn half_a_processor() {
        let limits = parse(r#"{"cpu":{"quota":50000,"period":100000,"shares":1024}}"#);
        assert_eq!(limits[0].v2, [("cpu.weight", "39".to_owned())]);
        assert_eq!(limits[1].v2, [("cpu.max", "50000 100000".to_owned())]);
        assert_eq!(limits[1].v1.len(), 2);
    }

    #[test]
    fn an_unknown_limit_is_refused_by_name() {
        let resources = serde_json::from_str(r#"{"blockIO":{"weight":10}}"#).unwrap();
        assert_eq!(
            limits(&resources).unwrap_err().to_string(),
            "cannot limit block IO: Kesako does not know this limit"
        );
    }
}
