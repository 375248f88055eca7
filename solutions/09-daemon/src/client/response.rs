//! The answer: its head is here, its body may still be on the way.

use super::{Error, Result};
use crate::json;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use serde::de::DeserializeOwned;
use std::pin::Pin;
use std::{fmt, io};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio_util::io::StreamReader;

/// An answer of success.
#[derive(Debug)]
pub struct Response {
    answer: http::Response<Incoming>,
}

/// The bytes of an answer, as they come.
pub type Body = Pin<Box<dyn AsyncRead + Send>>;

impl Response {
    pub(crate) fn new(answer: http::Response<Incoming>) -> Self {
        Self { answer }
    }

    /// An answer of failure becomes its error.
    pub(crate) async fn check(self) -> Result<Self> {
        let status = self.answer.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self);
        }
        Err(Error::from_answer(status, &self.bytes().await?))
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// One of the headers, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name)?.to_str().ok()
    }

    /// All of the body.
    ///
    /// # Errors
    /// The connection breaks before the end.
    pub async fn bytes(self) -> Result<Bytes> {
        Ok(self.answer.into_body().collect().await.map_err(Error::transport)?.to_bytes())
    }

    /// All of the body, decoded.
    ///
    /// # Errors
    /// The connection breaks, or this is no such JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        decode(&self.bytes().await?)
    }

    /// The body as bytes, as they come.
    pub fn reader(self) -> Body {
        let chunks = stream::unfold(self.answer.into_body(), |mut body| async {
            loop {
                match body.frame().await?.map(Frame::into_data) {
                    Ok(Ok(data)) => return Some((Ok(data), body)),
                    Ok(Err(_trailers)) => {}
                    Err(error) => return Some((Err(io::Error::other(error)), body)),
                }
            }
        });
        Box::pin(StreamReader::new(chunks.boxed()))
    }

    /// The body as JSON values, one per line, as they come.
    pub fn lines(self) -> Lines {
        Lines { body: BufReader::new(self.reader()), line: Vec::new() }
    }
}

/// JSON values, one per line: events, or the progress of a load.
pub struct Lines {
    body: BufReader<Body>,
    line: Vec<u8>,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl Lines {
    /// The next value, or None at the end. Safe to drop half-way: nothing that was read is lost.
    ///
    /// # Errors
    /// The connection breaks, or this is no such JSON.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        loop {
            let ended = self.body.read_until(b'\n', &mut self.line).await.map_err(Error::transport)? == 0;
            if self.line.trim_ascii().is_empty() {
                if ended {
                    return Ok(None);
                }
                self.line.clear();
                continue;
            }
            return decode(&std::mem::take(&mut self.line)).map(Some);
        }
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    json::decode(bytes).map_err(|error| Error::local(format!("cannot read the daemon's answer: {error}")))
}
