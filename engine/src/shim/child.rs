//! A process in the container, be it init or an exec, with the shim's side of its streams.

use super::client::Client;
use super::json_log::JsonLog;
use super::ready::{Ready, Watch};
use super::stdio::{Ends, Stdio};
use crate::{Error, Result};
use process::{Running, Streams};
use rustix::pipe::{PipeFlags, pipe_with};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A process may leave others behind that hold its output open. Docker listens so long for their last words.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a process should be connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    /// Height and width, if a terminal is wanted.
    pub terminal: Option<(u16, u16)>,
    pub open_stdin: bool,
    /// The first client that ends its input ends the process's.
    pub stdin_once: bool,
    /// Whether anybody will take the output; else it goes to `/dev/null`.
    pub output: bool,
}

/// Both sides of the streams of a process to be.
pub(super) fn streams(connection: Connection) -> Result<(Streams, Ends)> {
    let trouble = |e: std::io::Error| Error::system("make the container's streams", e);
    if let Some((height, width)) = connection.terminal {
        return Ok((Streams::Terminal { height, width }, Ends::default()));
    }
    let null = || File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from);
    let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(std::io::Error::from);
    let mut ends = Ends::default();
    let output = |end: &mut Option<OwnedFd>| match connection.output {
        true => pipe().map(|(read, write)| {
            *end = Some(read);
            write
        }),
        false => null(),
    };
    let stdout = output(&mut ends.stdout).map_err(trouble)?;
    let stderr = output(&mut ends.stderr).map_err(trouble)?;
    let stdin = match connection.open_stdin {
        true => pipe().map(|(read, write)| {
            ends.stdin = Some(write);
            read
        }),
        false => null(),
    }
    .map_err(trouble)?;
    Ok((Streams::Fds { stdin, stdout, stderr }, ends))
}

#[derive(Debug)]
pub(super) struct Child {
    pub running: Running,
    pub stdio: Stdio,
    /// Its exit code, and until when its output is listened to.
    ended: Option<(i32, Instant)>,
}

impl Child {
    pub(super) fn new(
        mut running: Running,
        mut ends: Ends,
        connection: Connection,
        log: Option<JsonLog>,
    ) -> Result<Self> {
        ends.terminal = running.terminal.take();
        let stdio = Stdio::new(ends, connection.open_stdin, connection.stdin_once, log)
            .map_err(|e| Error::system("listen to the container", e))?;
        Ok(Self { running, stdio, ended: None })
    }

    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        match self.ended {
            None => watch.readable(&self.running.pidfd),
            Some((_, patience)) => watch.until(patience),
        }
        self.stdio.watch(watch);
    }

    /// Serves the streams, and returns the exit code when process and streams have ended. `alone`: with this process,
    /// all others have died, so that nothing can come after what is in the pipes.
    pub(super) fn serve(&mut self, ready: &Ready, alone: bool) -> Option<i32> {
        self.stdio.serve(ready);
        if self.ended.is_none() && ready.readable(&self.running.pidfd) {
            self.reap(alone);
        }
        let (code, patience) = self.ended?;
        (self.stdio.is_drained() || alone || Instant::now() >= patience).then_some(code)
    }

    fn reap(&mut self, alone: bool) {
        let code = match self.running.try_wait() {
            Ok(Some(status)) => status.code(),
            Ok(None) => return,
            // It cannot be asked: somebody else has reaped it, which nobody should. It has ended in any case.
            Err(_) => 255,
        };
        if alone {
            self.stdio.drain();
        }
        self.ended = Some((code, Instant::now() + PATIENCE));
    }

    /// Its exit code, once it has ended, even if somebody still holds its output open.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.ended.map(|(code, _)| code)
    }

    /// Closes everything. The clients that remain have output to read.
    pub(super) fn finish(mut self) -> Vec<Client> {
        self.stdio.drain();
        self.stdio.finish()
    }
}
