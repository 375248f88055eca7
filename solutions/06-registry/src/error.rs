//! What can go wrong between us and a registry, in Docker's words where Docker has them.

use layers::Digest;
use serde::Deserialize;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between us and a registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store of images refuses.
    #[error(transparent)]
    Layers(#[from] layers::Error),
    /// No answer: the host is not there, does not listen, or breaks off.
    #[error("{method} {url:?}: {why}")]
    Unreachable { method: String, url: String, why: String },
    /// The registry wants to know who we are, and we have no user and password for it.
    #[error("{method} {url:?}: no basic auth credentials")]
    NoCredentials { method: String, url: String },
    /// An answer that is an error. The first of the errors that the registry gave, or its status.
    #[error("{answer}")]
    Answer { status: u16, answer: Answer },
    /// Whoever gives out tokens refuses: which request that stops, and why.
    #[error("{method} {url:?}: {answer}")]
    NoToken { method: String, url: String, status: u16, answer: Answer },
    /// A tag or digest that the repository does not have.
    #[error("manifest for {name} not found: {answer}")]
    NoManifest { name: String, answer: Answer },
    /// A repository that the registry does not have.
    #[error("repository {name} not found: {answer}")]
    NoRepository { name: String, answer: Answer },
    /// A repository that is not there, or not for us: the registry does not say which.
    #[error("pull access denied for {name}, repository does not exist or may require 'docker login': {answer}")]
    PullDenied { name: String, answer: Answer },
    /// The registry refuses to be pushed to.
    #[error("push access denied, repository does not exist or may require authorization: {0}")]
    PushDenied(Answer),
    /// A user and password that the registry does not accept.
    #[error("login attempt to {url} failed with status: {status}")]
    Login { url: String, status: String },
    /// An answer that makes no sense.
    #[error("{url}: {why}")]
    Nonsense { url: String, why: String },
    /// An index without an image for the platform.
    #[error("no matching manifest for {0} in the manifest list entries")]
    NoPlatform(String),
    /// An image, but of another platform than was asked for.
    #[error(
        "image with reference {name} was found but does not match the specified platform: wanted {wanted}, actual: {actual}"
    )]
    WrongPlatform { name: String, wanted: String, actual: String },
    /// A manifest of something that is no image.
    #[error("unsupported media type {0}: this is no image that can be run")]
    NoImage(String),
    /// A layer that the registry may not hand out.
    #[error("layer {0} is a foreign one: it must be fetched from its vendor, which is not supported")]
    ForeignLayer(Digest),
    /// The bytes of a layer are not what the manifest promises, however often they are asked for.
    #[error("filesystem layer verification failed for digest {digest}: {why}")]
    Unverified { digest: Digest, why: String },
    /// A manifest has another digest than the one it was asked for by.
    #[error("manifest verification failed for digest {0}")]
    WrongManifest(Digest),
    /// A file of ours: credentials, settings, certificates.
    #[error("cannot {step} {path}: {why}", path = path.display())]
    File { step: &'static str, path: PathBuf, why: String },
    /// A program that keeps credentials; what it said itself stands at the end.
    #[error("error {step} credentials - err: {why}, out: `{said}`")]
    Helper { step: &'static str, why: String, said: String },
    /// Credentials may not be sent there.
    #[error("{0}")]
    Unsafe(String),
    /// The host's disk.
    #[error("cannot {step}: {source}")]
    Io { step: &'static str, source: io::Error },
    /// Whoever asked for it has gone.
    #[error("context canceled")]
    Cancelled,
}

/// The error within an answer (distribution-spec, "Error Codes").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// `MANIFEST_UNKNOWN`; empty: the body holds no error of this form.
    pub code: String,
    pub message: String,
}

impl Answer {
    /// Reads the body of an answer that is an error.
    #[must_use]
    pub fn read(status: u16, reason: &str, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            errors: Vec<One>,
        }
        #[derive(Deserialize)]
        struct One {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        let first = serde_json::from_slice::<Body>(body).ok().and_then(|body| body.errors.into_iter().next());
        match first {
            Some(One { code, message }) if !code.is_empty() => Self { code, message: printable(&message) },
            _ => {
                let message = format!("received unexpected HTTP status: {status} {reason}");
                Self { code: String::new(), message: message.trim_end().to_owned() }
            }
        }
    }

    pub(crate) fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

/// `manifest unknown: manifest unknown`: the code, as words, and the registry's own.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code.as_str() {
            "" => f.write_str(&self.message),
            code => write!(f, "{}: {}", printable(&code.to_lowercase().replace('_', " ")), self.message),
        }
    }
}

/// What a stranger wants to have shown on a terminal: without control characters, and not for ever.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

impl Error {
    /// For `map_err`: which step failed on this host.
    pub(crate) fn io(step: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { step, source }
    }

    /// For `map_err`: which step failed on a file of ours.
    pub(crate) fn file<E: fmt::Display>(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(E) -> Error {
        let path = path.into();
        move |why| Error::File { step, path, why: why.to_string() }
    }

    /// What whoever gives out tokens says, as the reason why this request cannot be made.
    pub(crate) fn at(self, method: &str, url: &str) -> Error {
        match self {
            Error::Answer { status, answer } => {
                Error::NoToken { method: method.to_owned(), url: url.to_owned(), status, answer }
            }
            error => error,
        }
    }

    /// The disk is full: what came is to make room again.
    pub(crate) fn is_full_disk(&self) -> bool {
        let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
        match self {
            Error::Io { source, .. } => full(source),
            Error::Layers(layers::Error::Io { source, .. } | layers::Error::Unpack { source, .. }) => full(source),
            _ => false,
        }
    }

    /// Another attempt might end better: nobody answered, or the server had a trouble of its own.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Error::Unreachable { .. } | Error::Unverified { .. } => true,
            Error::Answer { status, .. } | Error::NoToken { status, .. } => {
                matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_as_docker_tells_them() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}"#;
        let answer = Answer::read(404, "Not Found", body);
        let name = "localhost:5000/a:1".to_owned();
        let told = Error::NoManifest { name, answer }.to_string();
        assert_eq!(told, "manifest for localhost:5000/a:1 not found: manifest unknown: manifest unknown");
        let answer = Answer::read(503, "Service Unavailable", b"<html>").to_string();
        assert_eq!(answer, "received unexpected HTTP status: 503 Service Unavailable");
        let clean = Answer::read(400, "", br#"{"errors":[{"code":"X","message":"a\u001b[31m"}]}"#);
        assert_eq!(clean.to_string(), "x: a[31m");
    }
}
