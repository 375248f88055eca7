//! Between our standard streams and a container's: what is typed goes up, what the container says comes down.

use super::{DetachKeys, RawMode};
use daemon::client::Hijacked;
use daemon::{FrameReader, Output};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::Read;
use std::os::fd::BorrowedFd;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

/// Which streams are joined, and how.
#[derive(Clone, Debug)]
pub struct Streams {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// The container has a terminal: one stream of raw bytes each way.
    pub tty: bool,
    pub keys: DetachKeys,
}

/// Why the copying ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The container's output is at its end.
    Output,
    /// The user typed the keys that detach.
    Detached,
}

/// What `attach` and `exec` say when the user detached.
pub fn read_escape_sequence() -> anyhow::Error {
    anyhow::anyhow!("read escape sequence")
}

/// Copies until the output ends or the user detaches. The terminal is raw meanwhile, and put back on the way out.
pub async fn copy(connection: Hijacked, streams: &Streams) -> anyhow::Result<End> {
    let _raw = if streams.stdin && streams.tty { RawMode::enter()? } else { None };
    let (down, up) = tokio::io::split(connection);
    let wants_output = streams.stdout || streams.stderr;
    tokio::select! {
        result = output(down, streams), if wants_output => result.map(|()| End::Output),
        result = input(up, streams, wants_output) => result,
    }
}

/// The container's output to ours.
async fn output(down: ReadHalf<Hijacked>, streams: &Streams) -> anyhow::Result<()> {
    let mut stdout = Writer::stdout();
    let mut stderr = Writer::stderr();
    if streams.tty {
        return raw(down, &mut stdout).await;
    }
    let mut frames = FrameReader::new(down);
    while let Some(frame) = frames.next().await? {
        match frame.output {
            Output::Stdout if streams.stdout => stdout.write(&frame.data).await?,
            Output::Stderr if streams.stderr => stderr.write(&frame.data).await?,
            Output::SystemError => {
                anyhow::bail!("error from daemon in stream: {}", String::from_utf8_lossy(&frame.data))
            }
            _ => {}
        }
    }
    Ok(())
}

/// Bytes as they come.
pub async fn raw(mut from: impl AsyncRead + Unpin, to: &mut Writer) -> anyhow::Result<()> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            n => to.write(&buffer[..n]).await?,
        }
    }
}

/// Our standard input to the container's. After its end there is still the output to wait for, if any is wanted.
async fn input(mut up: WriteHalf<Hijacked>, streams: &Streams, wants_output: bool) -> anyhow::Result<End> {
    if streams.stdin {
        let mut typed = read_stdin();
        let mut watch = streams.keys.watch();
        while let Some(bytes) = typed.recv().await {
            let (through, detached) = if streams.tty { watch.filter(&bytes) } else { (bytes, false) };
            // A container that no longer reads is no error of ours: its output tells how it ended.
            if up.write_all(&through).await.is_err() || up.flush().await.is_err() {
                break;
            }
            if detached {
                return Ok(End::Detached);
            }
        }
    }
    // The end of stdin. The other half may be gone already; then there is nobody to tell.
    let _ = up.shutdown().await;
    match wants_output {
        true => std::future::pending().await,
        false => Ok(End::Output),
    }
}

/// Standard input, read by a thread of its own: a terminal or a file cannot be waited for in any other way without
/// changing it for the processes that share it.
fn read_stdin() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = vec![0; 32 << 10];
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) if sender.blocking_send(buffer[..n].to_vec()).is_err() => return,
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return,
                _ => {}
            }
        }
    });
    receiver
}

/// One of our output streams. A reader that is slow makes a write wait, and everything else in this process (signals,
/// the engine) must go on meanwhile: so a write happens only when there is room, and room is waited for aside.
#[derive(Debug)]
pub struct Writer {
    to: To,
    /// Bytes that surely fit when there is room: `pipe(7)` promises PIPE_BUF; a file takes anything.
    chunk: usize,
}

#[derive(Clone, Copy, Debug)]
enum To {
    Stdout,
    Stderr,
}

impl To {
    fn fd(self) -> BorrowedFd<'static> {
        match self {
            Self::Stdout => rustix::stdio::stdout(),
            Self::Stderr => rustix::stdio::stderr(),
        }
    }

    /// Whether there is room, waiting so long.
    fn has_room(self, timeout: PollTimeout) -> bool {
        let mut fds = [PollFd::new(self.fd(), PollFlags::POLLOUT)];
        // An error here shows again, and is told, at the write.
        poll(&mut fds, timeout).is_err() || fds[0].any() != Some(false)
    }
}

impl Writer {
    pub fn stdout() -> Self {
        Self::new(To::Stdout)
    }

    pub fn stderr() -> Self {
        Self::new(To::Stderr)
    }

    fn new(to: To) -> Self {
        let is_file =
            rustix::fs::fstat(to.fd()).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file());
        Self { to, chunk: if is_file { usize::MAX } else { 4096 } }
    }

    /// All of it, at once: nothing stays in a buffer.
    pub async fn write(&mut self, mut data: &[u8]) -> anyhow::Result<()> {
        while !data.is_empty() {
            let to = self.to;
            if !to.has_room(PollTimeout::ZERO) {
                tokio::task::spawn_blocking(move || to.has_room(PollTimeout::NONE)).await?;
            }
            let chunk = &data[..data.len().min(self.chunk)];
            match rustix::io::write(to.fd(), chunk) {
                Ok(n) => data = &data[n..],
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(crate::output::unread(error.into())),
            }
        }
        Ok(())
    }
}
