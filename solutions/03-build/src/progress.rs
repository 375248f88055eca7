//! What a build tells while it goes on. The same events feed the live display, the plain one, and the wire.

use serde::{Deserialize, Serialize};

/// One thing that happened. `id` names a step of this build, from its [`Event::Step`] on.
///
/// The order: [`Event::Dockerfile`], then warnings and [`Event::Plan`], then the steps. Stages may be built at once, and
/// their events mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The Dockerfile was read: what its lines look like, for whoever shows where it is at fault.
    Dockerfile { file: String, text: String },
    /// What is going to be built: of each stage that is needed, in the order of the file, its instructions as they are
    /// written, from its FROM on (and at the end of the last, the labels that were asked for). Before them, the meta ARGs.
    Plan { meta_args: Vec<String>, stages: Vec<Vec<String>> },
    /// The FROM of this stage, counted from 0 in the plan, has triggers (ONBUILD of its base), as they are written. Each
    /// of them is reached and made as instruction 0, after the FROM itself.
    Triggers { stage: usize, instructions: Vec<String> },
    /// An instruction of the plan is reached; both numbers count from 0. `id` is the step that it is, if it is one: those
    /// that only alter the recipe are none. Said just before that step's [`Event::Step`].
    Reached { stage: usize, instruction: usize, id: Option<usize> },
    /// It is carried out. `image` is a name for what there is now; at the end of a stage, the ID of its image.
    Made { stage: usize, instruction: usize, image: String },
    /// There is a step, and it begins: `[internal] load build context`, `[first 2/3] RUN make`, `exporting to image`.
    Step { id: usize, name: String },
    /// Its result was there already.
    Cached { id: usize },
    /// It was not, and the work begins.
    Begun { id: usize },
    /// What a command wrote, or a line of our own.
    Output { id: usize, stream: Stream, text: String },
    /// How far it is: bytes, files; `total` where it is known.
    Status { id: usize, what: String, current: u64, total: Option<u64> },
    /// It is done, after this time.
    Done { id: usize, seconds: f64 },
    /// Its command, in the words it was executed with, ended with another code than 0. Said before [`Event::Failed`].
    Exited { id: usize, command: Vec<String>, code: i32 },
    /// It failed; the build ends.
    Failed { id: usize, seconds: f64, error: String },
    /// What the build's error is about: these lines of the Dockerfile, the first of which is 1.
    Fault { first: usize, last: usize },
    /// The state before the command that failed, as an image without a name (`keep_failed`): who asked for it removes it.
    Kept { image: String },
    /// Why a step was or was not reused: `--explain`.
    Reason { id: usize, text: String },
    /// A build check: `FromAsCasing`, and where. The rule is empty for what is noticed without one, and then the line is 0.
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
