//! The end of a container's process: written down, told to whoever waits, and perhaps followed by another beginning.

use super::health::Monitor;
use super::launch;
use super::protocol::{Answer, Line};
use super::run::{Life, Shim};
use crate::api::Health;
use crate::container::record::Lock;
use crate::container::remove;
use crate::container::state;
use crate::container::state::Status;
use crate::{Kind, Result, WaitCondition};
use std::time::Instant;

impl Shim {
    /// The init process has ended, and with it every process of the container.
    pub(super) fn ended(&mut self, code: i32) -> Result<()> {
        let Life::Running(contained) = std::mem::replace(&mut self.life, Life::Over) else { return Ok(()) };
        let lived = contained.since.elapsed();
        let (oom_killed, readers, sweep) = contained.finish(&self.engine);
        self.sweep = sweep;
        self.lingering.extend(readers);
        self.lingering.extend(self.execs.end_all(&self.engine));
        self.stopping.deadline = None;
        self.health.take().into_iter().for_each(Monitor::end);
        self.state.health = self.state.health.take().map(Health::stopped);

        let delay = self.restarts.after(code, self.state.restart_count, self.state.manually_stopped, lived);
        self.state.status = if delay.is_some() { Status::Restarting } else { Status::Exited };
        self.state.pid = 0;
        self.state.exit_code = code;
        self.state.oom_killed = oom_killed;
        self.state.finished_at = state::now();
        self.engine.hide_mounts(&self.record);
        match delay {
            Some(delay) => {
                self.life = Life::Resting(Instant::now() + delay);
                let written = self.write_down();
                self.tell_end();
                written?;
                self.answer_waiters(code, |condition| condition != WaitCondition::Removed);
                Ok(())
            }
            None => self.finish(true),
        }
    }

    /// Told once it is written down: who hears of it and looks must not find that the container still runs.
    fn tell_end(&self) {
        self.tell("die", &[("exitCode", &self.state.exit_code.to_string())]);
    }

    /// The container will not run again by itself.
    pub(super) fn over(&mut self) -> Result<()> {
        self.finish(false)
    }

    /// `died`: until now it ran.
    fn finish(&mut self, died: bool) -> Result<()> {
        self.life = Life::Over;
        self.state.status = Status::Exited;
        self.state.shim = None;
        let code = self.state.exit_code;
        let remove = self.record.host_config.auto_remove && !self.stopping.again;
        if remove {
            // Told before the removal: a client that only wants the exit code need not wait for it.
            if died {
                self.tell_end();
            }
            self.answer_waiters(code, |condition| condition != WaitCondition::Removed);
        }
        let lock = self.lock()?;
        match &lock {
            // No mark that it is being removed: the state still names us, and who finds us dead removes it (see
            // `crash`).
            Some(lock) if remove => self.engine.retract(&self.container, &self.record, true, lock)?,
            // Under one lock: who finds no socket takes the lock, too, before believing the state.
            Some(_) => {
                let written = remove::delete_folder(&self.container.run).and_then(|()| self.save());
                if died {
                    self.tell_end();
                }
                written?;
            }
            None => {}
        }
        self.answer_waiters(code, |condition| remove || condition != WaitCondition::Removed);
        for reply in std::mem::take(&mut self.stopping.replies) {
            reply.send(&[], Line::Done(Answer::default()));
        }
        // Nobody need wait while the disk is tidied.
        match &lock {
            Some(lock) if remove => remove::delete_files(&self.container, lock),
            _ => Ok(()),
        }
    }

    /// The right to change the container on disk, unless somebody has removed it meanwhile.
    fn lock(&self) -> Result<Option<Lock>> {
        match self.container.lock() {
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            lock => lock.map(Some),
        }
    }

    /// Writes down the state, unless the container is gone.
    pub(super) fn write_down(&self) -> Result<()> {
        self.lock()?.map_or(Ok(()), |_lock| self.save())
    }

    fn answer_waiters(&mut self, code: i32, which: impl Fn(WaitCondition) -> bool) {
        let (now, later) = std::mem::take(&mut self.waiters).into_iter().partition(|(_, condition)| which(*condition));
        self.waiters = later;
        let now: Vec<_> = now;
        for (reply, _) in now {
            reply.send(&[], Line::Done(Answer { exit_code: Some(code), ..Answer::default() }));
        }
    }

    /// The rest is over: start again, as the policy says.
    pub(super) fn start_again(&mut self) -> Result<()> {
        let lock = match self.container.lock() {
            Err(error) if error.kind == Kind::NotFound => return self.over(),
            lock => lock?,
        };
        match launch::launch(&self.engine, &self.container, &self.record, &mut self.ports) {
            Ok(contained) => {
                // Somebody is on the network again.
                self.sweep = None;
                self.state.restart_count += 1;
                self.started(contained)
            }
            // What failed to start is not tried again; Docker gives up, too.
            Err(failure) => {
                drop(lock);
                self.state.exit_code = failure.exit_code;
                self.state.error = failure.error.message;
                self.over()
            }
        }
    }
}
