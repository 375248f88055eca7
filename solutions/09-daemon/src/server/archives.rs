//! Routes that carry images as archives: save, load, import. (Pull has the path of import.)

use super::blocking::{Sink, report, write_to};
use super::params::Params;
use super::{Answer, Refusal, Shared, answer, registries};
use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::routing::{get, post};
use engine::api::Progress;
use engine::{Engine, ImportOptions};
use futures_util::TryStreamExt;
use http::HeaderMap;
use std::io::Read;
use std::sync::Arc;
use tokio_util::io::{StreamReader, SyncIoBridge};

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/images/get", get(save_many))
        .route("/images/load", post(load))
        .route("/images/create", post(create))
}

async fn save_many(State(engine): Shared, params: Params) -> Answer {
    save(engine, params.all("names")).await
}

/// One archive of these images.
pub(super) async fn save(engine: Arc<Engine>, names: Vec<String>) -> Answer {
    write_to("application/x-tar", move |to| engine.save(&names, to)).await
}

async fn load(State(engine): Shared, params: Params, body: Body) -> Answer {
    let quiet = params.flag("quiet");
    let mut archive = reader(body);
    report(move |sink| {
        // Quiet leaves out how far it is, and keeps what was loaded.
        let mut progress = |progress: Progress| {
            if !quiet || progress.stream.is_some() {
                tell(sink, &progress);
            }
        };
        engine.load(&mut archive, &mut progress)
    })
    .await
}

/// `fromSrc=-` imports the body; `fromImage` pulls.
async fn create(State(engine): Shared, params: Params, headers: HeaderMap, body: Body) -> Answer {
    if let Some(image) = params.text("fromImage") {
        return registries::pull(engine, image, &params, &headers).await;
    }
    match params.text("fromSrc") {
        Some("-") => {}
        Some(url) => {
            return Err(Refusal::not_implemented(format!("cannot import from {url:?}: give the archive itself")));
        }
        None => return Err(Refusal::invalid("either fromImage or fromSrc must be given")),
    }
    let options = ImportOptions {
        repo: params.string("repo"),
        tag: params.string("tag"),
        message: params.string("message"),
        changes: params.all("changes"),
        platform: params.string("platform"),
    };
    let mut archive = reader(body);
    report(move |sink| {
        let id = engine.import(&mut archive, &options)?.id;
        tell(sink, &Progress { status: Some(id), ..Progress::default() });
        Ok(())
    })
    .await
}

/// A client that has gone hears no progress; the work goes on, as dockerd's does.
fn tell(sink: &Sink, progress: &Progress) {
    sink.send(answer::json_line(progress));
}

/// The body as the engine reads it: from a thread that may block.
pub(super) fn reader(body: Body) -> impl Read + Send + 'static {
    let chunks: BodyDataStream = body.into_data_stream();
    SyncIoBridge::new(StreamReader::new(chunks.map_err(std::io::Error::other)))
}
