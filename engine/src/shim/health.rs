//! The health check: every now and then a process in the container that says by its exit code whether all is well.

use super::child::{Connection, streams};
use super::exec;
use super::launch::Contained;
use super::ready::{Ready, Watch};
use super::run::{Life, Shim};
use crate::api::{ExecConfig, HealthStatus, HealthcheckResult};
use crate::container::health::Check;
use crate::container::id::ContainerId;
use crate::container::record::Record;
use crate::container::state::{self, Status};
use crate::life::exec::ExecRecord;
use crate::{Engine, Error, Kind, Result, duration};
use process::Running;
use rustix::process::Signal;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// So much of what a probe says is kept.
const LONGEST: usize = 4096;
/// A probe that takes too long is asked to end, and after this made to.
const GRACE: Duration = Duration::from_secs(10);

/// Looks after a container that runs.
#[derive(Debug)]
pub(super) struct Monitor {
    check: Check,
    since: Instant,
    probe: Option<Probe>,
    /// When the next probe is due that counts, and when one in between.
    regular: Instant,
    early: Option<Instant>,
    early_done: u32,
}

/// One probe under way.
#[derive(Debug)]
struct Probe {
    record: ExecRecord,
    running: Running,
    outputs: Vec<OwnedFd>,
    said: Vec<u8>,
    asked: Asked,
    ends: Instant,
    /// It was asked to end.
    late: bool,
}

/// When a probe was begun, and in which life.
#[derive(Clone, Debug)]
struct Asked {
    at: String,
    lived: Duration,
    early: bool,
}

/// What came of it.
struct Found {
    result: HealthcheckResult,
    asked: Asked,
}

impl Monitor {
    /// For a container that has just started. None without a check.
    pub(super) fn new(record: &Record) -> Option<Self> {
        let (check, now) = (Check::of(&record.config)?, Instant::now());
        let (regular, early) =
            (now + check.interval(HealthStatus::Starting, Duration::ZERO), Some(now + Check::early(0)));
        Some(Self { check, since: now, probe: None, regular, early, early_done: 0 })
    }

    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        match &self.probe {
            Some(probe) => probe.watch(watch),
            None => watch.until(self.due()),
        }
    }

    fn due(&self) -> Instant {
        self.early.map_or(self.regular, |early| early.min(self.regular))
    }

    /// Serves the probe, or begins one if it is time.
    fn serve(&mut self, ready: &Ready, engine: &Engine, record: &Record, contained: &Contained) -> Option<Found> {
        let Some(probe) = &mut self.probe else {
            return if Instant::now() >= self.due() { self.begin(engine, record, contained) } else { None };
        };
        let exit_code = probe.serve(ready)?;
        let probe = self.probe.take()?;
        engine.tell_exec("exec_die", &probe.record, &[("exitCode", &exit_code.to_string())]);
        Some(probe.found(exit_code, self.check.timeout))
    }

    /// Begins a probe. What cannot even begin is a result, too.
    fn begin(&mut self, engine: &Engine, record: &Record, contained: &Contained) -> Option<Found> {
        let early = Instant::now() < self.regular;
        let asked = Asked { at: state::now(), lived: self.since.elapsed(), early };
        match self.start(engine, record, contained, asked.clone()) {
            Ok(probe) => {
                self.probe = Some(probe);
                None
            }
            Err(error) => {
                let (start, end, output) = (asked.at.clone(), state::now(), error.to_string());
                let result = HealthcheckResult { start, end, exit_code: -1, output };
                Some(Found { result, asked })
            }
        }
    }

    fn start(&self, engine: &Engine, record: &Record, contained: &Contained, asked: Asked) -> Result<Probe> {
        if self.check.command.is_empty() {
            let text = format!("healthcheck for container {} has no command", record.id);
            return Err(Error::new(Kind::Invalid, text));
        }
        let config = ExecConfig { cmd: Some(self.check.command.clone()), ..ExecConfig::default() };
        let id = ContainerId::random().to_string();
        let told = ExecRecord::new(id, record.id.clone(), config);
        engine.tell_exec("exec_create", &told, &[]);
        engine.tell_exec("exec_start", &told, &[]);
        let record = &engine.with_link_environment(record).unwrap_or_else(|_| record.clone());
        let connection = Connection { terminal: None, open_stdin: false, stdin_once: false, output: true };
        let (streams, ends) = streams(connection)?;
        let running = exec::enter(record, contained, &told.config, streams).map_err(|(error, _)| error)?;
        let outputs: Vec<OwnedFd> = ends.stdout.into_iter().chain(ends.stderr).collect();
        for fd in &outputs {
            rustix::io::ioctl_fionbio(fd, true).map_err(|e| Error::system("listen to the health check", e))?;
        }
        let ends = Instant::now() + self.check.timeout;
        Ok(Probe { record: told, running, outputs, said: Vec::new(), asked, ends, late: false })
    }

    /// Sees to it that another probe follows.
    fn follow(&mut self, found: &Asked, status: HealthStatus) {
        let now = Instant::now();
        self.early_done += u32::from(found.early);
        if !found.early || status == HealthStatus::Healthy {
            self.regular = now + self.check.interval(status, self.since.elapsed());
        }
        self.early = (status == HealthStatus::Starting).then(|| now + Check::early(self.early_done));
    }

    /// The container was frozen, and is so no longer.
    pub(super) fn thaw(&mut self, status: HealthStatus) {
        self.regular = Instant::now() + self.check.interval(status, self.since.elapsed());
        if let Some(probe) = &mut self.probe {
            probe.ends = Instant::now() + self.check.timeout;
        }
    }

    /// The container is over, and the probe with it.
    pub(super) fn end(self) {
        if let Some(probe) = self.probe {
            // (It died with its PID namespace, or by the cgroup: there is nothing to wait for but its name.)
            let _reaped = probe.running.try_wait();
        }
    }
}

