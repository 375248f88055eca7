//! What is asked of the shim, done.

use super::caller::Reply;
use super::exec;
use super::launch::Contained;
use super::protocol::{Answer, Line, Request};
use super::root;
use super::run::{Life, Shim};
use crate::container::state::Status;
use crate::{Error, Kind, Result, WaitCondition, explain};
use std::time::{Duration, Instant};

/// What signals have a number for.
const SIGKILL: i32 = 9;

impl Shim {
    /// Does what is asked, and answers now or when it is done.
    pub(super) fn obey(&mut self, request: Request, explain: bool, reply: Reply) {
        match request {
            Request::Wait(condition) => self.wait(condition, reply),
            Request::Kill { signal } => {
                let (killed, told) = explain::during(explain, || self.kill(signal));
                self.answer_at_end(killed, signal == SIGKILL, &told, reply);
            }
            Request::Stop { signal, grace, again } => {
                let (asked, told) = explain::during(explain, || self.stop(signal, grace, again));
                self.answer_at_end(asked, true, &told, reply);
            }
            Request::Attach(wants) => match self.contained() {
                Ok(contained) => {
                    let socket = reply.send(&[], Line::Done(Answer::default()));
                    let _gone = contained.init.stdio.attach(socket, wants);
                }
                Err(error) => drop(reply.send(&[], Line::of(Err(error)))),
            },
            Request::Follow => match self.contained() {
                Ok(contained) => contained.init.stdio.follow(reply.send(&[], Line::Done(Answer::default()))),
                Err(error) => drop(reply.send(&[], Line::of(Err(error)))),
            },
            Request::Exec { id, detach, size } => {
                let (started, told) = explain::during(explain, || self.exec(&id, detach, size));
                self.begin_exec(started, detach, &told, reply);
            }
            Request::Root => match self.contained().and_then(|contained| root::of(contained.init.running.pid)) {
                Ok(root) => root.send(&reply.send(&[], Line::Done(Answer::default()))),
                Err(error) => drop(reply.send(&[], Line::of(Err(error)))),
            },
            simple => {
                let (result, told) = explain::during(explain, || self.simple(simple));
                reply.send(&told, Line::of(result));
            }
        }
    }

    /// Requests that are answered as soon as they are obeyed.
    fn simple(&mut self, request: Request) -> Result<Answer> {
        match request {
            Request::Resize { height, width } => {
                let resized = self.contained()?.init.stdio.resize(height, width);
                resized.map_err(|e| Error::system("resize the terminal", e))?;
            }
            Request::ExecResize { id, height, width } => self.execs.resize(&id, height, width)?,
            Request::Pause => self.pause()?,
            Request::Unpause => self.unpause()?,
            Request::Processes => {
                let processes = self.contained()?.processes()?;
                return Ok(Answer { processes, ..Answer::default() });
            }
            Request::Stats => {
                let stats = Some(Box::new(self.contained()?.stats()?));
                return Ok(Answer { stats, ..Answer::default() });
            }
            Request::Networks => self.follow_networks()?,
            // Answered by `obey`.
            Request::Attach(_)
            | Request::Follow
            | Request::Exec { .. }
            | Request::Kill { .. }
            | Request::Root
            | Request::Stop { .. }
            | Request::Wait(_) => {}
        }
        Ok(Answer::default())
    }

    /// Takes up from the record which networks the container is to be on, and what it is called.
    fn follow_networks(&mut self) -> Result<()> {
        let record = self.container.record()?;
        if let Life::Running(contained) = &mut self.life
            && let Some(network) = &mut contained.network
        {
            network.follow(&self.engine, &record)?;
            if record.name != self.record.name {
                network.rename(&self.engine, &record)?;
            }
        }
        self.record = record;
        Ok(())
    }

