//! The shim's life: start the container, serve until it is over, and let the last readers finish.

use super::boot::{self, Boot};
use super::caller::{Caller, Heard, Reply};
use super::client::Client;
use super::exec::Execs;
use super::health::Monitor;
use super::launch::{self, Contained, Failure};
use super::protocol::{self, Answer, Attachment, Line};
use super::ready::{Ready, Watch};
use super::restart::Restarts;
use crate::api::Health;
use crate::container::record::{Container, Record};
use crate::container::state;
use crate::container::state::{ProcessIdentity, State, Status};
use crate::learner::{self, Listener};
use crate::network::{HostPorts, Sweep};
use crate::{Engine, Error, Result, WaitCondition, explain, reexec, sys};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

/// A container that has lived so long may live for days.
const SETTLED: Duration = Duration::from_secs(1);

/// The whole of a shim. Never returns.
pub(crate) fn main() -> ! {
    std::process::exit(match run() {
        Ok(()) => 0,
        // Nobody is there to read a reason: who waits for the report sees it end.
        Err(_) => 1,
    })
}

fn run() -> Result<()> {
    reexec::detach(c"kesako-shim").map_err(|e| Error::system("detach the shim", e))?;
    let boot = boot::receive().map_err(|e| Error::system("read the shim's letter", e))?;
    let report = boot.report.try_clone().map_err(|e| Error::system("report", e))?;
    learner::tell_panics_to(boot.report.try_clone().ok().map(Listener::Start));
    let (started, told) = explain::during(boot.explain, || Shim::start(boot));
    let (outcome, shim) = match started {
        Ok(shim) => (Ok(Answer::default()), Some(shim)),
        Err(error) => (Err(error), None),
    };
    // If whoever started us was killed meanwhile, the container runs all the same.
    let _gone = protocol::report_to(report, told, outcome);
    learner::tell_panics_to(shim.as_ref().map(|shim| Listener::End(shim.container.run.clone())));
    shim.map_or(Ok(()), Shim::serve)
}

/// Where the container is in its life.
pub(super) enum Life {
    Running(Box<Contained>),
    /// Ended, and to be started again then.
    Resting(Instant),
    Over,
}

/// A `stop` that has sent its signal.
#[derive(Default)]
pub(super) struct Stopping {
    /// When patience ends.
    pub deadline: Option<Instant>,
    /// A start follows: the container is not to be removed.
    pub again: bool,
    pub replies: Vec<Reply>,
}

pub(super) struct Shim {
    pub engine: Engine,
    pub container: Container,
    pub record: Record,
    pub state: State,
    pub life: Life,
    pub execs: Execs,
    pub health: Option<Monitor>,
    pub restarts: Restarts,
    pub stopping: Stopping,
    pub waiters: Vec<(Reply, WaitCondition)>,
    /// Of processes that have ended: they have not yet read everything.
    pub lingering: Vec<Client>,
    listener: UnixListener,
    callers: Vec<Caller>,
    /// The duty to look after the default network, when the container is over.
    pub sweep: Option<Sweep>,
    /// Kept from one life of the container to the next.
    pub ports: HostPorts,
}

impl Shim {
    /// Starts the container.
    fn start(boot: Boot) -> Result<Self> {
        let Boot { engine, id, guests, lock: _lock, .. } = boot;
        let container = engine.container(&id);
        let record = container.record()?;
        let state = container.state()?;
        let waiters = guests.waiting.into_iter();
        let waiters: Vec<_> =
            waiters.filter_map(|(socket, condition)| Some((Reply::new(socket).ok()?, condition))).collect();
        let mut ports = HostPorts::default();
        match Self::launch(&engine, &container, &record, guests.attached, &mut ports) {
            Ok((listener, contained)) => {
                let restarts = Restarts::new(&record.host_config.restart_policy);
                let life = Life::Resting(Instant::now());
                let (execs, stopping) = Default::default();
                let (callers, lingering) = Default::default();
                let state = State { restart_count: 0, manually_stopped: false, ..state };
                #[rustfmt::skip]
                let mut shim = Self { engine, container, record, state, life, execs, health: None, restarts, stopping, waiters, lingering, listener, callers, ports, sweep: None };
                shim.started(contained)?;
                Ok(shim)
            }
            Err(Failure { error, exit_code }) => {
                let failed = State { exit_code, error: error.message.clone(), pid: 0, shim: None, ..state };
                // It may be that the disk is full: then this fails, too, and what is to be told is still the first error.
                if let Err(error) = container.save_state(&failed, record.durability()) {
                    tracing::warn!("container {}: {error}", container.id);
                }
                crate::container::remove::delete_folder(&container.run)?;
                // `run --rm` waits for the removal, which whoever started us is about to do.
                for (reply, condition) in waiters {
                    if condition == WaitCondition::Removed && record.host_config.auto_remove {
                        reply.send(&[], Line::Done(Answer { exit_code: Some(exit_code), ..Answer::default() }));
                    }
                }
                Err(error)
            }
        }
    }

