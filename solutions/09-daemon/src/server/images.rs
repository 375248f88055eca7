//! Routes on images.
//!
//! An image's name has slashes of its own (`/images/localhost:5000/team/web/json`), which no pattern of a router can
//! tell from the path's. So everything beneath `/images/` comes here, and the verb is what follows the last slash.

use super::blocking::blocking;
use super::params::Params;
use super::{Answer, Shared, answer, archives, registries};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use engine::Engine;
use http::HeaderMap;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/images/json", get(list))
        .route("/images/prune", post(prune))
        .route("/images/{*path}", get(read).post(write).delete(remove))
}

async fn list(State(engine): Shared, params: Params) -> Answer {
    // (`digests` asks for what the answer holds in any case.)
    let (all, filters) = (params.flag("all"), params.filters()?);
    answer::json(&blocking(move || engine.images(all, &filters)).await?)
}

async fn read(State(engine): Shared, Path(path): Path<String>) -> Answer {
    match verb(&path) {
        Some((name, "json")) => answer::json(&blocking(move || engine.image_inspect(&name)).await?),
        Some((name, "history")) => answer::json(&blocking(move || engine.image_history(&name)).await?),
        Some((name, "get")) => archives::save(engine, vec![name]).await,
        _ => Err(super::page_not_found().await),
    }
}

async fn write(State(engine): Shared, Path(path): Path<String>, params: Params, headers: HeaderMap) -> Answer {
    match verb(&path) {
        Some((name, "tag")) => {
            let (repo, tag) = (params.string("repo"), params.string("tag"));
            blocking(move || engine.tag(&name, &repo, &tag)).await?;
            let mut answer = answer::bytes("text/plain", axum::body::Body::empty())?;
            *answer.status_mut() = http::StatusCode::CREATED;
            Ok(answer)
        }
        Some((name, "push")) => registries::push(engine, name, &params, &headers).await,
        _ => Err(super::page_not_found().await),
    }
}

async fn remove(State(engine): Shared, Path(name): Path<String>, params: Params) -> Answer {
    let (force, no_prune) = (params.flag("force"), params.flag("noprune"));
    answer::json(&blocking(move || engine.image_remove(&name, force, no_prune)).await?)
}

async fn prune(State(engine): Shared, params: Params) -> Answer {
    let filters = params.filters()?;
    answer::json(&blocking(move || engine.prune_images(&filters)).await?)
}

/// `team/web/json` → `team/web`, `json`.
fn verb(path: &str) -> Option<(String, &str)> {
    let (name, verb) = path.rsplit_once('/')?;
    Some((name.to_owned(), verb))
}
