//! What is done to a project, for those who watch.

/// Something that is done to an object: `Container web-1`, `Starting`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `Container web-1`, `Network app_default`, `Image alpine`.
    pub object: String,
    /// `Creating`, `Created`.
    pub text: String,
    /// What else there is to say.
    pub details: String,
    pub state: State,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Working,
    Done,
    Warning,
    Failed,
}

/// A part of an object: a layer of an image on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub id: String,
    /// `Downloading`, `Pull complete`.
    pub text: String,
    /// Bytes of this phase; 0 if that is not known.
    pub current: u64,
    pub total: u64,
    pub done: bool,
}

/// Who is told.
pub trait Report {
    fn step(&self, step: Step);

    /// How far a part of this object is.
    fn part(&self, _object: &str, _part: Part) {}

    /// It has begun.
    fn working(&self, object: &str, text: &str) {
        self.step(Step { object: object.into(), text: text.into(), details: String::new(), state: State::Working });
    }

    /// It is done.
    fn done(&self, object: &str, text: &str) {
        self.step(Step { object: object.into(), text: text.into(), details: String::new(), state: State::Done });
    }

    /// It could not be done.
    fn failed(&self, object: &str, details: &str) {
        self.step(Step { object: object.into(), text: "Error".into(), details: details.into(), state: State::Failed });
    }

    /// It is not as somebody may expect.
    fn warning(&self, object: &str, text: &str) {
        self.step(Step { object: object.into(), text: "Warning".into(), details: text.into(), state: State::Warning });
    }
}
