//! Waiting for a container to end.
//!
//! Four things can tell: the shim, which answers with the exit code; `state.json`, when there is no shim; inotify(7) on the
//! container's folder, when somebody else starts or removes it; and, when nothing is left of it, the log of events.

use crate::container::notice::{Notice, first_ready, ready_within};
use crate::container::record::Container;
use crate::container::state::State;
use crate::life::attach::Pending;
use crate::shim::{self, Answer, Request};
use crate::{Engine, Error, Kind, Result, api, learner};
use serde::{Deserialize, Serialize};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitCondition {
    /// At once, if it does not run.
    NotRunning,
    /// Its next end, even if it has not started yet.
    NextExit,
    /// It is deleted.
    Removed,
}

impl Engine {
    /// Checks the container now, and returns what blocks until the condition holds (so that a caller can answer the
    /// request's head before it blocks).
    pub fn wait(&self, id: &str, condition: WaitCondition) -> Result<Waiting> {
        let container = self.find(id)?;
        let state = container.state()?;
        let engine = Engine::assume(self.roots.clone());
        let mut waiting =
            Waiting { engine, container, condition, notice: None, seen: state.clone(), waits_for: WaitsFor::Change };
        if state.status.is_running() {
            waiting.ask_shim()?;
        } else if condition == WaitCondition::NotRunning {
            waiting.waits_for = WaitsFor::Nothing;
        } else {
            let stream = self.pending.wait(&waiting.container.id, condition);
            let stream = stream.map_err(|e| Error::system("wait", e))?;
            waiting.waits_for = WaitsFor::Pending(stream, self.pending.clone());
        }
        Ok(waiting)
    }
}

/// A wait that has begun.
#[derive(Debug)]
pub struct Waiting {
    engine: Engine,
    container: Container,
    condition: WaitCondition,
    /// Made only when there is nothing else to wait for: to close an inotify(7) descriptor takes the kernel ten
    /// milliseconds, and `run` would end so much later.
    notice: Option<Notice>,
    /// The container's state when we last looked.
    seen: State,
    waits_for: WaitsFor,
}

#[derive(Debug)]
enum WaitsFor {
    /// The condition holds.
    Nothing,
    /// The shim's answer.
    Shim(UnixStream),
    /// The same, if this process starts the container; else a change.
    Pending(UnixStream, Pending),
    /// Something in the container's folder.
    Change,
    /// A shim that answers no more, and yet is there: a process that is killed closes its sockets before it is gone.
    Dying,
}

/// How soon to look again at a shim that is about to be gone.
const SOON: Duration = Duration::from_millis(10);

/// How often to look whether another process has started or removed what this one may start.
const NOW_AND_THEN: Duration = Duration::from_millis(50);

impl Waiting {
    /// Blocks. None when nobody waits any more, which is so when the other end of `caller` is closed.
    pub fn finish(&mut self, caller: &UnixStream) -> Result<Option<api::WaitResponse>> {
        loop {
            let woken = match std::mem::replace(&mut self.waits_for, WaitsFor::Change) {
                WaitsFor::Nothing => return self.end().map(Some),
                WaitsFor::Shim(stream) => wait_shim(stream, caller)?,
                WaitsFor::Pending(stream, pending) => self.wait_pending(stream, pending, caller)?,
                WaitsFor::Change => self.wait_change(caller)?,
                WaitsFor::Dying => match ready_within(&[caller.as_fd()], Some(SOON)).map_err(watching)? {
                    Some(_) => Woken::Left,
                    None => Woken::Changed,
                },
            };
            match woken {
                Woken::Left => return Ok(None),
                Woken::Answered(Some(Answer { exit_code: Some(code), .. })) => return Ok(Some(response(code))),
                // The shim has died.
                Woken::Answered(None) => {
                    if let Some(words) = learner::last_words(&self.container.run) {
                        return Err(Error::new(Kind::System, words));
                    }
                }
                Woken::Answered(_) | Woken::Changed => {}
            }
            if matches!(self.waits_for, WaitsFor::Change) && self.look()? {
                return self.end().map(Some);
            }
        }
    }

    /// How the container ended, as it was last seen.
    fn end(&self) -> Result<api::WaitResponse> {
        match &self.seen.last_words {
            Some(words) => Err(Error::new(Kind::System, words)),
            None => Ok(response(self.seen.exit_code)),
        }
    }

    /// Waits for something to change in the container's folder. The first time it is only watched from now on, and has to
    /// be looked at once more: so nothing can happen in between.
    fn wait_change(&mut self, caller: &UnixStream) -> Result<Woken> {
        let Some(notice) = &self.notice else {
            self.notice = Notice::of_state(&self.container).map(Some).or_else(gone).map_err(watching)?;
            return Ok(Woken::Changed);
        };
        match notice.wait(&[caller.as_fd()]).map_err(watching)? {
            Some(_) => Ok(Woken::Left),
            None => Ok(Woken::Changed),
        }
    }

