//! The client: a request, built up and then ended in the way its answer is to be read.
//!
//! ```text
//!   client.get("/containers/json").query("all", true).json::<Vec<ContainerSummary>>().await?
//!   client.post("/containers/web/start").send().await?
//!   client.post("/images/load").body_stream(file).lines().await?        one JSON value per line, as they come
//!   client.get("/containers/web/export").reader().await?                bytes, as they come
//!   client.post("/containers/web/attach").query("stdin", true).hijack().await?
//! ```
//!
//! Each request has a connection of its own: what is saved by keeping one open is nothing on a local socket, and a
//! stream that is dropped half-read then takes its connection with it, which is how the server learns of it.

pub mod context;
pub mod copy;
mod error;
mod hijack;
mod piped;
mod request;
mod response;

pub use error::{Error, Result};
pub use hijack::Hijacked;
pub use request::Request;
pub use response::{Body, Lines, Response};

use crate::{API_VERSION, Server, parse_version};
use engine::Engine;
use http::Method;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::OnceCell;

/// Bytes that wait in each direction of the in-memory transport before the writer has to.
const PIPE: usize = 64 << 10;

/// Speaks to one engine. Must be used inside a tokio runtime.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    /// The version both sides speak, found out once by asking.
    version: OnceCell<String>,
}

/// Where the bytes go.
#[derive(Debug)]
enum Transport {
    /// The server in this very process.
    InProcess(Server),
    /// A daemon listening on a unix socket.
    Unix(PathBuf),
}

/// Anything bytes can be read from and written to.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Client {
    /// No daemon: the server runs in this process, each connection a task beside the caller's.
    pub fn in_process(engine: Arc<Engine>) -> Self {
        Self { transport: Transport::InProcess(Server::within_process(engine)), version: OnceCell::new() }
    }

    /// A daemon, Kesako's or Docker's, on a unix socket.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self { transport: Transport::Unix(path.into()), version: OnceCell::new() }
    }

    /// By address, as in `-H` and `DOCKER_HOST`.
    ///
    /// # Errors
    /// Any scheme but `unix://`.
    pub fn connect(host: &str) -> Result<Self> {
        match host.split_once("://") {
            Some(("unix", path)) if !path.is_empty() => Ok(Self::unix(path)),
            Some((scheme, _)) => Err(Error::local(format!("unable to use {host:?}: no transport for {scheme}://"))),
            None => Err(Error::local(format!("unable to parse docker host `{host}`"))),
        }
    }

    /// The address, as `unix:///…`; None when the server is in this process.
    pub fn host(&self) -> Option<String> {
        match &self.transport {
            Transport::InProcess(_) => None,
            Transport::Unix(path) => Some(format!("unix://{}", path.display())),
        }
    }

    /// Begins a GET. The path starts with a slash, has no version prefix, and is not escaped: that is done here.
    pub fn get(&self, path: impl Into<String>) -> Request<'_> {
        Request::new(self, Method::GET, path.into())
    }

    /// Begins a HEAD.
    pub fn head(&self, path: impl Into<String>) -> Request<'_> {
        Request::new(self, Method::HEAD, path.into())
    }

    /// Begins a POST.
    pub fn post(&self, path: impl Into<String>) -> Request<'_> {
        Request::new(self, Method::POST, path.into())
    }

    /// Begins a PUT.
    pub fn put(&self, path: impl Into<String>) -> Request<'_> {
        Request::new(self, Method::PUT, path.into())
    }

    /// Begins a DELETE.
    pub fn delete(&self, path: impl Into<String>) -> Request<'_> {
        Request::new(self, Method::DELETE, path.into())
    }

    /// The API version both sides speak: the older of ours and the daemon's, which a ping tells.
    ///
    /// # Errors
    /// The daemon cannot be reached.
    pub async fn api_version(&self) -> Result<&str> {
        if let Transport::InProcess(_) = self.transport {
            return Ok(API_VERSION);
        }
        let version = self.version.get_or_try_init(|| async {
            let answer = Request::new(self, Method::GET, "/_ping".into()).unversioned().await?;
            let theirs = answer.header("api-version").unwrap_or("1.24");
            Ok::<_, Error>(if parse_version(theirs) < parse_version(API_VERSION) { theirs } else { API_VERSION }.into())
        });
        Ok(version.await?)
    }

    /// A new connection.
    async fn open(&self) -> Result<Box<dyn Stream>> {
        match &self.transport {
            Transport::InProcess(server) => {
                let (ours, theirs) = tokio::io::duplex(PIPE);
                let server = server.clone();
                // Ends by itself when our side is closed.
                tokio::spawn(async move { server.serve_connection(theirs).await });
                Ok(Box::new(ours))
            }
            Transport::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(unreachable_daemon(path, &error)),
            },
        }
    }
}

/// Docker's words, and its name: whose daemon should be listening there cannot be told from here.
fn unreachable_daemon(path: &Path, error: &std::io::Error) -> Error {
    let host = format!("unix://{}", path.display());
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => {
            Error::local(format!("Cannot connect to the Docker daemon at {host}. Is the docker daemon running?"))
        }
        std::io::ErrorKind::PermissionDenied => Error::local(format!(
            "permission denied while trying to connect to the Docker daemon socket at {host}: dial unix {}: connect: permission denied",
            path.display()
        )),
        _ => Error::local(format!("error during connect: {host}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_socket_is_told_in_dockers_words() {
        let error = Client::unix("/nowhere/x.sock").get("/info").send().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Cannot connect to the Docker daemon at unix:///nowhere/x.sock. Is the docker daemon running?"
        );
        assert_eq!(error.status, 0);
    }

    #[test]
    fn addresses() {
        assert_eq!(Client::connect("unix:///run/x.sock").unwrap().host().unwrap(), "unix:///run/x.sock");
        assert!(Client::connect("ftp://x").is_err());
        assert!(Client::connect("/run/x.sock").is_err());
    }
}
