//! Where HTTP stops, seen from the server: the connection of an attach or exec is given to the container.

use super::version::ApiVersion;
use super::{Answer, Refusal, answer};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::IntoResponse;
use engine::Attached;
use http::request::Parts;
use http::{StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio_util::io::ReaderStream;

/// What the client offers to do with its connection.
pub(super) struct Upgrade {
    /// Set when it asked for `Upgrade: tcp`.
    asked: Option<OnUpgrade>,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let asked = parts.extensions.remove::<OnUpgrade>().filter(|_| parts.headers.contains_key(header::UPGRADE));
        Ok(Self { asked })
    }
}

impl Upgrade {
    /// Answers, and from then on carries bytes both ways until the container's side ends.
    pub(super) fn relay(self, attached: Attached, version: ApiVersion) -> Answer {
        // A client that did not ask can only listen.
        let Some(upgrade) = self.asked else { return listen(attached, version) };
        let content_type = content_type(attached.tty, version);
        let container = into_tokio(attached.stream)?;
        tokio::spawn(async move {
            // An upgrade fails when the client has gone; dropping the container's side detaches.
            if let Ok(client) = upgrade.await {
                hand_over(client, container).await;
            }
        });
        let headers = [("connection", "Upgrade"), ("upgrade", "tcp"), ("content-type", content_type)];
        Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
    }
}

/// An answer of all that comes from the container. Its end, and that of the client, close the container's side.
pub(super) fn listen(attached: Attached, version: ApiVersion) -> Answer {
    let content_type = content_type(attached.tty, version);
    answer::bytes(content_type, Body::from_stream(ReaderStream::new(into_tokio(attached.stream)?)))
}

/// An answer of JSON lines, for as long as they come. The client's end closes the stream.
pub(super) fn lines(stream: std::os::unix::net::UnixStream) -> Answer {
    answer::bytes("application/json", Body::from_stream(ReaderStream::new(into_tokio(stream)?)))
}

/// API 1.42 told the two kinds of output apart.
fn content_type(tty: bool, version: ApiVersion) -> &'static str {
    if tty || version < ApiVersion(1, 42) {
        "application/vnd.docker.raw-stream"
    } else {
        "application/vnd.docker.multiplexed-stream"
    }
}

fn into_tokio(stream: std::os::unix::net::UnixStream) -> Result<UnixStream, Refusal> {
    let broken = |error: std::io::Error| Refusal::system(error.to_string());
    stream.set_nonblocking(true).map_err(broken)?;
    UnixStream::from_std(stream).map_err(broken)
}

/// Carries bytes between the two. Of a client on a socket it can be told when it has left.
async fn hand_over(client: Upgraded, container: UnixStream) {
    match client.downcast::<TokioIo<UnixStream>>() {
        Ok(parts) => {
            let (stream, stdin_ahead) = (parts.io.into_inner(), parts.read_buf);
            let Ok(probe) = stream.as_fd().try_clone_to_owned() else { return };
            until_read(&stream).await;
            let (from, to) = stream.into_split();
            carry(stdin_ahead.chain(from), to, container, left(probe)).await;
        }
        // In memory: the client is this very process.
        Err(client) => {
            let (from, to) = tokio::io::split(TokioIo::new(client));
            carry(from, to, container, std::future::pending()).await;
        }
    }
}

