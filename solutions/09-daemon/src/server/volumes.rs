//! Routes on volumes.

use super::blocking::blocking;
use super::create::understand;
use super::params::Params;
use super::version::ApiVersion;
use super::{Answer, Shared, answer};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::routing::{get, post};
use engine::Engine;
use engine::api::VolumeCreate;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/volumes", get(list))
        .route("/volumes/create", post(create))
        .route("/volumes/prune", post(prune))
        .route("/volumes/{name}", get(inspect).delete(remove))
}

async fn list(State(engine): Shared, params: Params) -> Answer {
    let filters = params.filters()?;
    answer::json(&blocking(move || engine.list_volumes(&filters)).await?)
}

async fn create(State(engine): Shared, body: Bytes) -> Answer {
    let request: VolumeCreate = understand(&body)?;
    answer::created(&blocking(move || engine.create_volume(request)).await?)
}

async fn inspect(State(engine): Shared, Path(name): Path<String>) -> Answer {
    answer::json(&blocking(move || engine.inspect_volume(&name)).await?)
}

async fn remove(State(engine): Shared, Path(name): Path<String>, params: Params) -> Answer {
    let force = params.flag("force");
    blocking(move || engine.remove_volume(&name, force)).await?;
    answer::no_content()
}

async fn prune(State(engine): Shared, Extension(version): Extension<ApiVersion>, params: Params) -> Answer {
    let mut filters = params.filters()?;
    // Who does not know of "all" means all: before it, a prune made no difference between volumes with a name and without.
    if version < ApiVersion(1, 42) {
        filters.insert("all".to_owned(), vec!["true".to_owned()]);
    }
    answer::json(&blocking(move || engine.prune_volumes(&filters)).await?)
}
