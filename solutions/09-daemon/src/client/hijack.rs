//! Where HTTP stops.
//!
//! `attach` and `exec start` begin as a request. The client asks `Upgrade: tcp`; the server answers `101 Switching
//! Protocols` (old ones a plain `200`) and from the blank line on the connection belongs to the container: what the
//! client writes is its stdin, what comes back is its output. Closing the writing half is the end of stdin and leaves
//! the output open, which HTTP has no notion of. That, and the plain 200, are why the head of the answer is read by hand
//! here instead of by an HTTP library.

use super::{Error, Result, Stream};
use bytes::{Buf, BytesMut};
use http::{Method, StatusCode};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// The longest head or error body that is read.
const LONGEST_HEAD: usize = 64 << 10;

/// A connection that is no longer HTTP: reads are the container's output, writes its stdin, and
/// [`shutdown`](tokio::io::AsyncWriteExt::shutdown) the end of its stdin. Dropping it detaches.
pub struct Hijacked {
    /// `application/vnd.docker.raw-stream` or `application/vnd.docker.multiplexed-stream`. Below API 1.42 it is
    /// always the first, and only the container's `Config.Tty` tells the two apart.
    pub content_type: String,
    /// Output that came in one piece with the head.
    ahead: BytesMut,
    stream: Box<dyn Stream>,
}

impl Hijacked {
    /// Whether the server says that the output comes in [frames](crate::FrameReader).
    pub fn is_multiplexed(&self) -> bool {
        self.content_type == "application/vnd.docker.multiplexed-stream"
    }
}

impl fmt::Debug for Hijacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hijacked").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// Sends the request, reads the head of the answer, and hands over the rest.
pub(crate) async fn hijack(
    mut stream: Box<dyn Stream>,
    method: &Method,
    target: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Hijacked> {
    let content_type = if content_type.is_empty() { "text/plain" } else { content_type };
    let mut request = format!(
        "{method} {target} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    stream.write_all(&request).await.map_err(Error::transport)?;
    stream.flush().await.map_err(Error::transport)?;

    let mut ahead = BytesMut::new();
    let head = loop {
        if let Some(head) = parse_head(&mut ahead)? {
            break head;
        }
        read_more(&mut stream, &mut ahead).await?;
    };
    if head.status == StatusCode::SWITCHING_PROTOCOLS || head.status == StatusCode::OK {
        return Ok(Hijacked { content_type: head.content_type, ahead, stream });
    }
    // Without a length the text goes on until the connection ends, as where dockerd refuses to attach.
    let length = head.content_length.unwrap_or(LONGEST_HEAD).min(LONGEST_HEAD);
    while ahead.len() < length && stream.read_buf(&mut ahead).await.map_err(Error::transport)? > 0 {}
    Err(Error::from_answer(head.status, &ahead[..length.min(ahead.len())]))
}

async fn read_more(stream: &mut Box<dyn Stream>, buffer: &mut BytesMut) -> Result<()> {
    match stream.read_buf(buffer).await.map_err(Error::transport)? {
        0 => Err(Error::transport("the connection was closed before the answer")),
        _ => Ok(()),
    }
}

struct Head {
    status: StatusCode,
    content_type: String,
    content_length: Option<usize>,
}

/// Takes the head off the buffer, once it is there whole (RFC 9112, section 2.1).
fn parse_head(buffer: &mut BytesMut) -> Result<Option<Head>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buffer.len() > LONGEST_HEAD { Err(not_http()) } else { Ok(None) };
    };
    let head = buffer.split_to(end);
    buffer.advance(4);
    let head = std::str::from_utf8(&head).map_err(|_| not_http())?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next().filter(|line| line.starts_with("HTTP/1.")).ok_or_else(not_http)?;
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(not_http)?;
    let mut found = Head { status, content_type: String::new(), content_length: None };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-type") {
            found.content_type = value.trim().to_owned();
        } else if name.eq_ignore_ascii_case("content-length") {
            found.content_length = Some(value.trim().parse().map_err(|_| not_http())?);
        }
    }
    Ok(Some(found))
}

fn not_http() -> Error {
    Error::transport("the daemon does not answer in HTTP/1.1")
}

impl AsyncRead for Hijacked {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, to);
        }
        let length = self.ahead.len().min(to.remaining());
        to.put_slice(&self.ahead[..length]);
        self.ahead.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Hijacked {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, from)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use tokio::net::UnixListener;

    /// A daemon that answers one connection with these bytes, then echoes.
    async fn answered(answer: &'static [u8]) -> Result<Hijacked> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            let mut stream = listener.accept().await.unwrap().0;
            stream.read_buf(&mut BytesMut::with_capacity(4096)).await.unwrap();
            stream.write_all(answer).await.unwrap();
            if answer.starts_with(b"HTTP/1.1 409") {
                return;
            }
            let (mut from, mut to) = stream.split();
            tokio::io::copy(&mut from, &mut to).await.unwrap();
        });
        let client = Client::unix(&path);
        hijack(client.open().await?, &Method::POST, "/x", "", b"").await
    }

    #[tokio::test]
    async fn both_answers_become_a_stream_with_an_end_of_stdin() {
        for answer in [
            &b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nahead "[..],
            b"HTTP/1.1 200 OK\r\ncontent-type:application/vnd.docker.raw-stream\r\n\r\nahead ",
        ] {
            let mut stream = answered(answer).await.unwrap();
            assert_eq!(stream.content_type, "application/vnd.docker.raw-stream");
            stream.write_all(b"echo").await.unwrap();
            stream.shutdown().await.unwrap();
            let mut output = String::new();
            stream.read_to_string(&mut output).await.unwrap();
            assert_eq!(output, "ahead echo");
        }
    }

    #[tokio::test]
    async fn an_error_is_the_servers_text() {
        let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 38\r\n\r\n{\"message\":\"No such container: nope\"}\n";
        let error = answered(answer).await.unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (404, "No such container: nope"));
        let error = answered(b"HTTP/1.1 409 Conflict\r\n\r\nnot running\r\n").await.unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (409, "not running"));
        assert_eq!(answered(b"SSH-2.0-OpenSSH\r\n\r\n").await.unwrap_err().status, 0);
    }
}
