//! Routes about networks.

use super::blocking::blocking;
use super::create::understand;
use super::params::Params;
use super::{Answer, Shared, answer};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use engine::Engine;
use engine::api::{NetworkConnect, NetworkCreate, NetworkDisconnect};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/networks", get(list))
        .route("/networks/create", post(create))
        .route("/networks/prune", post(prune))
        .route("/networks/{id}", get(inspect).delete(remove))
        .route("/networks/{id}/connect", post(connect))
        .route("/networks/{id}/disconnect", post(disconnect))
}

async fn list(State(engine): Shared, params: Params) -> Answer {
    let filters = params.filters()?;
    answer::json(&blocking(move || engine.network_list(&filters)).await?)
}

async fn create(State(engine): Shared, body: Bytes) -> Answer {
    let request: NetworkCreate = understand(&body)?;
    answer::created(&blocking(move || engine.network_create(request)).await?)
}

async fn inspect(State(engine): Shared, Path(id): Path<String>) -> Answer {
    answer::json(&blocking(move || engine.network_inspect(&id)).await?)
}

async fn remove(State(engine): Shared, Path(id): Path<String>) -> Answer {
    blocking(move || engine.network_remove(&id)).await?;
    answer::no_content()
}

async fn connect(State(engine): Shared, Path(id): Path<String>, body: Bytes) -> Answer {
    let request: NetworkConnect = understand(&body)?;
    blocking(move || engine.network_connect(&id, request)).await?;
    answer::bytes("text/plain", axum::body::Body::empty())
}

async fn disconnect(State(engine): Shared, Path(id): Path<String>, body: Bytes) -> Answer {
    let request: NetworkDisconnect = understand(&body)?;
    blocking(move || engine.network_disconnect(&id, &request)).await?;
    answer::bytes("text/plain", axum::body::Body::empty())
}

async fn prune(State(engine): Shared, params: Params) -> Answer {
    let filters = params.filters()?;
    answer::json(&blocking(move || engine.network_prune(&filters)).await?)
}
