//! What a container uses, read from the files of whichever tree has the numbers.
//!
//! A controller that was not joined counts nothing. Then the processes themselves are asked, through /proc: dearer, but
//! only for who wants to know.

use std::fs;
use std::path::Path;

use super::Cgroup;
use super::files::read;
use super::hierarchy::Controller;

/// What a container uses right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes, without what the kernel could drop at once (inactive page cache), as `docker stats` shows it.
    pub memory: u64,
    /// Bytes, with it.
    pub memory_usage: u64,
    /// The lines of memory.stat; none where no group counts.
    pub memory_details: Vec<(String, u64)>,
    /// Bytes; nothing if there is no limit.
    pub memory_limit: Option<u64>,
    /// All processors together.
    pub cpu_nanoseconds: u64,
    pub cpu_user_nanoseconds: u64,
    pub cpu_system_nanoseconds: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Nothing if there is no limit.
    pub pids_limit: Option<u64>,
    /// How many periods there were for a limit on processors, in how many the container had to wait, and for how long.
    pub periods: u64,
    pub throttled_periods: u64,
    pub throttled_nanoseconds: u64,
    /// Bytes that were fetched from disks, and sent there.
    pub read_bytes: u64,
    pub written_bytes: u64,
}

/// Of the container whose processes are these.
pub(super) fn stats(cgroup: &Cgroup, pids: &[i32]) -> Stats {
    let mut stats = Stats::default();
    memory(cgroup, pids, &mut stats);
    cpu(cgroup, pids, &mut stats);
    disks(cgroup, pids, &mut stats);
    let folder = folder(cgroup, Controller::Pids, "pids.current");
    stats.pids = match folder.and_then(|folder| number(folder, "pids.current")) {
        Some(count) => count,
        None => pids.iter().map(|pid| entries(&format!("/proc/{pid}/task"))).sum(),
    };
    stats.pids_limit = folder.and_then(|folder| number(folder, "pids.max"));
    stats
}

pub(super) fn oom_kills(cgroup: &Cgroup) -> u64 {
    let v2 = cgroup.unified.as_ref().and_then(|unified| field(&unified.path, "memory.events", "oom_kill"));
    let v1 =
        || v1_folder(cgroup, Controller::Memory).and_then(|folder| field(folder, "memory.oom_control", "oom_kill"));
    v2.or_else(v1).unwrap_or(0)
}

fn memory(cgroup: &Cgroup, pids: &[i32], stats: &mut Stats) {
    if let Some(folder) = folder(cgroup, Controller::Memory, "memory.current") {
        let (used, limit, cache) = match number(folder, "memory.current") {
            Some(used) => (used, number(folder, "memory.max"), field(folder, "memory.stat", "inactive_file")),
            None => (
                number(folder, "memory.usage_in_bytes").unwrap_or(0),
                number(folder, "memory.limit_in_bytes"),
                field(folder, "memory.stat", "total_inactive_file"),
            ),
        };
        stats.memory = used.saturating_sub(cache.unwrap_or(0));
        stats.memory_usage = used;
        stats.memory_details = fields(folder, "memory.stat");
        // v1's «no limit» is a number just short of 2^63.
        stats.memory_limit = limit.filter(|&limit| limit < 1 << 62);
    } else {
        let page = rustix::param::page_size() as u64;
        stats.memory = pids.iter().filter_map(|pid| resident_pages(*pid)).sum::<u64>() * page;
        stats.memory_usage = stats.memory;
    }
}

/// v2's cpu.stat is there even without a controller. Without v2, what the living processes have used.
fn cpu(cgroup: &Cgroup, pids: &[i32], stats: &mut Stats) {
    let (user, system) = match &cgroup.unified {
        Some(unified) => {
            let nanoseconds = |name| field(&unified.path, "cpu.stat", name).unwrap_or(0) * 1000;
            (nanoseconds("user_usec"), nanoseconds("system_usec"))
        }
        None => {
            let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
            let used = pids.iter().filter_map(|pid| ticks(*pid));
            used.fold((0, 0), |(user, system), (u, s)| (user + u * tick, system + s * tick))
        }
    };
    (stats.cpu_user_nanoseconds, stats.cpu_system_nanoseconds) = (user, system);
    stats.cpu_nanoseconds = user + system;
    // v1 tells the time in nanoseconds, v2 in microseconds.
    if let Some(folder) = folder(cgroup, Controller::Cpu, "cpu.max") {
        stats.periods = field(folder, "cpu.stat", "nr_periods").unwrap_or(0);
        stats.throttled_periods = field(folder, "cpu.stat", "nr_throttled").unwrap_or(0);
        let v2 = field(folder, "cpu.stat", "throttled_usec").map(|time| time * 1000);
        stats.throttled_nanoseconds = v2.or_else(|| field(folder, "cpu.stat", "throttled_time")).unwrap_or(0);
    }
}

/// What v2's io controller counts; without it, what the living processes have caused (proc_pid_io(5)).
fn disks(cgroup: &Cgroup, pids: &[i32], stats: &mut Stats) {
    let counted = cgroup.unified.as_ref().and_then(|unified| read(&unified.path, "io.stat").ok());
    let (read, written) = match counted {
        Some(text) => {
            let sum = |key: &str| {
                text.split_whitespace().filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok()).sum()
            };
            (sum("rbytes="), sum("wbytes="))
        }
        None => {
            let of = |pid: i32| Some((proc_io(pid, "read_bytes: ")?, proc_io(pid, "write_bytes: ")?));
            pids.iter().filter_map(|pid| of(*pid)).fold((0, 0), |(read, written), (r, w)| (read + r, written + w))
        }
    };
    (stats.read_bytes, stats.written_bytes) = (read, written);
}

fn proc_io(pid: i32, key: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.parse().ok())
}

/// The folder where a controller counts: v2's if it has the controller's file, else that in v1's tree.
fn folder<'a>(cgroup: &'a Cgroup, controller: Controller, file: &str) -> Option<&'a Path> {
    let unified = cgroup.unified.as_ref().map(|unified| unified.path.as_path());
    unified.filter(|folder| folder.join(file).exists()).or_else(|| v1_folder(cgroup, controller))
}

fn v1_folder(cgroup: &Cgroup, controller: Controller) -> Option<&Path> {
    cgroup.v1.iter().find(|(joined, _)| *joined == controller).map(|(_, folder)| folder.as_path())
}

/// A file with one number in it; nothing for `max`.
fn number(folder: &Path, file: &str) -> Option<u64> {
    read(folder, file).ok()?.trim().parse().ok()
}

/// The number behind a name, in a file with one such pair a line.
fn field(folder: &Path, file: &str, name: &str) -> Option<u64> {
    let text = read(folder, file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// All such pairs of a file.
fn fields(folder: &Path, file: &str) -> Vec<(String, u64)> {
    let text = read(folder, file).unwrap_or_default();
    let pair = |line: &str| line.split_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    text.lines().filter_map(pair).collect()
}

/// The second number of /proc/PID/statm; nothing if the process has just ended.
fn resident_pages(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

/// The fields utime and stime of /proc/PID/stat, the 14th and 15th; a command's name may hold blanks, so they are
/// counted from the bracket behind it.
fn ticks(pid: i32) -> Option<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ').skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn entries(folder: &str) -> u64 {
    fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}
