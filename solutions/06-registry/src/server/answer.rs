//! Answers, and refusals with the codes of the specification.

use crate::error::Error;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::io;
use tokio::task::JoinError;

/// What a handler returns.
pub(super) type Answer = Result<Response, Refusal>;

/// An answer that is an error (distribution-spec, "Error Codes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn unknown(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message)
    }

    pub(super) fn trouble(message: impl std::fmt::Display) -> Self {
        tracing::warn!("{message}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", message.to_string())
    }

    /// What the disk said to this step. A sender who is told that it is full need not look for a mistake.
    pub(super) fn disk(step: &str, error: &io::Error) -> Self {
        let trouble = Self::trouble(format!("cannot {step}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self {
                status: StatusCode::INSUFFICIENT_STORAGE,
                message: "the registry's disk is full".to_owned(),
                ..trouble
            },
            _ => trouble,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // Without a detail, Docker's daemon takes the error for a bare code, and does not say what it was that is missing.
        let body = json!({ "errors": [{ "code": self.code, "message": self.message, "detail": {} }] });
        let json = HeaderValue::from_static("application/json");
        (self.status, [(header::CONTENT_TYPE, json)], body.to_string()).into_response()
    }
}

impl From<layers::Error> for Refusal {
    fn from(error: layers::Error) -> Self {
        use layers::Error as E;
        match error {
            E::WrongDigest { .. } | E::WrongSize { .. } | E::InvalidDigest(_) => {
                Self::invalid("DIGEST_INVALID", error.to_string())
            }
            E::Io { step, path, source } => Self::disk(&format!("{step} {}", path.display()), &source),
            E::NoSuchBlob(_) => Self::unknown("BLOB_UNKNOWN", "blob unknown to registry"),
            error => Self::trouble(error),
        }
    }
}

/// What another registry refuses, to whom we are only a mirror.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match &error {
            Error::Layers(_) | Error::Io { .. } => Self::trouble(error),
            Error::Answer { status: 404, .. } | Error::NoManifest { .. } | Error::NoRepository { .. } => {
                Self::unknown("MANIFEST_UNKNOWN", format!("the mirrored registry does not have it: {error}"))
            }
            Error::Answer { status: 401 | 403, .. } | Error::PullDenied { .. } | Error::NoCredentials { .. } => {
                let text = format!("the mirrored registry does not let us have it: {error}");
                Self::new(StatusCode::FORBIDDEN, "DENIED", text)
            }
            Error::Answer { status: 429, .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", error.to_string())
            }
            _ => Self::new(StatusCode::BAD_GATEWAY, "UNKNOWN", format!("the mirrored registry: {error}")),
        }
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode, headers: &[(&'static str, &str)]) -> Answer {
    with(status, headers, Body::empty())
}

/// An answer with these headers.
pub(super) fn with(status: StatusCode, headers: &[(&'static str, &str)], body: Body) -> Answer {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body).map_err(Refusal::trouble)
}

/// Does what blocks on a thread that may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        // It goes on in who waits for it, whose request it is.
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(ended)) => Err(Refusal::trouble(ended)),
    }
}