    /// The running container.
    fn contained(&mut self) -> Result<&mut Contained> {
        let id = &self.container.id;
        match &mut self.life {
            Life::Running(contained) => Ok(contained),
            Life::Resting(_) => {
                let text = format!("Container {id} is restarting, wait until the container is running");
                Err(Error::new(Kind::Conflict, text))
            }
            Life::Over => Err(Error::new(Kind::Conflict, format!("container {id} is not running"))),
        }
    }

    fn wait(&mut self, condition: WaitCondition, reply: Reply) {
        match self.life {
            Life::Over => drop(reply.send(&[], Line::Done(self.exit_code()))),
            _ => self.waiters.push((reply, condition)),
        }
    }

    fn exit_code(&self) -> Answer {
        Answer { exit_code: Some(self.state.exit_code), ..Answer::default() }
    }

    /// As Docker: to kill a container, or to send it its stop signal, is to want its end, whatever its restart policy
    /// says. Any other signal is a message.
    fn kill(&mut self, signal: i32) -> Result<()> {
        let stop_signal = self.record.config.stop_signal.as_deref().filter(|name| !name.is_empty());
        let stop_signal = stop_signal.and_then(|name| process::signal::parse(name).ok());
        let wants_end = signal == SIGKILL || stop_signal.is_none_or(|stop| stop == signal);
        if wants_end {
            self.restarts.cancel();
        }
        self.mark_stopped()?;
        if matches!(self.life, Life::Resting(_)) {
            return self.over();
        }
        self.signal(signal)?;
        if wants_end && self.state.status == Status::Paused {
            self.unpause()?;
        }
        self.tell("kill", &[("signal", &signal.to_string())]);
        Ok(())
    }

    /// Sends the stop signal, and sees to it that the container ends.
    fn stop(&mut self, signal: i32, grace: i64, again: bool) -> Result<()> {
        self.stopping.again = again;
        self.restarts.cancel();
        self.mark_stopped()?;
        match self.life {
            Life::Resting(_) => return self.over(),
            Life::Over => return Ok(()),
            Life::Running(_) => {}
        }
        self.tell("kill", &[("signal", &signal.to_string())]);
        self.signal(signal)?;
        if self.state.status == Status::Paused {
            self.unpause()?;
        }
        // Forever, if negative.
        if let Ok(seconds) = u64::try_from(grace) {
            self.stopping.deadline = Some(Instant::now() + Duration::from_secs(seconds));
        }
        Ok(())
    }

    /// Answers a request that is to end the container: when it has ended (`at_end`), so that who asked can remove it or
    /// start it at once; sooner if it was refused, or is a mere message.
    fn answer_at_end(&mut self, asked: Result<()>, at_end: bool, told: &[explain::Told], reply: Reply) {
        let over = matches!(self.life, Life::Over);
        if asked.is_ok() && at_end && !over {
            reply.tell(told);
            return self.stopping.replies.push(reply);
        }
        reply.send(told, Line::of(asked.map(|()| Answer::default())));
    }

    fn signal(&mut self, signal: i32) -> Result<()> {
        let id = self.container.id.clone();
        let sent = self.contained()?.init.running.signal(signal);
        sent.map_err(|e| Error::new(Kind::System, format!("Cannot kill container: {id}: {e}")))
    }

    /// SIGKILL for all of it. Init takes its PID namespace along; without one of its own, the cgroup knows who is left.
    /// Who waits for the end is told if it cannot come.
    pub(super) fn kill_all(&mut self) {
        let Life::Running(contained) = &mut self.life else { return };
        // Dead already: then we shall hear of it.
        let _dead = contained.init.running.signal(SIGKILL);
        let Err(error) = contained.cgroup.kill() else { return };
        let text = format!("Cannot kill container: {}: {error}", self.container.id);
        for reply in std::mem::take(&mut self.stopping.replies) {
            reply.send(&[], Line::of(Err(Error::new(Kind::System, text.clone()))));
        }
    }