    /// The socket, the container, and those who wanted to be there from the beginning.
    fn launch(
        engine: &Engine,
        container: &Container,
        record: &Record,
        attached: Vec<(UnixStream, Attachment)>,
        ports: &mut HostPorts,
    ) -> std::result::Result<(UnixListener, Contained), Failure> {
        let listener = listen(container)?;
        let mut contained = launch::launch(engine, container, record, ports)?;
        for (socket, wants) in attached {
            // Somebody who has gone already.
            let _gone = contained.init.stdio.attach(socket, wants);
        }
        Ok((listener, contained))
    }

    /// Writes down that the container runs. The caller holds its lock.
    pub(super) fn started(&mut self, contained: Contained) -> Result<()> {
        self.health = Monitor::new(&self.record);
        let health = self.health.is_some().then(|| Health::starting(self.state.health.take()));
        self.state = State {
            status: Status::Running,
            pid: contained.init.running.pid,
            shim: ProcessIdentity::of(std::process::id().cast_signed()),
            exit_code: 0,
            error: String::new(),
            oom_killed: false,
            last_words: None,
            started_at: state::now(),
            health,
            ..self.state.clone()
        };
        self.life = Life::Running(Box::new(contained));
        self.save()?;
        self.tell("start", &[]);
        Ok(())
    }

    pub(super) fn save(&self) -> Result<()> {
        self.container.save_state(&self.state, self.record.durability())
    }

    fn serve(mut self) -> Result<()> {
        let mut settles = Some(Instant::now() + SETTLED);
        while !matches!(self.life, Life::Over) {
            let mut watch = self.watch();
            settles.iter().for_each(|moment| watch.until(*moment));
            let ready = watch.wait();
            // Most of our code was there to start the container; a few pages of it are enough to watch over one.
            if settles.take_if(|moment| Instant::now() >= *moment).is_some() {
                sys::forget_code();
            }
            self.turn(&ready)?;
        }
        let (engine, sweep) = (Engine::assume(self.engine.roots.clone()), self.sweep.take());
        self.linger();
        sweep.map_or(Ok(()), |sweep| engine.sweep_soon(&sweep))
    }

    fn watch(&self) -> Watch<'_> {
        let mut watch = Watch::default();
        watch.readable(&self.listener);
        self.callers.iter().for_each(|caller| caller.watch(&mut watch));
        self.waiters.iter().for_each(|(reply, _)| reply.watch(&mut watch));
        self.lingering.iter().for_each(|client| client.watch(&mut watch, false));
        self.execs.watch(&mut watch);
        if self.state.status != Status::Paused {
            self.health.iter().for_each(|monitor| monitor.watch(&mut watch));
        }
        match &self.life {
            Life::Running(contained) => contained.watch(&mut watch),
            Life::Resting(until) => watch.until(*until),
            Life::Over => {}
        }
        self.stopping.deadline.iter().for_each(|deadline| watch.until(*deadline));
        watch
    }

    /// One turn of the loop.
    fn turn(&mut self, ready: &Ready) -> Result<()> {
        self.waiters.retain(|(reply, _)| !reply.is_gone(ready));
        self.serve_lingering(ready);
        let finished = self.execs.serve(ready, &self.engine);
        self.lingering.extend(finished);
        self.look_after(ready);
        match &mut self.life {
            Life::Running(contained) => {
                if let Some(code) = contained.serve(ready) {
                    self.ended(code)?;
                }
            }
            Life::Resting(until) if Instant::now() >= *until => self.start_again()?,
            Life::Resting(_) | Life::Over => {}
        }
        if self.stopping.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.stopping.deadline = None;
            self.tell("kill", &[("signal", "9")]);
            self.kill_all();
        }
        if ready.readable(&self.listener) {
            self.callers.extend(Caller::accept(&self.listener));
        }
        self.hear(ready);
        Ok(())
    }

    fn hear(&mut self, ready: &Ready) {
        for caller in std::mem::take(&mut self.callers) {
            match caller.serve(ready) {
                Heard::Nothing(caller) => self.callers.push(caller),
                Heard::Request { request, explain, reply } => self.obey(request, explain, reply),
                Heard::Gone => {}
            }
        }
    }

    fn serve_lingering(&mut self, ready: &Ready) {
        for client in &mut self.lingering {
            client.serve(ready, &mut []);
        }
        self.lingering.retain(|client| !client.is_gone());
    }

    /// The container is over and nobody can find us any more; but a reader may be slower than what it reads.
    fn linger(mut self) {
        drop((self.listener, std::mem::take(&mut self.callers), std::mem::take(&mut self.waiters)));
        while !self.lingering.is_empty() {
            let mut watch = Watch::default();
            self.lingering.iter().for_each(|client| client.watch(&mut watch, false));
            let ready = watch.wait();
            for client in &mut self.lingering {
                client.serve(&ready, &mut []);
            }
            self.lingering.retain(|client| !client.is_gone());
        }
    }

    pub(super) fn tell(&self, action: &str, attributes: &[(&str, &str)]) {
        // On disk it may have another name by now.
        let record = self.container.record();
        self.engine.tell_container(action, &self.container, record.as_ref().unwrap_or(&self.record), attributes);
    }
}

fn listen(container: &Container) -> Result<UnixListener> {
    crate::container::record::make_private_folder(&container.run)?;
    protocol::listen(&container.run).map_err(|e| Error::system("open the shim's socket", e))
}