impl Probe {
    fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        watch.readable(&self.running.pidfd);
        self.outputs.iter().for_each(|fd| watch.readable(fd));
        watch.until(self.ends);
    }

    /// Its exit code, when it has ended.
    fn serve(&mut self, ready: &Ready) -> Option<i32> {
        self.listen();
        if ready.readable(&self.running.pidfd) {
            match self.running.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    // What it said last.
                    self.listen();
                    return Some(status.code());
                }
                // It cannot be asked, and so was reaped by somebody else.
                Err(_) => return Some(-1),
            }
        }
        if Instant::now() >= self.ends {
            let signal = if self.late { Signal::KILL } else { Signal::TERM };
            // It may have ended this moment: then we shall hear of it.
            let _ended = self.running.signal(signal.as_raw());
            (self.late, self.ends) = (true, Instant::now() + GRACE);
        }
        None
    }

    /// Reads what it says, whether or not it is kept.
    fn listen(&mut self) {
        let (mut buffer, said) = ([0; 4096], &mut self.said);
        self.outputs.retain(|fd| {
            loop {
                match rustix::io::read(fd, &mut buffer) {
                    Ok(0) => return false,
                    // (One more byte than is kept tells that there was more.)
                    Ok(count) => said.extend(&buffer[..count.min((LONGEST + 1).saturating_sub(said.len()))]),
                    Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return error == rustix::io::Errno::AGAIN,
                }
            }
        });
    }

    fn found(self, exit_code: i32, timeout: Duration) -> Found {
        let mut output = String::from_utf8_lossy(&self.said[..self.said.len().min(LONGEST)]).into_owned();
        if self.said.len() > LONGEST {
            output.push_str("...");
        }
        let (exit_code, output) = match self.late {
            false => (exit_code, output),
            true => {
                let timeout = duration::format(i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX));
                let colon = if output.is_empty() { "" } else { ": " };
                (-1, format!("Health check exceeded timeout ({timeout}){colon}{output}"))
            }
        };
        let result = HealthcheckResult { start: self.asked.at.clone(), end: state::now(), exit_code, output };
        Found { result, asked: self.asked }
    }
}

impl Shim {
    /// Asks the container how it is, if it is time, and writes down what it said.
    pub(super) fn look_after(&mut self, ready: &Ready) {
        let (Some(monitor), Life::Running(contained)) = (&mut self.health, &self.life) else { return };
        // Who is frozen cannot answer, and is not ill for that.
        if self.state.status == Status::Paused {
            return;
        }
        let Some(Found { result, asked }) = monitor.serve(ready, &self.engine, &self.record, contained) else {
            return;
        };
        let health = self.state.health.get_or_insert_default();
        let before = health.status;
        monitor.check.judge(health, result, asked.lived, asked.early);
        let status = health.status;
        monitor.follow(&asked, status);
        if let Err(error) = self.write_down() {
            tracing::warn!("health of container {}: {error}", self.container.id);
        }
        if status != before {
            self.tell(&format!("health_status: {}", status.as_str()), &[]);
        }
    }
}
