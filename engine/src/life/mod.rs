//! start, stop, kill, restart, pause: what is done to a container as a whole. All but the start is asked of its shim.

pub(crate) mod attach;
pub(crate) mod exec;
mod files;
mod relay;
pub(crate) mod stats;
pub(crate) mod wait;

use crate::container::list::Entry;
use crate::container::record::{Container, Lock, Record};
use crate::container::state::{State, Status};
use crate::life::exec::not_running;
use crate::shim::{self, Answer, Request};
use crate::{Engine, Error, Kind, Result};
use std::time::{Duration, Instant};

/// How long a process may take from closing its sockets to being gone.
const DYING: Duration = Duration::from_secs(2);

/// How soon to look again.
const SOON: Duration = Duration::from_millis(10);

/// Docker's grace, in seconds, where neither the user nor the container says otherwise.
const GRACE: i64 = 10;

impl Engine {
    /// Starts a container that does not run.
    ///
    /// # Errors
    /// [`Kind::NotModified`] when it runs; [`Kind::Invalid`] when its command cannot be executed; its state then says
    /// why.
    pub fn start(&self, id: &str) -> Result<()> {
        let container = self.find(id)?;
        let lock = container.lock()?;
        let record = container.record()?;
        let state = self.settle(&container, &record, &lock)?;
        match state.status {
            Status::Paused => {
                return Err(Error::new(Kind::Conflict, "cannot start a paused container, try unpause instead"));
            }
            Status::Running | Status::Restarting => return Err(Error::new(Kind::NotModified, "")),
            Status::Removing | Status::Dead => {
                let text = "container is marked for removal and cannot be started";
                return Err(Error::new(Kind::Conflict, text));
            }
            Status::Created | Status::Exited => {}
        }
        let record = self.settle_networks(&container, record)?;
        let started = shim::start(self, &container, &record, self.pending.take(&container.id), &lock);
        if started.is_err() && record.host_config.auto_remove {
            let state = State { volumes_too: true, ..container.written_state()? };
            self.delete(&container, &record, state, &lock)?;
        }
        started
    }

    /// Seconds of grace (None: the container's own, else 10; negative: for ever), then SIGKILL.
    ///
    /// # Errors
    /// [`Kind::NotModified`] when it does not run.
    pub fn stop(&self, id: &str, signal: Option<&str>, grace: Option<i64>) -> Result<()> {
        self.stop_found(&self.find(id)?, signal, grace, false)
    }

    fn stop_found(&self, container: &Container, signal: Option<&str>, grace: Option<i64>, again: bool) -> Result<()> {
        let record = container.record()?;
        let own = record.config.stop_signal.as_deref();
        let name = signal.or(own).filter(|name| !name.is_empty()).unwrap_or("SIGTERM");
        let signal = parse_signal(name)?;
        let grace = grace.or(record.config.stop_timeout).unwrap_or(GRACE);
        let stopped = match container.state()?.status.is_running() {
            true => self.ask(container, Request::Stop { signal, grace, again })?,
            false => None,
        };
        // `stop` is an event of its own, after the `die` that the shim tells.
        match stopped {
            Some(_) => self.tell_container("stop", container, &record, &[]),
            None => return Err(Error::new(Kind::NotModified, "")),
        }
        Ok(())
    }

    /// Stops the container if it runs, and starts it.
    pub fn restart(&self, id: &str, signal: Option<&str>, grace: Option<i64>) -> Result<()> {
        let container = self.find(id)?;
        match self.stop_found(&container, signal, grace, true) {
            Err(error) if error.kind == Kind::NotModified => {}
            stopped => stopped?,
        }
        match self.start(container.id.as_str()) {
            // Its policy, or somebody else, was quicker: it was stopped, and it runs.
            Err(error) if error.kind == Kind::NotModified => {}
            started => started?,
        }
        self.tell_container("restart", &container, &container.record()?, &[]);
        Ok(())
    }

    /// Sends a signal to the container's first process: SIGKILL if none is named, and that one's effect is waited for.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it does not run.
    pub fn kill(&self, id: &str, signal: Option<&str>) -> Result<()> {
        let container = self.find(id)?;
        let signal = parse_signal(signal.filter(|name| !name.is_empty()).unwrap_or("SIGKILL"))?;
        let refusal = |e: Error| match e.kind {
            Kind::Conflict => Error::new(Kind::Conflict, format!("Cannot kill container: {id}: {e}")),
            _ => e,
        };
        self.command(&container, Request::Kill { signal }).map(drop).map_err(refusal)
    }

