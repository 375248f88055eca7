//! `stats`: what a container uses, once or for as long as somebody looks.

use crate::api::ContainerStats;
use crate::container::record::Container;
use crate::shim::Request;
use crate::{Engine, Kind, Result};
use std::time::Duration;

/// Between two samples: Docker's.
const EVERY: Duration = Duration::from_secs(1);

/// What of it is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatsOptions {
    /// A sample a second, until the container is removed.
    pub stream: bool,
    /// One, without another before it to compare it with.
    pub one_shot: bool,
}

impl Engine {
    /// Samples what a container uses, and hands each to `each`, until it returns false. Of one that does not run there is nothing to
    /// tell but its name.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn stats(&self, id: &str, options: StatsOptions, each: &mut dyn FnMut(&ContainerStats) -> bool) -> Result<()> {
        let container = self.find(id)?;
        let mut last = self.sample(&container)?;
        if options.one_shot {
            each(&last);
            return Ok(());
        }
        let is_running = |stats: &ContainerStats| stats.cpu_stats.online_cpus > 0;
        if !options.stream && !is_running(&last) {
            each(&last);
            return Ok(());
        }
        // A client waits for the head of the answer, and the first sample is one second away from the next.
        if options.stream && !each(&last) {
            return Ok(());
        }
        loop {
            std::thread::sleep(EVERY);
            let mut sample = match self.sample(&container) {
                Err(error) if error.kind == Kind::NotFound => return Ok(()),
                sample => sample?,
            };
            sample.preread.clone_from(&last.read);
            sample.precpu_stats = last.cpu_stats;
            if !each(&sample) || !options.stream {
                return Ok(());
            }
            last = sample;
        }
    }

    fn sample(&self, container: &Container) -> Result<ContainerStats> {
        let record = container.record()?;
        let running = container.state()?.status.is_running();
        let answer = if running { self.ask(container, Request::Stats) } else { Ok(None) };
        let stats = match answer {
            // It has just ended, or is about to be started again.
            Err(error) if error.kind == Kind::Conflict => None,
            answer => answer?.and_then(|answer| answer.stats),
        };
        let stats = stats.map_or_else(ContainerStats::default, |stats| *stats);
        Ok(ContainerStats { name: format!("/{}", record.name), id: record.id.to_string(), ..stats })
    }
}
