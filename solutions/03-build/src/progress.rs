//! What a build tells while it goes on. The same events feed the live display, the plain one, and the wire.

use serde::{Deserialize, Serialize};

/// One thing that happened. `id` names a step of this build, from its [`Event::Step`] on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// There is a step, and it begins: `[internal] load build context`, `[first 2/3] RUN make`, `exporting to image`.
    Step { id: usize, name: String },
    /// Its result was there already.
    Cached { id: usize },
    /// What a command wrote, or a line of our own.
    Output { id: usize, stream: Stream, text: String },
    /// How far it is: bytes, files; `total` where it is known.
    Status { id: usize, what: String, current: u64, total: Option<u64> },
    /// It is done, after this time.
    Done { id: usize, seconds: f64 },
    /// It failed; the build ends.
    Failed { id: usize, seconds: f64, error: String },
    /// Why a step was or was not reused: `--explain`.
    Reason { id: usize, text: String },
    /// A build check: `FromAsCasing`, and where.
    Warning { rule: String, message: String, url: String, file: String, line: usize, text: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Who is told. Called from several threads, so it must not block for long.
pub type Listener<'a> = &'a (dyn Fn(Event) + Sync);
