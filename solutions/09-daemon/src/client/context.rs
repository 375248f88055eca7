//! A build context on its way to a daemon: an archive that is made while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, DuplexStream, ReadBuf};
use tokio::sync::oneshot;
use tokio_util::io::SyncIoBridge;

pub use build::context::Outgoing;

/// Bytes that wait between who packs and who sends.
const PIPE: usize = 256 << 10;

/// The archive, as it is made: however large the context is, there is never more of it in memory than a few blocks. Must be
/// called inside a tokio runtime.
pub fn archive(outgoing: Outgoing) -> impl AsyncRead + Send + Unpin {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    let (sender, result) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let mut to = SyncIoBridge::new(theirs);
        // Who does not read to the end does not want to know either.
        let _unread = sender.send(outgoing.write(&mut to).map_err(|error| error.to_string()));
    });
    Archive { bytes: ours, result: Some(result) }
}

/// The bytes, and then whether they were all.
struct Archive {
    bytes: DuplexStream,
    result: Option<oneshot::Receiver<Result<(), String>>>,
}

impl AsyncRead for Archive {
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
                    Err(_) => Err(io::Error::other("the context was not packed to its end")),
                })
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn an_archive_larger_than_the_pipe_comes_whole_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("big"), vec![7; 3 * PIPE]).unwrap();
        let mut outgoing = Outgoing { folder: Some(folder.path().to_owned()), ..Outgoing::default() };
        let mut bytes = Vec::new();
        archive(outgoing.clone()).read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), 512 + 3 * PIPE + 1024);
        outgoing.ignore = Some("[".into());
        let error = archive(outgoing).read_to_end(&mut bytes).await.unwrap_err();
        assert!(error.to_string().contains("syntax error in pattern"), "{error}");
    }
}
