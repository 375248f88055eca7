//! Routes of `exec`: one more process in a running container.

use super::blocking::blocking;
use super::containers::size;
use super::create::understand;
use super::hijack::Upgrade;
use super::params::Params;
use super::version::ApiVersion;
use super::{Answer, Refusal, Shared, answer};
use crate::json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::routing::{get, post};
use engine::Engine;
use engine::api::{ExecConfig, ExecStart};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/{id}/exec", post(create))
        .route("/exec/{id}/start", post(start))
        .route("/exec/{id}/resize", post(resize))
        .route("/exec/{id}/json", get(inspect))
}

async fn create(State(engine): Shared, Path(container): Path<String>, body: Bytes) -> Answer {
    let config: ExecConfig = understand(&body)?;
    if config.cmd.as_ref().is_none_or(Vec::is_empty) {
        return Err(Refusal::invalid("No exec command specified"));
    }
    answer::created(&blocking(move || engine.exec_create(&container, config)).await?)
}

/// Detached, the answer comes once it runs; otherwise the connection becomes its streams.
async fn start(
    State(engine): Shared,
    Path(exec): Path<String>,
    Extension(version): Extension<ApiVersion>,
    upgrade: Upgrade,
    body: Bytes,
) -> Answer {
    let start: ExecStart = json::decode(&body).map_err(|error| Refusal::invalid(error.to_string()))?;
    match blocking(move || engine.exec_start(&exec, &start)).await? {
        Some(attached) => upgrade.relay(attached, version),
        None => answer::bytes("text/plain", Body::empty()),
    }
}

async fn resize(State(engine): Shared, Path(exec): Path<String>, params: Params) -> Answer {
    let (height, width) = size(&params)?;
    blocking(move || engine.exec_resize(&exec, height, width)).await?;
    answer::bytes("text/plain", Body::empty())
}

async fn inspect(State(engine): Shared, Path(exec): Path<String>) -> Answer {
    answer::json(&blocking(move || engine.exec_inspect(&exec)).await?)
}
