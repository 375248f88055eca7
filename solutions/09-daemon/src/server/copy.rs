//! Routes that copy files into and out of a container.

use super::archives::reader;
use super::blocking::{blocking, write_to};
use super::params::Params;
use super::{Answer, Refusal, Shared, answer};
use crate::client::copy::PATH_STAT;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::api::ContainerPathStat;
use engine::{Engine, ExtractOptions};
use http::HeaderValue;
use std::io::Read as _;
use std::sync::Arc;

/// How much of a refused archive is still taken, as by Go's server.
const UNWANTED: u64 = 256 << 10;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/containers/{id}/archive", get(archive).head(stat).put(extract))
}

async fn stat(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let path = path(&params)?;
    let stat = blocking(move || engine.stat_path(&id, &path)).await?;
    with_stat(answer::bytes("application/octet-stream", Body::empty()), &stat)
}

async fn archive(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let path = path(&params)?;
    let archived = blocking(move || engine.archive_path(&id, &path)).await?;
    let stat = archived.stat.clone();
    with_stat(write_to("application/x-tar", move |to| archived.write(to)).await, &stat)
}

async fn extract(State(engine): Shared, Path(id): Path<String>, params: Params, body: Body) -> Answer {
    let path = path(&params)?;
    let options = ExtractOptions {
        copy_uid_gid: params.flag("copyUIDGID"),
        no_overwrite_dir_non_dir: params.flag("noOverwriteDirNonDir"),
    };
    let mut archive = reader(body);
    let extract = move || {
        let extracted = engine.extract(&id, &path, &options, &mut archive);
        if extracted.is_err() {
            // A client that still sends would find its pipe broken, and never read why. Who has gone ends this, too.
            std::thread::spawn(move || std::io::copy(&mut archive.take(UNWANTED), &mut std::io::sink()));
        }
        extracted
    };
    blocking(extract).await?;
    answer::bytes("application/octet-stream", Body::empty())
}

fn path(params: &Params) -> Result<String, Refusal> {
    params.text("path").map(str::to_owned).ok_or_else(|| Refusal::invalid("bad parameter: path cannot be empty"))
}

/// Adds what the path is, as JSON in base64.
fn with_stat(answer: Answer, stat: &ContainerPathStat) -> Answer {
    let mut answer = answer?;
    let json = serde_json::to_vec(stat).map_err(|error| Refusal::system(error.to_string()))?;
    let value = HeaderValue::try_from(BASE64_STANDARD.encode(json));
    answer.headers_mut().insert(PATH_STAT, value.map_err(|error| Refusal::system(error.to_string()))?);
    Ok(answer)
}
