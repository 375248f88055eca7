//! `kesako stats`.

use super::Verb;
use crate::failure::Exit;
use crate::format::{Format, Row, Rows, short_id, units};
use crate::output::put;
use crate::session::{self, Session};
use ::daemon::Client;
use engine::api::{ContainerStats, ContainerSummary, LinkStats};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// How often the screen is drawn anew.
const EVERY: Duration = Duration::from_millis(500);

/// How long a sample may take: they come every second.
const PATIENCE: Duration = Duration::from_secs(3);

/// Display a live stream of container(s) resource usage statistics
#[derive(Debug, clap::Args)]
pub(super) struct Statistics {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    pub(super) all: bool,
    #[arg(long, default_value = "", help = include_str!("../help/list-format.txt"))]
    pub(super) format: String,
    /// Disable streaming stats and only pull the first result
    #[arg(long)]
    pub(super) no_stream: bool,
    /// Do not truncate output
    #[arg(long)]
    pub(super) no_trunc: bool,
    pub(super) containers: Vec<String>,
    /// If none is named, only those with these labels.
    #[arg(skip)]
    pub(super) labels: Vec<String>,
}

const ROWS: Rows = Rows {
    go_type: "*container.statsContext",
    headings: &[
        ("Container", "CONTAINER"),
        ("Name", "NAME"),
        ("ID", "CONTAINER ID"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
};

const TABLE: &str =
    "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

/// The last sample of a container, or why there is none.
type Sample = Result<Option<ContainerStats>, String>;

/// By the name that was asked for, in that order.
type Samples = Rc<RefCell<Vec<(String, Sample)>>>;

impl Verb for Statistics {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = Rc::new(session.connect()?);
        let format = match self.format.as_str() {
            "" | "table" => Format::new(TABLE),
            given => Format::new(given),
        };
        ROWS.check(&format)?;
        let watching = Watching { client, samples: Samples::default(), stream: !self.no_stream };
        let tasks = watching.follow(&self.wanted(&watching.client).await?);
        if self.no_stream {
            for task in tasks {
                task.await?;
            }
            watching.failures(&self.containers)?;
            return put(self.render(&format, &watching)?);
        }
        let begun = tokio::time::Instant::now();
        while !watching.is_complete() && begun.elapsed() < PATIENCE {
            tokio::time::sleep(EVERY / 10).await;
        }
        watching.failures(&self.containers)?;
        loop {
            if self.containers.is_empty() {
                let running = self.wanted(&watching.client).await?;
                watching.samples.borrow_mut().retain(|(id, _)| running.contains(id));
                watching.follow(&running);
            }
            let text = self.render(&format, &watching)?;
            // From the top left, each line up to its end, and what was below goes (console_codes(4)).
            let lines = text.lines().map(|line| format!("{line}\x1b[K\n")).collect::<String>();
            put(format_args!("\x1b[H{lines}\x1b[J"))?;
            tokio::time::sleep(EVERY).await;
        }
    }
}

impl Statistics {
    /// Those that were named, or all.
    async fn wanted(&self, client: &Client) -> anyhow::Result<Vec<String>> {
        if !self.containers.is_empty() {
            return Ok(self.containers.clone());
        }
        let request = client.get("/containers/json").query_json("filters", &BTreeMap::from([("label", &self.labels)]));
        let request = if self.all { request.query("all", 1) } else { request };
        let list: Vec<ContainerSummary> = request.json().await?;
        Ok(list.into_iter().map(|container| container.id).collect())
    }

    fn render(&self, format: &Format, watching: &Watching) -> anyhow::Result<String> {
        let samples = watching.samples.borrow();
        let rows = samples.iter().map(|(asked, sample)| self.row(asked, sample.as_ref().ok().and_then(Option::as_ref)));
        ROWS.render(format, rows.collect())
    }

    fn row(&self, asked: &str, stats: Option<&ContainerStats>) -> Row {
        let none = ContainerStats::default();
        let stats = stats.unwrap_or(&none);
        let invalid = stats.id.is_empty();
        let shown = |text: String, absent: &str| if invalid { absent.to_owned() } else { text };
        let name = stats.name.strip_prefix('/').filter(|name| !name.is_empty()).unwrap_or("--");
        let memory = memory(stats);
        let limit = stats.memory_stats.limit;
        let percent = |value: f64| format!("{value:.2}%");
        let of_limit = if limit == 0 { 0.0 } else { memory as f64 / limit as f64 * 100.0 };
        let both = |one: u64, other: u64| format!("{} / {}", decimal(one), decimal(other));
        let sum = |count: fn(&LinkStats) -> u64| stats.networks.values().map(count).sum();
        let block = |op: char| {
            let entries = stats.blkio_stats.io_service_bytes_recursive.iter().flatten();
            entries.filter(|entry| entry.op.to_lowercase().starts_with(op)).map(|entry| entry.value).sum()
        };
        let usage = format!("{} / {}", units::binary_size(memory), units::binary_size(limit));
        Row::new(vec![
            ("Container", (if self.containers.is_empty() { short_id(asked) } else { asked }).into()),
            ("Name", name.into()),
            ("ID", (if self.no_trunc { &stats.id } else { short_id(&stats.id) }).into()),
            ("CPUPerc", shown(percent(processor(stats)), "--").into()),
            ("MemUsage", shown(usage, "-- / --").into()),
            ("MemPerc", shown(percent(of_limit), "--").into()),
            ("NetIO", shown(both(sum(|link| link.rx_bytes), sum(|link| link.tx_bytes)), "--").into()),
            ("BlockIO", shown(both(block('r'), block('w')), "--").into()),
            ("PIDs", shown(stats.pids_stats.current.to_string(), "--").into()),
        ])
    }
}

fn decimal(bytes: u64) -> String {
    units::size(i64::try_from(bytes).unwrap_or(i64::MAX), 3)
}

/// Of one processor, in percent: what the container has used of what all of them have done since the last sample.
fn processor(stats: &ContainerStats) -> f64 {
    let (now, before) = (&stats.cpu_stats, &stats.precpu_stats);
    let used = now.cpu_usage.total_usage.saturating_sub(before.cpu_usage.total_usage) as f64;
    let system = now.system_cpu_usage.saturating_sub(before.system_cpu_usage) as f64;
    let processors = match now.online_cpus {
        0 => now.cpu_usage.percpu_usage.len() as u64,
        count => count,
    };
    if system > 0.0 { used / system * processors as f64 * 100.0 } else { 0.0 }
}

/// Without what the kernel could drop at once; v1 and v2 of cgroups call that differently.
fn memory(stats: &ContainerStats) -> u64 {
    let memory = &stats.memory_stats;
    let details: &BTreeMap<_, _> = &memory.stats;
    let cache = details.get("total_inactive_file").or_else(|| details.get("inactive_file")).copied().unwrap_or(0);
    if cache < memory.usage { memory.usage - cache } else { memory.usage }
}

/// Those whose samples come in.
struct Watching {
    client: Rc<Client>,
    samples: Samples,
    stream: bool,
}

impl Watching {
    /// Begins to collect for those that are new.
    fn follow(&self, names: &[String]) -> Vec<tokio::task::JoinHandle<()>> {
        let known: Vec<String> = self.samples.borrow().iter().map(|(name, _)| name.clone()).collect();
        let new = names.iter().filter(|name| !known.contains(name));
        let begin = |name: &String| {
            self.samples.borrow_mut().push((name.clone(), Ok(None)));
            let (client, samples, name, stream) =
                (self.client.clone(), self.samples.clone(), name.clone(), self.stream);
            tokio::task::spawn_local(async move {
                if let Err(error) = collect(&client, &samples, &name, stream).await {
                    keep(&samples, &name, Err(session::message(&error)));
                }
            })
        };
        new.map(begin).collect()
    }

    /// Whether each has answered.
    fn is_complete(&self) -> bool {
        self.samples.borrow().iter().all(|(_, sample)| !matches!(sample, Ok(None)))
    }

    /// Those that were named must be there.
    fn failures(&self, named: &[String]) -> anyhow::Result<()> {
        let samples = self.samples.borrow();
        let failed: Vec<_> = samples.iter().filter_map(|(_, sample)| sample.as_ref().err().cloned()).collect();
        if failed.is_empty() || named.is_empty() { Ok(()) } else { Err(Exit::with(1, failed.join("\n"))) }
    }
}

async fn collect(client: &Client, samples: &Samples, name: &str, stream: bool) -> anyhow::Result<()> {
    let request = client.get(format!("/containers/{name}/stats")).query("stream", u8::from(stream));
    let mut lines = request.lines().await?;
    while let Some(stats) = lines.next::<ContainerStats>().await? {
        keep(samples, name, Ok(Some(stats)));
    }
    Ok(())
}

fn keep(samples: &Samples, name: &str, sample: Sample) {
    if let Some((_, kept)) = samples.borrow_mut().iter_mut().find(|(known, _)| known == name) {
        *kept = sample;
    }
}
