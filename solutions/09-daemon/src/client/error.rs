//! What a request can come to grief on.

use http::StatusCode;
use std::fmt;

/// The results of this client.
pub type Result<T> = std::result::Result<T, Error>;

/// A request that failed. `message` is the server's own text, fit to be shown as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The HTTP status, or 0 when there was no answer at all.
    pub status: u16,
    /// What the user reads.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl Error {
    /// An error on this side of the connection.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self { status: 0, message: message.into() }
    }

    /// An error while talking.
    pub(crate) fn transport(error: impl fmt::Display) -> Self {
        Self::local(format!("error during connect: {error}"))
    }

    /// An answer other than success: the body's `message`, or the body itself where it is not ours, or the status's
    /// name.
    pub(crate) fn from_answer(status: StatusCode, body: &[u8]) -> Self {
        let message = match serde_json::from_slice::<engine::api::ErrorBody>(body) {
            Ok(body) => body.message,
            Err(_) if body.trim_ascii().is_empty() => {
                format!("request returned {status}, check if the server supports the requested API version")
            }
            Err(_) => String::from_utf8_lossy(body.trim_ascii()).into_owned(),
        };
        Self { status: status.as_u16(), message }
    }

    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }
}
