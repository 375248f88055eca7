//! Routes about the engine itself.

use super::blocking::blocking;
use super::params::Params;
use super::{Answer, Refusal, Shared, answer, hijack};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use engine::{Engine, Kinds};
use http::header;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/_ping", get(ping))
        .route("/version", get(version))
        .route("/info", get(info))
        .route("/events", get(events))
        .route("/system/df", get(disk_usage))
}

/// GET and HEAD: what clients ask first, for the headers that [`super::version::introduce`] adds.
async fn ping() -> impl IntoResponse {
    let headers = [
        ("builder-version", "1"),
        ("cache-control", "no-cache, no-store, must-revalidate"),
        ("pragma", "no-cache"),
        ("swarm", "inactive"),
        (header::CONTENT_TYPE.as_str(), "text/plain; charset=utf-8"),
    ];
    (headers, "OK")
}

async fn version(State(engine): Shared) -> Answer {
    answer::json(&blocking(move || Ok(engine.version())).await?)
}

async fn info(State(engine): Shared) -> Answer {
    answer::json(&blocking(move || engine.info()).await?)
}

/// `type=image&type=volume`: only those; without, all.
async fn disk_usage(State(engine): Shared, params: Params) -> Answer {
    let asked = params.all("type");
    let known = ["image", "container", "volume", "build-cache"];
    if let Some(unknown) = asked.iter().find(|kind| !known.contains(&kind.as_str())) {
        return Err(Refusal::invalid(format!("unknown object type: {unknown}")));
    }
    let [images, containers, volumes, build_cache] =
        known.map(|kind| asked.is_empty() || asked.iter().any(|asked| asked == kind));
    let kinds = Kinds { images, containers, volumes, build_cache };
    answer::json(&blocking(move || engine.disk_usage(kinds)).await?)
}

async fn events(State(engine): Shared, params: Params) -> Answer {
    let (since, until) = (params.number("since")?, params.number("until")?);
    let filters = params.filters()?;
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(Refusal::invalid(format!("`since` time ({since}) cannot be after `until` time ({until})")));
    }
    hijack::lines(blocking(move || engine.events(since, until, filters)).await?)
}