/// Waits, but not for long, until the client has read the head of the answer. docker-py (and so docker-compose) takes the connection over
/// beneath a reader with a buffer, and what that reader has got beyond the head is lost. An exec can be that quick.
async fn until_read(client: &UnixStream) {
    for _ in 0..100 {
        match engine::unread_by_peer(client.as_fd()) {
            Ok(0) | Err(_) => return,
            Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// Comes to pass when the client has closed its connection, and not just the writing half: the first is EPOLLHUP, the
/// second only EPOLLRDHUP (epoll_ctl(2)). A read returns 0 for both.
async fn left(client: OwnedFd) {
    let Ok(client) = into_tokio(client.into()) else { return };
    while let Ok(ready) = client.ready(Interest::WRITABLE).await {
        if ready.is_write_closed() {
            return;
        }
        // Forget that it is writable, to sleep until something changes.
        client.try_io(Interest::WRITABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into())).ok();
    }
}

/// Stdin goes to the container until the client ends it, output to the client until the container ends it; only the
/// second is the end of the session. So this is not two equal directions as in `tokio::io::copy_bidirectional`, which
/// would go on waiting for a client to close its stdin after the container has gone. A client that closes its stdin and
/// then `left` ends it, too.
async fn carry(
    mut from_client: impl AsyncRead + Unpin,
    mut to_client: impl AsyncWrite + Unpin,
    container: UnixStream,
    left: impl Future<Output = ()>,
) {
    let (mut from_container, mut to_container) = container.into_split();
    let stdin = async {
        // Either side may go at any time: what is left to do is the same.
        tokio::io::copy(&mut from_client, &mut to_container).await.ok();
        to_container.shutdown().await.ok();
        left.await;
    };
    let output = async {
        tokio::io::copy(&mut from_container, &mut to_client).await.ok();
        to_client.shutdown().await.ok();
    };
    tokio::select! {
        () = stdin => {}
        () = output => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::JoinHandle;

    /// A client, the relay, and the container's inside.
    fn relayed() -> (UnixStream, JoinHandle<()>, UnixStream) {
        let (client, ours) = UnixStream::pair().unwrap();
        let (container, inside) = UnixStream::pair().unwrap();
        let probe = ours.as_fd().try_clone_to_owned().unwrap();
        let (from, to) = ours.into_split();
        (client, tokio::spawn(carry(from, to, container, left(probe))), inside)
    }

    #[tokio::test]
    async fn a_client_that_has_left_ends_the_session_after_its_last_words() {
        let (mut client, relay, mut inside) = relayed();
        client.write_all(b"last words").await.unwrap();
        drop(client);
        relay.await.unwrap();
        let mut stdin = String::new();
        inside.read_to_string(&mut stdin).await.unwrap();
        assert_eq!(stdin, "last words");
    }

    #[tokio::test]
    async fn the_end_of_stdin_leaves_the_output_open_and_the_end_of_output_ends_all() {
        let (mut client, relay, mut inside) = relayed();

        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut stdin = String::new();
        inside.read_to_string(&mut stdin).await.unwrap();
        assert_eq!(stdin, "question");

        inside.write_all(b"answer").await.unwrap();
        drop(inside);
        let mut output = String::new();
        client.read_to_string(&mut output).await.unwrap();
        assert_eq!(output, "answer");
        relay.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_never_ends_its_stdin_does_not_keep_the_session() {
        let (client, relay, inside) = relayed();
        drop(inside);
        relay.await.unwrap();
        drop(client);
    }

    #[tokio::test]
    async fn what_follows_the_head_waits_until_the_head_is_read() {
        let (mut client, mut ours) = UnixStream::pair().unwrap();
        ours.write_all(b"head").await.unwrap();
        let answer = tokio::spawn(async move {
            until_read(&ours).await;
            ours.write_all(b"body").await.unwrap();
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut read = [0; 100];
        assert_eq!(client.read(&mut read).await.unwrap(), 4);
        assert_eq!(client.read(&mut read).await.unwrap(), 4);
        answer.await.unwrap();
    }

    #[test]
    fn content_types() {
        let (raw, frames) = ("application/vnd.docker.raw-stream", "application/vnd.docker.multiplexed-stream");
        assert_eq!(content_type(true, ApiVersion(1, 44)), raw);
        assert_eq!(content_type(false, ApiVersion(1, 44)), frames);
        assert_eq!(content_type(false, ApiVersion(1, 41)), raw);
    }
}
