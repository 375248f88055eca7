//! What is said on the shim's socket: one JSON line asks, and one JSON line answers. Lines of explanation may come before
//! the answer. After the answer to `attach` or `exec`, the connection is the stream itself, in Docker's wire format.

use crate::container::record::Container;
use crate::{Error, Kind, Result, WaitCondition, explain};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket's name in the container's run folder.
const SOCKET: &str = "shim.sock";

/// What may be asked of a shim.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Attach(Attachment),
    /// The connection then says when the log is rotated, and, by its end, that no more will be written.
    Follow,
    Resize {
        height: u16,
        width: u16,
    },
    Kill {
        signal: i32,
    },
    /// Answered when the container has ended. Grace in seconds, for ever if negative; `again` when a start will follow, so
    /// that `--rm` does not remove it.
    Stop {
        signal: i32,
        grace: i64,
        again: bool,
    },
    Pause,
    Unpause,
    /// Answered when the condition holds.
    Wait(WaitCondition),
    /// Starts an exec that was recorded, and becomes its stream unless detached.
    Exec {
        id: String,
        detach: bool,
        size: Option<[u16; 2]>,
    },
    ExecResize {
        id: String,
        height: u16,
        width: u16,
    },
    /// The processes in the container, as this shim numbers them.
    Processes,
    /// The networks, or the name, of the container have changed in its record.
    Networks,
    /// What the container uses.
    Stats,
    /// The container's root and its mount namespace, as descriptors behind the answer: see [`super::root`].
    Root,
}

/// What an attached client wants of the streams.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// The bytes that, typed at a terminal, detach.
    pub detach_keys: Vec<u8>,
}

/// A request on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub request: Request,
    #[serde(default)]
    pub explain: bool,
}

/// A line from the shim.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Explain(explain::Told),
    Done(Answer),
    Refused { kind: Kind, message: String },
}

/// What a request yields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub processes: Vec<i32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stats: Option<Box<crate::api::ContainerStats>>,
    /// Why there was nothing that could have ended with this exit code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

impl Line {
    pub(super) fn of(result: Result<Answer>) -> Self {
        match result {
            Ok(answer) => Self::Done(answer),
            Err(Error { kind, message }) => Self::Refused { kind, message },
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Maps with string keys and plain numbers: nothing here that JSON cannot say.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// A socket's path may have 107 bytes (unix(7)), and ours holds an ID of 64 besides the user's folders: the folder is opened
/// and the socket named through it.
fn reachable(folder: &Path) -> std::io::Result<(File, PathBuf)> {
    let folder = File::open(folder)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
    Ok((folder, path))
}

/// The shim's end: listens in the container's run folder.
pub(super) fn listen(run: &Path) -> std::io::Result<UnixListener> {
    let (_folder, path) = reachable(run)?;
    // Left by a shim that was killed.
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A connection to the shim of this container. None when there is no such shim.
fn connect(container: &Container) -> Result<Option<UnixStream>> {
    let connected = reachable(&container.run).and_then(|(_folder, path)| UnixStream::connect(path));
    match connected {
        Ok(stream) => Ok(Some(stream)),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
        Err(e) => Err(Error::system(format!("reach the shim of container {}", container.id), e)),
    }
}

/// Whether this container has a shim that listens.
pub(crate) fn is_there(container: &Container) -> Result<bool> {
    connect(container).map(|stream| stream.is_some())
}

/// Asks, without waiting for the answer. None when there is no shim.
pub(crate) fn ask(container: &Container, request: Request) -> Result<Option<UnixStream>> {
    let Some(mut stream) = connect(container)? else { return Ok(None) };
    let mut line = serde_json::to_vec(&Envelope { request, explain: explain::wanted() })
        .map_err(|e| Error::system("ask the shim", e))?;
    line.push(b'\n');
    match stream.write_all(&line) {
        Ok(()) => Ok(Some(stream)),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(None),
        Err(e) => Err(Error::system("ask the shim", e)),
    }
}

/// Asks and waits for the answer. None when there is no shim, or when it died on the way.
pub(crate) fn call(container: &Container, request: Request) -> Result<Option<Answer>> {
    match ask(container, request)? {
        Some(mut stream) => answer(&mut stream),
        None => Ok(None),
    }
}

/// Asks, and keeps the connection as a stream.
pub(crate) fn open(container: &Container, request: Request) -> Result<Option<UnixStream>> {
    let Some(mut stream) = ask(container, request)? else { return Ok(None) };
    Ok(answer(&mut stream)?.map(|_| stream))
}

/// The shim's end: says that it will not come to an answer.
pub(crate) fn refuse(mut to: UnixStream, words: &str) -> std::io::Result<()> {
    to.write_all(&Line::of(Err(Error::new(Kind::System, words))).to_bytes())
}

/// Reads the answer, and not one byte of what may follow it: the rest of the connection is the caller's.
pub(crate) fn answer(stream: &mut UnixStream) -> Result<Option<Answer>> {
    loop {
        let Some(line) = read_line(stream).map_err(|e| Error::system("hear the shim", e))? else { return Ok(None) };
        match serde_json::from_slice(&line).map_err(|e| Error::system("understand the shim", e))? {
            Line::Explain(told) => told.tell(),
            Line::Done(answer) => return Ok(Some(answer)),
            Line::Refused { kind, message } => return Err(Error { kind, message }),
        }
    }
}

/// One line, found by peeking (recv(2), MSG_PEEK) so that nothing behind it is taken off the socket. None at the end.
fn read_line(stream: &mut UnixStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut seen = [0u8; 4096];
    loop {
        let count = match rustix::net::recv(&*stream, &mut seen, rustix::net::RecvFlags::PEEK) {
            Ok((count, _)) => count,
            Err(rustix::io::Errno::INTR) => continue,
            Err(rustix::io::Errno::CONNRESET) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if count == 0 {
            return Ok(None);
        }
        let end = seen[..count].iter().position(|byte| *byte == b'\n');
        let take = end.map_or(count, |end| end + 1);
        stream.read_exact(&mut seen[..take])?;
        line.extend_from_slice(&seen[..take]);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

/// The new process's end of a report: what it has to explain, and then how it went.
pub(crate) fn report_to(
    mut pipe: impl Write,
    told: Vec<explain::Told>,
    outcome: Result<Answer>,
) -> std::io::Result<()> {
    let lines = told.into_iter().map(Line::Explain).chain([Line::of(outcome)]);
    pipe.write_all(&lines.flat_map(|line| line.to_bytes()).collect::<Vec<_>>())
}

/// All lines of a pipe until one that is not an explanation. None when the writer died without a word.
pub(crate) fn report(pipe: impl Read) -> Result<Option<Answer>> {
    for line in BufReader::new(pipe).split(b'\n') {
        let line = line.map_err(|e| Error::system("hear the shim", e))?;
        match serde_json::from_slice(&line).map_err(|e| Error::system("understand the shim", e))? {
            Line::Explain(told) => told.tell(),
            Line::Done(answer) => return Ok(Some(answer)),
            Line::Refused { kind, message } => return Err(Error { kind, message }),
        }
    }
    Ok(None)
}
