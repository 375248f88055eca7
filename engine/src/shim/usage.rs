//! What a container uses, as its shim sees it: the numbers of its cgroup, and of the links in its network namespace.

use super::launch::Contained;
use crate::api::{
    BlkioEntry, BlkioStats, ContainerStats, CpuStats, CpuUsage, LinkStats, MemoryStats, PidsStats, ThrottlingData,
};
use crate::{Error, Result, container, info};
use process::oci::LinuxNamespaceType;
use std::collections::BTreeMap;
use std::fs;

impl Contained {
    /// A sample.
    ///
    /// # Errors
    /// The kernel's numbers cannot be read.
    pub(super) fn stats(&self) -> Result<ContainerStats> {
        let used = self.cgroup.stats_of(&self.processes()?);
        let host = fs::read_to_string("/proc/stat").map_err(|e| Error::system("read /proc/stat", e))?;
        let entry = |op: &str, value| BlkioEntry { op: op.to_owned(), value, ..BlkioEntry::default() };
        let cpu_stats = CpuStats {
            cpu_usage: CpuUsage {
                total_usage: used.cpu_nanoseconds,
                percpu_usage: Vec::new(),
                usage_in_kernelmode: used.cpu_system_nanoseconds,
                usage_in_usermode: used.cpu_user_nanoseconds,
            },
            system_cpu_usage: system_nanoseconds(&host),
            online_cpus: host.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count()
                as u64,
            throttling_data: ThrottlingData {
                periods: used.periods,
                throttled_periods: used.throttled_periods,
                throttled_time: used.throttled_nanoseconds,
            },
        };
        Ok(ContainerStats {
            read: container::state::now(),
            pids_stats: PidsStats { current: used.pids, limit: used.pids_limit.unwrap_or(0) },
            blkio_stats: BlkioStats {
                io_service_bytes_recursive: Some(vec![
                    entry("read", used.read_bytes),
                    entry("write", used.written_bytes),
                ]),
                ..BlkioStats::default()
            },
            cpu_stats,
            memory_stats: MemoryStats {
                usage: used.memory_usage,
                stats: used.memory_details.into_iter().collect(),
                limit: used.memory_limit.unwrap_or_else(info::memory),
            },
            networks: self.links(),
            ..ContainerStats::default()
        })
    }

    /// The counters of the container's links. In the host's network they are not the container's.
    fn links(&self) -> BTreeMap<String, LinkStats> {
        let namespaces = self.spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
        let own = namespaces.into_iter().flatten().any(|kind| kind.typ() == LinuxNamespaceType::Network);
        let text = fs::read_to_string(format!("/proc/{}/net/dev", self.init.running.pid)).unwrap_or_default();
        if own { links(&text) } else { BTreeMap::new() }
    }
}

/// The first line of /proc/stat: what all processors have done, in clock ticks; the last two fields are part of others
/// (proc_stat(5)).
fn system_nanoseconds(text: &str) -> u64 {
    const PARTS: usize = 7;
    let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
    let line = text.lines().next().unwrap_or_default();
    let fields = line.split_ascii_whitespace().skip(1).take(PARTS);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * tick
}

/// proc_pid_net(5): two lines of headings, then one a link.
fn links(text: &str) -> BTreeMap<String, LinkStats> {
    let link = |line: &str| {
        let (name, counts) = line.split_once(':')?;
        let counts: Vec<u64> = counts.split_ascii_whitespace().filter_map(|count| count.parse().ok()).collect();
        let [rx_bytes, rx_packets, rx_errors, rx_dropped, _, _, _, _, tx_bytes, tx_packets, tx_errors, tx_dropped, ..] =
            counts[..]
        else {
            return None;
        };
        let stats =
            LinkStats { rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_errors, tx_dropped };
        Some((name.trim().to_owned(), stats))
    };
    text.lines().skip(2).filter_map(link).filter(|(name, _)| name != "lo").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let dev = "Inter-|   Receive                                                |  Transmit\n \
                   face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    \
                   lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0\n  \
                   eth0:1506      19    1    2    0     0          0         0     2028      23    3    4    0     0       0          0\n";
        let links = links(dev);
        assert_eq!(links.keys().collect::<Vec<_>>(), ["eth0"]);
        let eth0 = &links["eth0"];
        assert_eq!((eth0.rx_bytes, eth0.rx_packets, eth0.rx_errors, eth0.rx_dropped), (1506, 19, 1, 2));
        assert_eq!((eth0.tx_bytes, eth0.tx_packets, eth0.tx_errors, eth0.tx_dropped), (2028, 23, 3, 4));
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
        assert_eq!(system_nanoseconds("cpu  1 2 3 4 5 6 7 80 90 100\ncpu0 1\n"), 28 * tick);
    }
}