    /// `unless-stopped` remembers it beyond our life.
    fn mark_stopped(&mut self) -> Result<()> {
        if self.state.manually_stopped {
            return Ok(());
        }
        self.state.manually_stopped = true;
        match self.record.host_config.restart_policy.name.as_str() {
            // Nobody will ever ask.
            "" | "no" => Ok(()),
            _ => self.write_down(),
        }
    }

    fn pause(&mut self) -> Result<()> {
        let id = self.container.id.clone();
        if self.state.status == Status::Paused {
            return Err(Error::new(Kind::Conflict, format!("Container {id} is already paused")));
        }
        let frozen = self.contained()?.cgroup.freeze();
        frozen.map_err(|e| Error::new(Kind::System, format!("Cannot pause container {id}: {e}")))?;
        if let Err(error) = self.set_status(Status::Paused) {
            // Nobody would know that it is paused, and nothing would ever let it go on.
            self.contained()?.cgroup.thaw().map_err(|e| Error::system("let the container go on", e))?;
            return Err(error);
        }
        self.tell("pause", &[]);
        Ok(())
    }

    fn unpause(&mut self) -> Result<()> {
        let id = self.container.id.clone();
        if self.state.status != Status::Paused {
            return Err(Error::new(Kind::Conflict, format!("Container {id} is not paused")));
        }
        let thawed = self.contained()?.cgroup.thaw();
        thawed.map_err(|e| Error::new(Kind::System, format!("Cannot unpause container {id}: {e}")))?;
        self.set_status(Status::Running)?;
        let status = self.state.health.as_ref().map(|health| health.status).unwrap_or_default();
        self.health.iter_mut().for_each(|monitor| monitor.thaw(status));
        self.tell("unpause", &[]);
        Ok(())
    }

    fn set_status(&mut self, status: Status) -> Result<()> {
        let before = std::mem::replace(&mut self.state.status, status);
        self.write_down().inspect_err(|_| self.state.status = before)
    }

    fn exec(&mut self, id: &str, detach: bool, size: Option<[u16; 2]>) -> Result<exec::Begun> {
        let Self { engine, record, .. } = &*self;
        let (engine, record) = (crate::Engine::assume(engine.roots.clone()), record.clone());
        if self.state.status == Status::Paused {
            let text = format!("Container {} is paused, unpause the container before exec", self.container.id);
            return Err(Error::new(Kind::Conflict, text));
        }
        exec::begin(&engine, &record, self.contained()?, id, detach, size)
    }

    /// Answers, and hands the connection to the exec. One that did not start says so on its stream, as Docker's does:
    /// the client has been promised a stream.
    fn begin_exec(&mut self, started: Result<exec::Begun>, detach: bool, told: &[explain::Told], reply: Reply) {
        let (begun, line) = match started {
            Err(error) => return drop(reply.send(told, Line::of(Err(error)))),
            Ok(exec::Begun::Failed { error, .. }) if detach => {
                return drop(reply.send(told, Line::of(Err(error))));
            }
            Ok(begun) => (begun, Line::Done(Answer::default())),
        };
        let socket = reply.send(told, line);
        self.lingering.extend(self.execs.begin(begun, (!detach).then_some(socket)));
    }
}

impl Contained {
    /// Who is in the container, as our own PID namespace numbers them.
    pub(super) fn processes(&self) -> Result<Vec<i32>> {
        match self.cgroup.processes() {
            Ok(found) if !found.is_empty() => Ok(found),
            // Without a cgroup of its own (an ordinary user often has none), by PID namespace.
            _ => in_namespace_of(self.init.running.pid).map_err(|e| Error::system("list the container's processes", e)),
        }
    }
}

fn in_namespace_of(init: i32) -> std::io::Result<Vec<i32>> {
    let namespace = |pid: i32| std::fs::read_link(format!("/proc/{pid}/ns/pid"));
    let wanted = namespace(init)?;
    let processes = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(processes.filter(|pid| namespace(*pid).is_ok_and(|found| found == wanted)).collect())
}
