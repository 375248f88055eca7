//! Routes on a container that last: attach, logs, wait.

use super::blocking::blocking;
use super::hijack::{self, Upgrade};
use super::params::Params;
use super::version::ApiVersion;
use super::{Answer, Refusal, Shared, answer};
use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::routing::{get, post};
use engine::api::{WaitError, WaitResponse};
use engine::{AttachOptions, Engine, LogOptions, WaitCondition};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Stack of a thread that only waits.
const STACK: usize = 256 << 10;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/containers/{id}/attach", post(attach))
        .route("/containers/{id}/logs", get(logs))
        .route("/containers/{id}/wait", post(wait))
}

async fn attach(
    State(engine): Shared,
    Path(id): Path<String>,
    Extension(version): Extension<ApiVersion>,
    params: Params,
    upgrade: Upgrade,
) -> Answer {
    let options = AttachOptions {
        stdin: params.flag("stdin"),
        stdout: params.flag("stdout"),
        stderr: params.flag("stderr"),
        stream: params.flag("stream"),
        logs: params.flag("logs"),
        detach_keys: params.text("detachKeys").map(str::to_owned),
    };
    let attached = blocking(move || engine.attach(&id, &options)).await?;
    upgrade.relay(attached, version)
}

async fn logs(
    State(engine): Shared,
    Path(id): Path<String>,
    Extension(version): Extension<ApiVersion>,
    params: Params,
) -> Answer {
    let tail = match params.text("tail") {
        // As dockerd: what is no count is all.
        Some(tail) => tail.parse().ok(),
        None => None,
    };
    let options = LogOptions {
        stdout: params.flag("stdout"),
        stderr: params.flag("stderr"),
        follow: params.flag("follow"),
        timestamps: params.flag("timestamps"),
        tail,
        since: params.text("since").map(str::to_owned),
        until: params.text("until").map(str::to_owned),
    };
    if !(options.stdout || options.stderr) {
        return Err(Refusal::invalid("Bad parameters: you must choose at least one stream"));
    }
    hijack::listen(blocking(move || engine.logs(&id, &options)).await?, version)
}

/// Answers the head at once: `docker run` starts the container only when it knows that somebody waits for its end.
async fn wait(State(engine): Shared, Path(id): Path<String>, params: Params) -> Answer {
    let condition = match params.text("condition") {
        None | Some("not-running") => WaitCondition::NotRunning,
        Some("next-exit") => WaitCondition::NextExit,
        Some("removed") => WaitCondition::Removed,
        Some(other) => return Err(Refusal::invalid(format!("invalid condition: {other:?}"))),
    };
    let mut waiting = blocking(move || engine.wait(&id, condition)).await?;
    let broken = |error: std::io::Error| Refusal::system(error.to_string());
    let (answer, mut caller) = UnixStream::pair().map_err(broken)?;
    // A thread of its own, as long as the container may live: hundreds of these would fill the pool of `blocking`.
    let thread = std::thread::Builder::new().name("wait".into()).stack_size(STACK);
    let wait = move || {
        let ended = waiting.finish(&caller).unwrap_or_else(|error| {
            let error = Some(WaitError { message: error.message });
            Some(WaitResponse { status_code: -1, error })
        });
        if let Some(ended) = ended {
            // It may have left this very moment.
            caller.write_all(&answer::json_line(&ended)).ok();
        }
        // The answer ends here, and not after `waiting` has gone, which takes the kernel a moment.
        drop(caller);
    };
    thread.spawn(wait).map_err(broken)?;
    hijack::lines(answer)
}