    /// Stops every process of the container where it is.
    pub fn pause(&self, id: &str) -> Result<()> {
        self.command(&self.find(id)?, Request::Pause).map(drop)
    }

    /// Lets them go on.
    pub fn unpause(&self, id: &str) -> Result<()> {
        self.command(&self.find(id)?, Request::Unpause).map(drop)
    }

    /// Tells the container's terminal its size.
    pub fn resize(&self, id: &str, height: u16, width: u16) -> Result<()> {
        self.command(&self.find(id)?, Request::Resize { height, width }).map(drop)
    }

    /// The processes of a running container, as this process numbers them.
    pub(crate) fn processes(&self, container: &Container) -> Result<Vec<i32>> {
        self.command(container, Request::Processes).map(|answer| answer.processes)
    }

    /// `rm -f`: the container's end, whatever it says.
    pub(crate) fn kill_for_removal(&self, container: &Container) -> Result<()> {
        const SIGKILL: i32 = 9;
        // `again`: the removal is ours, not the shim's, even with `--rm`.
        match self.ask(container, Request::Stop { signal: SIGKILL, grace: 0, again: true }) {
            // However it came about, it has ended.
            Err(error) if !container.state()?.status.is_running() => tracing::warn!("{error}"),
            asked => drop(asked?),
        }
        Ok(())
    }

    /// Asks the shim of a container that must run.
    fn command(&self, container: &Container, request: Request) -> Result<Answer> {
        if !container.state()?.status.is_running() {
            return Err(not_running(container));
        }
        self.ask(container, request)?.ok_or_else(|| not_running(container))
    }

    /// Asks the shim. None when there is none any more; the state on disk is the truth then.
    ///
    /// # Errors
    /// What it answers; or what it said when it panicked.
    pub(crate) fn ask(&self, container: &Container, request: Request) -> Result<Option<Answer>> {
        let shim = container.written_state()?.shim;
        if let Some(answer) = shim::call(container, request)? {
            return Ok(Some(answer));
        }
        let deadline = Instant::now() + DYING;
        loop {
            // It is just writing down the end, for which it holds the lock; or it was killed, which nobody has seen yet.
            let state = match container.lock() {
                Ok(lock) => self.settle(container, &container.record()?, &lock)?,
                Err(error) if error.kind == Kind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            if let Some(words) = state.last_words {
                return Err(Error::new(Kind::System, words));
            }
            // A process that is killed closes its sockets before it is gone.
            if !state.status.is_running() || state.shim != shim || Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(SOON);
        }
    }

    /// Starts again what should run always: called by a daemon when it begins. Returns what did not start.
    pub fn resume(&self) -> Result<Vec<(String, Error)>> {
        let mut failed = Vec::new();
        // One that cannot be read keeps no other from running.
        for Entry { container, record, state } in self.entries()? {
            if wants_to_run(&record, &state)
                && let Err(error) = self.start(container.id.as_str())
                && error.kind != Kind::NotModified
            {
                failed.push((record.name, error));
            }
        }
        Ok(failed)
    }
}

/// Docker, too, starts again what was running, and what is `always` even if somebody stopped it before.
fn wants_to_run(record: &Record, state: &State) -> bool {
    let ran = matches!(state.status, Status::Exited);
    ran && match record.host_config.restart_policy.name.as_str() {
        "always" => true,
        "unless-stopped" => !state.manually_stopped,
        _ => false,
    }
}

fn parse_signal(name: &str) -> Result<i32> {
    process::signal::parse(name).map_err(|e| Error::new(Kind::Invalid, e.to_string()))
}

/// Kept here, beside those who need it: a lock is the proof that nobody else changes the state.
impl Engine {
    /// The state, after clearing away what a dead shim has left.
    pub(crate) fn settle(&self, container: &Container, record: &Record, lock: &Lock) -> Result<State> {
        let state = container.written_state()?;
        if state.is_orphaned() { self.bury(container, record, state, lock) } else { Ok(state) }
    }
}
