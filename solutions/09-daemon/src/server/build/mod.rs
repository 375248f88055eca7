//! Builds.
//!
//! `POST /build` is dockerd's classic one: the query says what is asked for, the body is the context as an archive, and
//! the answer tells the build [instruction by instruction](classic).
//!
//! Our own client has more to ask and more to hear. It says `kesako=N`: the first N bytes of the body are a
//! [`BuildOptions`] as JSON, what follows is the context; and the answer are [`BuildMessage`]s, one a line.
//!
//! A build ends early when its client goes, or with `POST /build/cancel?id=…` of the `buildid` that it was begun with.

mod classic;
mod options;

use super::blocking::{Sink, blocking, report_while};
use super::params::Params;
use super::{Answer, Refusal, Shared, Within, answer, registries};
use axum::Router;
use axum::body;
use axum::extract::{Extension, State};
use axum::routing::post;
use build::cancel::Cancel;
use classic::Classic;
use engine::api::{BuildMessage, BuildOptions, Progress};
use engine::{Engine, Error, Kind, Result};
use http::HeaderMap;
use registry::Credentials;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest [`BuildOptions`]: secrets have 500 KiB each, and a Dockerfile may be in it.
const LONGEST_DOCUMENT: u64 = 64 << 20;

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/build", post(build))
        .route("/build/cancel", post(cancel))
        .route("/build/prune", post(prune))
        .layer(Extension(Running::default()))
}

/// The builds that go on, by the ID that their clients gave them.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<HashMap<String, Arc<Cancel>>>>);

impl Running {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Arc<Cancel>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Held as long as somebody listens to a build. Its end is the build's.
struct Listening {
    cancel: Arc<Cancel>,
    id: Option<String>,
    running: Running,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(id) = &self.id {
            self.running.with(|running| running.remove(id));
        }
    }
}

async fn build(
    State(engine): Shared,
    Extension(running): Extension<Running>,
    Extension(within): Extension<Within>,
    params: Params,
    headers: HeaderMap,
    body: body::Body,
) -> Answer {
    let cancel = Arc::new(Cancel::new().map_err(|error| Refusal::system(format!("cannot begin a build: {error}")))?);
    let id = params.text("buildid").map(str::to_owned);
    if let Some(id) = &id {
        running.with(|running| running.insert(id.clone(), Arc::clone(&cancel)));
    }
    let listening = Listening { cancel: Arc::clone(&cancel), id, running };
    let mut body = super::archives::reader(body);
    let registries = registries::of_build(&headers);
    report_while(listening, move |sink| {
        let job = Job { engine: &engine, cancel: &cancel, sink };
        let result = match params.text("kesako") {
            Some(length) => job.own(&mut body, length, within),
            None => job.classic(&mut body, &params, registries),
        };
        // A client that is not heard to the end may not listen to the answer.
        io::copy(&mut body, &mut io::sink()).ok();
        result
    })
    .await
}

/// A build, and who hears of it.
struct Job<'a> {
    engine: &'a Engine,
    cancel: &'a Cancel,
    sink: &'a Sink,
}

impl Job<'_> {
    /// For our own client: events as they are.
    fn own(&self, body: &mut (dyn Read + Send), length: &str, within: Within) -> Result<()> {
        let options = document(body, length)?;
        if !within.0 {
            options::refuse_paths(&options)?;
        }
        let send = |message: &BuildMessage| _ = self.sink.send(answer::json_line(message));
        let events = |event| send(&BuildMessage { event: Some(event), ..BuildMessage::default() });
        let built = self.engine.build(&options, Some(body), &events, self.cancel)?;
        send(&BuildMessage { built: Some(built), ..BuildMessage::default() });
        Ok(())
    }

    /// For everybody else: instruction by instruction.
    fn classic(
        &self,
        body: &mut (dyn Read + Send),
        params: &Params,
        registries: BTreeMap<String, Credentials>,
    ) -> Result<()> {
        let options = BuildOptions { registries, ..options::classic(params)? };
        let quiet = params.flag("q");
        let is_known = |id: &str| self.engine.image_inspect(id).is_ok();
        let teller = Mutex::new((Classic::new(&is_known), Vec::new()));
        let tell = |lines: Vec<Progress>| lines.iter().for_each(|line| _ = self.sink.send(answer::json_line(line)));
        let events = |event| {
            // Held while the lines are sent: they must arrive in the order in which they were made.
            let (classic, unheard) = &mut *teller.lock().unwrap_or_else(PoisonError::into_inner);
            match quiet {
                true => unheard.extend(classic.tell(event)),
                false => tell(classic.tell(event)),
            }
        };
        let built = self.engine.build(&options, Some(body), &events, self.cancel);
        let (mut classic, unheard) = teller.into_inner().unwrap_or_else(PoisonError::into_inner);
        match built {
            Ok(built) if quiet => tell(vec![classic::text(format!("{}\n", built.id))]),
            Ok(built) => tell(classic.end(&built, &options.tags)),
            Err(error) => {
                tell(unheard);
                let Some(detail) = classic.failure() else { return Err(error) };
                let error = Some(detail.message.clone());
                tell(vec![Progress { error, error_detail: Some(detail), ..Progress::default() }]);
            }
        }
        Ok(())
    }
}

/// What our own client asks for: so many bytes at the beginning of the body.
fn document(body: &mut (dyn Read + Send), length: &str) -> Result<BuildOptions> {
    let invalid = |why: String| Error::new(Kind::Invalid, format!("kesako={length}: {why}"));
    let bytes = length.parse().ok().filter(|bytes| *bytes <= LONGEST_DOCUMENT);
    let bytes = bytes.ok_or_else(|| invalid("the length of a build's options is expected".to_owned()))?;
    let mut text = Vec::new();
    body.take(bytes).read_to_end(&mut text).map_err(|error| invalid(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))
}

async fn cancel(Extension(running): Extension<Running>, params: Params) -> Answer {
    let Some(id) = params.text("id") else { return Err(Refusal::invalid("build ID not provided")) };
    // A build that has ended needs no more cancelling.
    if let Some(cancel) = running.with(|running| running.get(id).cloned()) {
        cancel.cancel();
    }
    answer::no_content()
}

async fn prune(State(engine): Shared, params: Params) -> Answer {
    let (all, filters) = (params.flag("all"), params.filters()?);
    let keep = params.number("keep-storage")?;
    answer::json(&blocking(move || engine.prune_builds(all, keep.unwrap_or(0), &filters)).await?)
}
