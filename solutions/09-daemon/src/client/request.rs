//! A request under construction, and the ways to end it.

use super::{Body, Client, Error, Hijacked, Lines, Response, Result, hijack};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{Method, header};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use std::io;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

/// Made by [`Client::get`] and its siblings; ended by [`send`](Self::send), [`json`](Self::json),
/// [`lines`](Self::lines), [`reader`](Self::reader), [`response`](Self::response) or [`hijack`](Self::hijack).
#[derive(Debug)]
#[must_use = "a request is only sent by its last method"]
pub struct Request<'c> {
    client: &'c Client,
    method: Method,
    path: String,
    query: String,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Result<Content>,
}

type BoxedBody = UnsyncBoxBody<Bytes, io::Error>;

#[derive(Debug)]
enum Content {
    None,
    Whole(Bytes),
    Streamed(BoxedBody),
}

impl<'c> Request<'c> {
    pub(crate) fn new(client: &'c Client, method: Method, path: String) -> Self {
        let (query, content_type, body) = (String::new(), "", Ok(Content::None));
        Self { client, method, path, query, content_type, headers: Vec::new(), body }
    }

    /// Adds a parameter.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        escape(name, "", &mut self.query);
        self.query.push('=');
        escape(&value.to_string(), "", &mut self.query);
        self
    }

    /// Adds a parameter where there is a value.
    pub fn query_opt(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a parameter whose value is JSON, as `filters` is. An empty map is left out.
    pub fn query_json(mut self, name: &str, value: &impl Serialize) -> Self {
        match serde_json::to_string(value) {
            Ok(text) if text == "{}" || text == "null" => self,
            Ok(text) => self.query(name, text),
            Err(error) => {
                self.body = Err(Error::local(error.to_string()));
                self
            }
        }
    }

    /// Adds a header where there is a value.
    pub fn header_opt(mut self, name: &'static str, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
        self
    }

    /// Sends this as JSON.
    pub fn body_json(mut self, value: &impl Serialize) -> Self {
        self.content_type = "application/json";
        self.body = serde_json::to_vec(value)
            .map(|bytes| Content::Whole(bytes.into()))
            .map_err(|error| Error::local(error.to_string()));
        self
    }

    /// Sends what `reader` gives, as it gives it: a tar archive.
    pub fn body_stream(mut self, reader: impl AsyncRead + Send + 'static) -> Self {
        let frames = ReaderStream::with_capacity(reader, 64 << 10).map_ok(Frame::data);
        self.content_type = "application/x-tar";
        self.body = Ok(Content::Streamed(BodyExt::boxed_unsync(StreamBody::new(frames))));
        self
    }

    /// Waits for the whole answer and throws it away. "Already so" (304) is success, as it is to `docker`.
    ///
    /// # Errors
    /// Of every ending of a request: the daemon cannot be reached, or answers with an error status.
    pub async fn send(self) -> Result<()> {
        self.response().await?.bytes().await.map(drop)
    }

    /// Waits for the whole answer and decodes it.
    ///
    /// # Errors
    /// As [`send`](Self::send), or an answer that is no such JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.response().await?.json().await
    }

    /// The answer as JSON values, one per line, as they come.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn lines(self) -> Result<Lines> {
        Ok(self.response().await?.lines())
    }

    /// The answer as bytes, as they come.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn reader(self) -> Result<Body> {
        Ok(self.response().await?.reader())
    }

    /// Waits for the head of the answer only: the server has understood, and may still be at work (`wait`).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn response(self) -> Result<Response> {
        let target = self.target().await?;
        self.exchange(target).await
    }

    /// Asks without naming a version, as only a ping may.
    pub(crate) async fn unversioned(self) -> Result<Response> {
        let target = self.path.clone();
        self.exchange(target).await
    }

    async fn exchange(mut self, target: String) -> Result<Response> {
        let body = match std::mem::replace(&mut self.body, Ok(Content::None))? {
            Content::None => BodyExt::boxed_unsync(Empty::new().map_err(|never| match never {})),
            Content::Whole(bytes) => BodyExt::boxed_unsync(Full::new(bytes).map_err(|never| match never {})),
            Content::Streamed(body) => body,
        };
        let mut request = http::Request::builder().method(self.method).uri(target).header(header::HOST, "docker");
        if !self.content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, self.content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(body).map_err(Error::transport)?;

        let stream = TokioIo::new(self.client.open().await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.map_err(Error::transport)?;
        // The connection's errors come out of the request and of the body too; telling them here would be twice.
        tokio::spawn(async move { connection.await.ok() });
        let answer = sender.send_request(request).await.map_err(Error::transport)?;
        Response::new(answer).check().await
    }

    /// Turns the connection into a bare stream once the server agrees.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn hijack(mut self) -> Result<Hijacked> {
        let target = self.target().await?;
        let body = match std::mem::replace(&mut self.body, Ok(Content::None))? {
            Content::None => Bytes::new(),
            Content::Whole(bytes) => bytes,
            Content::Streamed(_) => return Err(Error::local("a streamed body cannot precede a hijacked stream")),
        };
        hijack::hijack(self.client.open().await?, &self.method, &target, self.content_type, &body).await
    }

    /// Prefix, path and query, escaped.
    async fn target(&self) -> Result<String> {
        let mut target = String::new();
        if self.client.host().is_some() {
            target = format!("/v{}", self.client.api_version().await?);
        }
        escape(&self.path, "/:@", &mut target);
        target.push_str(&self.query);
        Ok(target)
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3) and those of `also`.
fn escape(text: &str, also: &str, to: &mut String) {
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || also.contains(c) {
            to.push(c);
        } else {
            to.push('%');
            to.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_a_query() {
        let mut target = String::new();
        escape("/images/localhost:5000/a b?x=1/json", "/:@", &mut target);
        assert_eq!(target, "/images/localhost:5000/a%20b%3Fx%3D1/json");
    }

    #[test]
    fn parameters() {
        let client = Client::unix("/x");
        let filters = std::collections::BTreeMap::from([("name", vec!["é"])]);
        let request = client.get("/x").query("all", true).query_opt("n", None::<u8>).query_json("filters", &filters);
        assert_eq!(request.query, "?all=true&filters=%7B%22name%22%3A%5B%22%C3%A9%22%5D%7D");
    }
}
