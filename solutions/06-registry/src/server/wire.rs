//! A connection on which a file goes out without being copied.
//!
//! A blob is a file, and mostly its bytes are in memory already: in the kernel's page cache. To read them into a buffer
//! and write that to the socket copies all of them twice; sendfile(2) gives the socket the pages themselves. hyper knows
//! nothing of files, it writes the body that it is given. So it is given blanks, as many as the file has bytes, and
//! where it asks the connection to write those, the connection sends the file:
//!
//! ```text
//!   handler ──▶ a body of blanks ──▶ hyper: headers, blanks ──▶ Wire ──▶ write(headers), sendfile(file)
//!      └──────▶ Outgoing: the file ─────────────────────────────┘
//! ```
//!
//! A blank is told by where it is in memory, not by what it has in it. What TLS seals cannot be sent like this.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// So much is sent, before it is another connection's turn.
const PIECE: usize = 1 << 20;
/// Memory that nobody touches: the system never has to find any for it.
static BLANKS: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![0; PIECE]));
/// Of a file that its filesystem cannot send (sendfile(2), EINVAL).
const COPIED: usize = 64 << 10;
/// Who takes nothing for so long is gone, or means no good.
const SILENCE: Duration = Duration::from_secs(60);

/// The files that a connection is to send, in the order of its answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Outgoing(Arc<Mutex<VecDeque<Part>>>);

/// A part of a file.
#[derive(Debug)]
struct Part {
    file: File,
    at: u64,
    left: u64,
}

impl Outgoing {
    /// A body of so many bytes of the file, from `at` on.
    pub(super) fn body(self, file: File, at: u64, length: u64) -> Body {
        let (mut part, mut left) = (Some(Part { file, at, left: length }), length);
        Body::from_stream(stream::poll_fn(move |_| {
            if left == 0 {
                return Poll::Ready(None);
            }
            self.parts().extend(part.take());
            let blanks = BLANKS.slice(..usize::try_from(left).unwrap_or(PIECE).min(PIECE));
            left -= blanks.len() as u64;
            Poll::Ready(Some(Ok::<_, Infallible>(blanks)))
        }))
    }

    fn parts(&self) -> MutexGuard<'_, VecDeque<Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_blank(bytes: &[u8]) -> bool {
    BLANKS.as_ptr_range().contains(&bytes.as_ptr())
}

/// The connection.
pub(super) struct Wire {
    stream: TcpStream,
    outgoing: Outgoing,
    silence: Pin<Box<Sleep>>,
    stuck: bool,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        let outgoing = Outgoing::default();
        Self { stream, outgoing, silence: Box::pin(sleep(SILENCE)), stuck: false }
    }

    pub(super) fn outgoing(&self) -> Outgoing {
        self.outgoing.clone()
    }

    /// Sends some of the file whose turn it is.
    fn poll_send(&self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        let mut parts = self.outgoing.parts();
        let Some(part) = parts.front_mut() else {
            return Poll::Ready(Err(io::Error::other("there is no file to send")));
        };
        let count = most.min(usize::try_from(part.left).unwrap_or(most));
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_io(Interest::WRITABLE, || send(&self.stream, part, count)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(sent) => {
                    part.left -= sent as u64;
                    if part.left == 0 {
                        parts.pop_front();
                    }
                    return Poll::Ready(Ok(sent));
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// What was written; or the end, if nothing could be for too long.
    fn patiently(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if wrote.is_ready() {
            self.stuck = false;
            return wrote;
        }
        if !self.stuck {
            self.stuck = true;
            self.silence.as_mut().reset(Instant::now() + SILENCE);
        }
        self.silence.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Sends as much of the next `count` bytes as the socket takes now.
fn send(stream: &TcpStream, part: &mut Part, count: usize) -> io::Result<usize> {
    match rustix::fs::sendfile(stream, &part.file, Some(&mut part.at), count) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            let mut buffer = vec![0; count.min(COPIED)];
            let read = part.file.read_at(&mut buffer, part.at)?;
            let sent = rustix::io::write(stream, &buffer[..read])?;
            part.at += sent as u64;
            Ok(sent)
        }
        sent => Ok(sent?),
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = slices.iter().position(|slice| is_blank(slice)).unwrap_or(slices.len());
        let (bytes, rest) = slices.split_at(first);
        let wrote = match bytes.iter().all(|slice| slice.is_empty()) {
            false => Pin::new(&mut this.stream).poll_write_vectored(cx, bytes),
            true if rest.is_empty() => return Poll::Ready(Ok(0)),
            true => this.poll_send(cx, rest.iter().take_while(|slice| is_blank(slice)).map(|slice| slice.len()).sum()),
        };
        this.patiently(cx, wrote)
    }

    /// Else hyper copies all that is to be written together, blanks too.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}
