//! Attaching to a container: its input and output as one stream.

use crate::container::id::ContainerId;
use crate::container::record::Container;
use crate::container::state::Status;
use crate::life::relay;
use crate::shim::{self, Attachment, Guests, Request};
use crate::{Engine, Error, Kind, LogOptions, Result, WaitCondition};
use rustix::event::{PollFd, PollFlags, poll};
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A shim does not take so long to end.
const DYING: Duration = Duration::from_secs(10);

/// The streams of an attach, in Docker's wire format: with a terminal, raw bytes both ways; without, the container's
/// output comes as frames of 8 bytes header (stream, 0, 0, 0, big-endian length) and data, and stdin goes raw.
/// Shutting down the writing half is the end of stdin; closing the socket detaches.
#[derive(Debug)]
pub struct Attached {
    pub stream: UnixStream,
    pub tty: bool,
}

/// What an attach asks for.
#[derive(Clone, Debug, Default)]
pub struct AttachOptions {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Keep the stream open and follow.
    pub stream: bool,
    /// Replay the log first.
    pub logs: bool,
    pub detach_keys: Option<String>,
}

impl Engine {
    /// Before the start too: the streams are then handed to the shim by [`Engine::start`] in this same process, and miss
    /// nothing of what the container says.
    pub fn attach(&self, id: &str, options: &AttachOptions) -> Result<Attached> {
        let container = self.find(id)?;
        let record = container.record()?;
        let tty = record.config.tty;
        let detach_keys = shim::parse_detach_keys(options.detach_keys.as_deref())?;
        let AttachOptions { stdin, stdout, stderr, .. } = *options;
        let wants = Attachment { stdin, stdout, stderr, detach_keys };
        if !options.logs {
            let stream = self.join_streams(&container, wants)?;
            self.tell_container("attach", &container, &record, &[]);
            return Ok(Attached { stream, tty });
        }
        let log = LogOptions { stdout, stderr, ..LogOptions::default() };
        let past = self.logs(id, &log)?.stream;
        if !options.stream {
            return Ok(Attached { stream: past, tty });
        }
        let present = self.join_streams(&container, wants)?;
        self.tell_container("attach", &container, &record, &[]);
        let stream = relay::after(past, present).map_err(|e| Error::system("replay the log", e))?;
        Ok(Attached { stream, tty })
    }

    fn join_streams(&self, container: &Container, wants: Attachment) -> Result<UnixStream> {
        match container.state()?.status {
            Status::Paused => {
                let text = format!("container {} is paused, unpause the container before attach", container.id);
                return Err(Error::new(Kind::Conflict, text));
            }
            Status::Restarting => {
                let text = format!("container {} is restarting, wait until the container is running", container.id);
                return Err(Error::new(Kind::Conflict, text));
            }
            Status::Running => {
                if let Some(stream) = join_running(container, &wants)? {
                    return Ok(stream);
                }
            }
            _ => {}
        }
        let (ours, theirs) = UnixStream::pair().map_err(|e| Error::system("attach", e))?;
        self.pending.add(&container.id, |guests| guests.attached.push((theirs, wants)));
        Ok(ours)
    }
}

/// The streams of a container that runs; None if it ends in this moment.
///
/// Its shim stops listening a little before it writes down the end. Who came in between and were told "it runs" would
/// wait for a start that nobody thinks of: so it is not over until the state says so.
fn join_running(container: &Container, wants: &Attachment) -> Result<Option<UnixStream>> {
    let patience = Instant::now() + DYING;
    loop {
        let stream = shim::open(container, Request::Attach(wants.clone()))?;
        if stream.is_some() || !container.state()?.status.is_running() || Instant::now() > patience {
            return Ok(stream);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Streams attached to containers that this process has not started yet, and waits for their end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    guests: Arc<Mutex<HashMap<ContainerId, Guests>>>,
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, HashMap<ContainerId, Guests>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, id: &ContainerId, add: impl FnOnce(&mut Guests)) {
        let mut all = self.lock();
        // A daemon lives long: those who gave up must not heap up.
        for guests in all.values_mut() {
            guests.attached.retain(|(stream, _)| !is_left(stream));
            guests.waiting.retain(|(stream, _)| !is_left(stream));
        }
        all.retain(|_, guests| !guests.attached.is_empty() || !guests.waiting.is_empty());
        add(all.entry(id.clone()).or_default());
    }

    /// A wait that the container's shim will answer, if this process starts it.
    pub(crate) fn wait(&self, id: &ContainerId, condition: WaitCondition) -> std::io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        self.add(id, |guests| guests.waiting.push((theirs, condition)));
        Ok(ours)
    }

    /// Whether some wait for this container that was not started here.
    pub(crate) fn holds(&self, id: &ContainerId) -> bool {
        self.lock().contains_key(id)
    }

    /// Those who wait for this container, which is about to start.
    pub(crate) fn take(&self, id: &ContainerId) -> Guests {
        self.lock().remove(id).unwrap_or_default()
    }
}

/// Whether nobody holds the other end any more.
fn is_left(stream: &UnixStream) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::empty())];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::HUP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::tests::{add, engine};
    use crate::container::state::{ProcessIdentity, State};
    use crate::durable::Durability;

    #[test]
    fn who_comes_while_it_ends_is_not_told_that_it_runs() {
        let (_folder, engine) = engine();
        let container = add(&engine, "web");
        // Our own process stands for a shim that lives and does not listen any more.
        let shim = ProcessIdentity::of(std::process::id().cast_signed());
        let running = State { status: Status::Running, shim, ..State::default() };
        container.save_state(&running, Durability::Passing).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                let ended = State { status: Status::Exited, ..State::default() };
                container.save_state(&ended, Durability::Passing).unwrap();
            });
            engine.attach("web", &AttachOptions { stdout: true, stream: true, ..AttachOptions::default() }).unwrap();
            assert_eq!(container.state().unwrap().status, Status::Exited);
        });
    }
}
