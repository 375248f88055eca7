//! Answers: JSON as Go prints it, nothing, or a refusal.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use engine::Kind;
use engine::api::ErrorBody;
use http::{StatusCode, header};
use serde::Serialize;

/// What a handler returns.
pub(super) type Answer = Result<Response, Refusal>;

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into() }
    }

    pub(super) fn not_implemented(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_IMPLEMENTED, message: message.into() }
    }

    pub(super) fn system(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: message.into() }
    }
}

impl From<engine::Error> for Refusal {
    fn from(error: engine::Error) -> Self {
        let status = match error.kind {
            Kind::NotModified => StatusCode::NOT_MODIFIED,
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Kind::System => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, message: error.message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.status == StatusCode::NOT_MODIFIED {
            return self.status.into_response(); // "already so" has no body (RFC 9110, section 15.4.5)
        }
        let line = json_line(&ErrorBody { message: self.message });
        (self.status, [(header::CONTENT_TYPE, "application/json")], line).into_response()
    }
}

/// 200 with this as JSON.
pub(super) fn json(value: &impl Serialize) -> Answer {
    json_as(StatusCode::OK, value)
}

/// 201 with this as JSON.
pub(super) fn created(value: &impl Serialize) -> Answer {
    json_as(StatusCode::CREATED, value)
}

/// 204.
pub(super) fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 200 with bytes of this type.
pub(super) fn bytes(content_type: &'static str, body: Body) -> Answer {
    Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
}

fn json_as(status: StatusCode, value: &impl Serialize) -> Answer {
    Ok((status, [(header::CONTENT_TYPE, "application/json")], json_line(value)).into_response())
}

/// One line of JSON: Go's encoder ends each value with a newline, and clients that read streams count on it.
pub(super) fn json_line(value: &impl Serialize) -> Vec<u8> {
    // Our own types always encode: no map has keys other than strings.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}