    /// Waits for the shim that this process may start, or for a sign that another one has.
    fn wait_pending(&mut self, mut stream: UnixStream, pending: Pending, caller: &UnixStream) -> Result<Woken> {
        match ready_within(&[caller.as_fd(), stream.as_fd()], Some(NOW_AND_THEN)).map_err(watching)? {
            Some(0) => return Ok(Woken::Left),
            Some(_) => return Ok(Woken::Answered(shim::answer(&mut stream)?)),
            None => {}
        }
        // Still in our hands, and yet it runs, or is gone: that was somebody else.
        let ours = !pending.holds(&self.container.id);
        let as_before =
            || self.container.config_path().exists() && self.container.state().is_ok_and(|state| state == self.seen);
        if ours || as_before() {
            self.waits_for = WaitsFor::Pending(stream, pending);
        }
        Ok(Woken::Changed)
    }

    /// Whether the condition holds now; else decides what to wait for.
    fn look(&mut self) -> Result<bool> {
        if !self.container.config_path().exists() {
            // Removed by its shim before we could ask it, or by another command: how it ended, the events tell.
            if let Some((code, last_words)) = self.engine.last_end(&self.container.id) {
                self.seen.exit_code = code;
                self.seen.last_words = last_words;
            }
            return Ok(true);
        }
        let state = self.container.state()?;
        let ended_meanwhile = state.finished_at != self.seen.finished_at;
        self.seen = state;
        if self.seen.status.is_running() {
            self.ask_shim()?;
            return Ok(false);
        }
        Ok(match self.condition {
            WaitCondition::NotRunning => true,
            WaitCondition::NextExit => ended_meanwhile,
            WaitCondition::Removed => false,
        })
    }

    /// To be answered when the condition holds. No shim, in spite of what the state says: that is about to change.
    fn ask_shim(&mut self) -> Result<()> {
        self.waits_for = match shim::ask(&self.container, Request::Wait(self.condition)) {
            Ok(Some(stream)) => WaitsFor::Shim(stream),
            Ok(None) => WaitsFor::Dying,
            Err(error) if error.kind == Kind::NotFound => WaitsFor::Dying,
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

/// What ended a sleep.
enum Woken {
    /// The shim, or its end.
    Answered(Option<Answer>),
    /// Something in the container's folder.
    Changed,
    /// The caller has left.
    Left,
}

fn wait_shim(mut stream: UnixStream, caller: &UnixStream) -> Result<Woken> {
    match first_ready(&[caller.as_fd(), stream.as_fd()]).map_err(watching)? {
        0 => Ok(Woken::Left),
        _ => Ok(Woken::Answered(shim::answer(&mut stream)?)),
    }
}

/// There is nothing to watch any more: the next look will find that out.
fn gone(error: std::io::Error) -> std::io::Result<Option<Notice>> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(None) } else { Err(error) }
}

fn watching(error: std::io::Error) -> Error {
    Error::system("watch the container", error)
}

fn response(code: i32) -> api::WaitResponse {
    api::WaitResponse { status_code: code.into(), error: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::tests::{add, engine};
    use crate::container::state::{ProcessIdentity, Status};
    use crate::durable::Durability;

    #[test]
    fn who_waits_for_one_that_is_removed_meanwhile_hears_how_it_ended() {
        let (_folder, engine) = engine();
        for (name, more, expected) in [("web", None, Ok(5)), ("db", Some("exercise"), Err("exercise"))] {
            let container = add(&engine, name);
            // Our own process stands for a shim that lives and does not listen any more.
            let shim = ProcessIdentity::of(std::process::id().cast_signed());
            let running = State { status: Status::Running, shim, ..State::default() };
            container.save_state(&running, Durability::Passing).unwrap();
            let mut waiting = engine.wait(name, WaitCondition::NotRunning).unwrap();

            let attributes =
                [("exitCode", "5")].into_iter().chain(more.map(|words| (crate::events::LAST_WORDS, words)));
            let record = container.record().unwrap();
            engine.tell_container("die", &container, &record, &attributes.collect::<Vec<_>>());
            std::fs::remove_dir_all(&container.folder).unwrap();

            let (caller, _other_end) = UnixStream::pair().unwrap();
            let ended = waiting.finish(&caller).map(|answer| answer.unwrap().status_code);
            assert_eq!(ended.map_err(|error| error.message), expected.map_err(str::to_owned));
        }
    }
}
