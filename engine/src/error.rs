//! What the engine answers when it refuses: each error knows its status in the Engine API, and says it in Docker's words
//! where Docker has them.

use serde::{Deserialize, Serialize};

/// The kinds of refusal, each one an HTTP status of the Engine API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// 304: already so (starting what runs, stopping what does not).
    NotModified,
    /// 400: the request makes no sense.
    Invalid,
    /// 401: a registry does not know who this is.
    Unauthorized,
    /// 403: not allowed here.
    Forbidden,
    /// 404: no such container, image, exec.
    NotFound,
    /// 409: the object is in a state, or has a name, that forbids it.
    Conflict,
    /// 501: Kesako does not have this.
    NotImplemented,
    /// 500: the host refused.
    System,
}

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Which status it is.
    pub kind: Kind,
    /// What the user reads.
    pub message: String,
}

/// The engine's results.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of this kind with this text.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The host refused: "cannot `doing`: `cause`".
    pub fn system(doing: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        Self::new(Kind::System, format!("cannot {doing}: {cause}"))
    }
}

/// What the store of images refuses, under the status that Docker gives it.
impl From<layers::Error> for Error {
    fn from(error: layers::Error) -> Self {
        use layers::Error as E;
        let kind = match error {
            E::NoSuchImage(_) => Kind::NotFound,
            E::Conflict(_) => Kind::Conflict,
            E::Reference(_) | E::Platform(_) | E::InvalidDigest(_) => Kind::Invalid,
            _ => Kind::System,
        };
        Self::new(kind, error.to_string())
    }
}
