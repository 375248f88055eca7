//! Routes to registries: pull, push, login, and what a registry has.
//!
//! Who the user is to a registry only their client knows: it says so with each request, in `X-Registry-Auth`, and
//! nothing of it is kept here.

use super::blocking::{blocking, report};
use super::params::Params;
use super::{Answer, Refusal, Shared, answer};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use engine::api::Progress;
use engine::{Engine, PullOptions};
use http::HeaderMap;
use registry::{Credentials, credentials};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const AUTH: &str = "x-registry-auth";

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/auth", post(login)).route("/distribution/{*path}", get(look))
}

/// `POST /images/create?fromImage=…`.
pub(super) async fn pull(engine: Arc<Engine>, image: &str, params: &Params, headers: &HeaderMap) -> Answer {
    let options = PullOptions {
        image: image.to_owned(),
        tag: params.string("tag"),
        platform: params.string("platform"),
        credentials: of_request(headers),
    };
    report(move |sink| {
        let gone = AtomicBool::new(false);
        // Nobody waits for it any more: what was fetched stays for the next who asks.
        let told = |progress: Progress| gone.fetch_or(!sink.send(answer::json_line(&progress)), Ordering::Relaxed);
        engine.pull(&options, &|progress| _ = told(progress), &|| gone.load(Ordering::Relaxed))
    })
    .await
}

/// `POST /images/{name}/push`.
pub(super) async fn push(engine: Arc<Engine>, name: String, params: &Params, headers: &HeaderMap) -> Answer {
    let (tag, credentials) = (params.string("tag"), of_request(headers));
    report(move |sink| {
        let gone = AtomicBool::new(false);
        let told = |progress: Progress| gone.fetch_or(!sink.send(answer::json_line(&progress)), Ordering::Relaxed);
        engine.push(&name, &tag, credentials.as_ref(), &|progress| _ = told(progress), &|| gone.load(Ordering::Relaxed))
    })
    .await
}

async fn login(State(engine): Shared, body: Bytes) -> Answer {
    let credentials: Credentials =
        serde_json::from_slice(&body).map_err(|error| Refusal::invalid(format!("invalid JSON: {error}")))?;
    answer::json(&blocking(move || engine.login(&credentials)).await?)
}

/// `GET /distribution/{name}/json`.
async fn look(State(engine): Shared, Path(path): Path<String>, headers: HeaderMap) -> Answer {
    let Some(name) = path.strip_suffix("/json").map(str::to_owned) else {
        return Err(super::page_not_found().await);
    };
    let credentials = of_request(&headers);
    answer::json(&blocking(move || engine.distribution(&name, credentials.as_ref())).await?)
}

/// As dockerd: what cannot be read names nobody.
fn of_request(headers: &HeaderMap) -> Option<Credentials> {
    Credentials::from_header(headers.get(AUTH)?.to_str().ok()?).ok().flatten()
}

/// A build may meet any registry: `X-Registry-Config` holds all that the user knows.
pub(super) fn of_build(headers: &HeaderMap) -> BTreeMap<String, Credentials> {
    let header = headers.get("x-registry-config").and_then(|value| value.to_str().ok());
    header.and_then(|header| credentials::decode(header).ok()).unwrap_or_default()
}
