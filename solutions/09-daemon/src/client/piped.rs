//! Bytes that are made while they are sent: an archive of files of this host.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, DuplexStream, ReadBuf};
use tokio::sync::oneshot;
use tokio_util::io::SyncIoBridge;

/// Bytes that wait between who makes and who sends.
pub(super) const PIPE: usize = 256 << 10;

/// What `write` writes, as it does: however much that is, there is never more of it in memory than a few blocks. Must be called
/// inside a tokio runtime.
pub(super) fn piped(
    write: impl FnOnce(&mut dyn Write) -> Result<(), String> + Send + 'static,
) -> impl AsyncRead + Send + Unpin {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    let (sender, result) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        // An archive comes in blocks of half a kilobyte.
        let mut to = io::BufWriter::with_capacity(PIPE / 4, SyncIoBridge::new(theirs));
        let written = write(&mut to).and_then(|()| to.flush().map_err(|error| error.to_string()));
        // Who does not read to the end does not want to know either.
        let _unread = sender.send(written);
    });
    Piped { bytes: ours, result: Some(result) }
}

/// The bytes, and then whether they were all.
struct Piped {
    bytes: DuplexStream,
    result: Option<oneshot::Receiver<Result<(), String>>>,
}

impl AsyncRead for Piped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        match Pin::new(&mut self.bytes).poll_read(cx, to) {
            Poll::Ready(Ok(())) if to.filled().len() == before => {}
            other => return other,
        }
        // An archive that breaks off must not look like one that is whole.
        let Some(result) = &mut self.result else { return Poll::Ready(Ok(())) };
        match Pin::new(result).poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(result) => {
                self.result = None;
                Poll::Ready(match result {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(why)) => Err(io::Error::other(why)),
                    Err(_) => Err(io::Error::other("it was not packed to its end")),
                })
            }
        }
    }
}
