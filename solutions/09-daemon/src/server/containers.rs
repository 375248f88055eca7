//! Routes on a container that ask one thing and have one answer.

use super::blocking::{blocking, report, write_to};
use super::params::Params;
use super::{Answer, Refusal, Shared, answer};
use crate::json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use engine::{CommitOptions, Engine, ListOptions, RemoveOptions, StatsOptions};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/json", get(list))
        .route("/containers/prune", post(prune))
        .route("/containers/{id}", delete(remove))
        .route("/containers/{id}/{alias}", delete(unlink))
        .route("/containers/{id}/json", get(inspect))
        .route("/containers/{id}/start", post(start))
        .route("/containers/{id}/stop", post(stop))
        .route("/containers/{id}/restart", post(restart))
        .route("/containers/{id}/kill", post(kill))
        .route("/containers/{id}/pause", post(pause))
        .route("/containers/{id}/unpause", post(unpause))
        .route("/containers/{id}/rename", post(rename))
        .route("/containers/{id}/resize", post(resize))
        .route("/containers/{id}/stats", get(stats))
        .route("/containers/{id}/top", get(top))
        .route("/containers/{id}/changes", get(changes))
        .route("/containers/{id}/export", get(export))
        .route("/commit", post(commit))
}

async fn list(State(engine): Shared, params: Params) -> Answer {
    // A limit counts containers that have ended too. Old clients say -1 for no limit.
    let limit = params.number::<i64>("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let all = params.flag("all") || limit.is_some();
    let options = ListOptions { all, limit, size: params.flag("size"), filters: params.filters()? };
    answer::json(&blocking(move || engine.list(&options)).await?)
}

async fn inspect(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let size = params.flag("size");
    answer::json(&blocking(move || engine.inspect(&id, size)).await?)
}

async fn start(State(engine): Shared, Path(id): Path<String>, params: Params, body: Bytes) -> Answer {
    if params.text("checkpoint").is_some() {
        return Err(Refusal::not_implemented("checkpoints are not supported"));
    }
    if !matches!(&body[..], b"" | b"{}" | b"null") {
        return Err(Refusal::invalid(
            "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
        ));
    }
    blocking(move || engine.start(&id)).await?;
    answer::no_content()
}

async fn stop(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let (grace, signal) = (params.number("t")?, params.text("signal").map(str::to_owned));
    blocking(move || engine.stop(&id, signal.as_deref(), grace)).await?;
    answer::no_content()
}

async fn restart(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let (grace, signal) = (params.number("t")?, params.text("signal").map(str::to_owned));
    blocking(move || engine.restart(&id, signal.as_deref(), grace)).await?;
    answer::no_content()
}

async fn kill(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let signal = params.text("signal").map(str::to_owned);
    blocking(move || engine.kill(&id, signal.as_deref())).await?;
    answer::no_content()
}

async fn pause(State(engine): Shared, Path(id): Path<String>) -> Answer {
    blocking(move || engine.pause(&id)).await?;
    answer::no_content()
}

async fn unpause(State(engine): Shared, Path(id): Path<String>) -> Answer {
    blocking(move || engine.unpause(&id)).await?;
    answer::no_content()
}

async fn rename(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let name = params.string("name");
    blocking(move || engine.rename(&id, &name)).await?;
    answer::no_content()
}

async fn remove(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    if params.flag("link") {
        return Err(Refusal::invalid(format!(
            "Conflict: unable to remove the default link name of the container: /{id}"
        )));
    }
    let options = RemoveOptions { force: params.flag("force"), volumes: params.flag("v") };
    blocking(move || engine.remove(&id, &options)).await?;
    answer::no_content()
}

/// `rm --link web/alias`.
async fn unlink(State(engine): Shared, Path((parent, alias)): Path<(String, String)>, params: Params) -> Answer {
    if !params.flag("link") {
        return Err(Refusal::not_found(format!("No such container: {parent}/{alias}")));
    }
    blocking(move || engine.unlink(&parent, &alias)).await?;
    answer::no_content()
}

async fn resize(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let (height, width) = size(&params)?;
    blocking(move || engine.resize(&id, height, width)).await?;
    answer::bytes("text/plain", axum::body::Body::empty())
}

/// Rows and columns of a terminal.
pub(super) fn size(params: &Params) -> Result<(u16, u16), Refusal> {
    let side = |name| params.number(name)?.ok_or_else(|| Refusal::invalid(format!("invalid resize {name}: \"\"")));
    Ok((side("h")?, side("w")?))
}

async fn top(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let ps_args = params.text("ps_args").unwrap_or("-ef").to_owned();
    answer::json(&blocking(move || engine.top(&id, &ps_args)).await?)
}

/// A sample a second, until the container is gone or nobody listens any more.
async fn stats(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let options = StatsOptions { stream: params.flag_unless_absent("stream"), one_shot: params.flag("one-shot") };
    if options.stream && options.one_shot {
        return Err(Refusal::invalid("cannot have stream=true and one-shot=true"));
    }
    report(move |sink| engine.stats(&id, options, &mut |stats| sink.send(answer::json_line(stats)))).await
}

async fn changes(State(engine): Shared, Path(id): Path<String>) -> Answer {
    answer::json(&blocking(move || engine.changes(&id)).await?)
}

async fn export(State(engine): Shared, Path(id): Path<String>) -> Answer {
    write_to("application/x-tar", move |to| engine.export(&id, to)).await
}

async fn prune(State(engine): Shared, params: Params) -> Answer {
    let filters = params.filters()?;
    answer::json(&blocking(move || engine.prune_containers(&filters)).await?)
}

/// The body is a `ContainerConfig` that replaces the container's, or nothing.
async fn commit(State(engine): Shared, params: Params, body: Bytes) -> Answer {
    let config = match body.trim_ascii() {
        b"" | b"null" | b"{}" => None,
        body => Some(json::decode(body).map_err(|error| Refusal::invalid(error.to_string()))?),
    };
    let options = CommitOptions {
        repo: params.string("repo"),
        tag: params.string("tag"),
        comment: params.string("comment"),
        author: params.string("author"),
        pause: params.flag_unless_absent("pause"),
        changes: params.all("changes"),
    };
    let container = params.string("container");
    answer::created(&blocking(move || engine.commit(&container, &options, config)).await?)
}
