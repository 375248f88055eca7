//! Build checks: what is allowed in a Dockerfile, and better not done.
//!
//! <https://docs.docker.com/reference/build-checks/>

mod rules;
mod settings;

pub use rules::Rule;
pub use settings::Settings;

use crate::dockerfile::Line;
use std::fmt;
use std::ops::RangeInclusive;

/// A check that found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub rule: Rule,
    /// What it found: `Stage name 'First' should be lowercase`.
    pub message: String,
    pub lines: RangeInclusive<usize>,
    /// The stage it is in. None: it is about the file as a whole, whichever stages of it are built.
    pub stage: Option<usize>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {} (line {})", self.rule.name(), self.message, self.lines.start())
    }
}

/// What can be judged from the file alone.
pub(crate) fn in_the_file(lines: &[Line], settings: &Settings) -> Vec<Warning> {
    let empty = lines.iter().filter_map(|line| line.logical.empty_continuation).map(|line| Warning {
        rule: Rule::NoEmptyContinuation,
        message: "Empty continuation line".to_owned(),
        lines: line..=line,
        stage: None,
    });
    empty.filter(|warning| settings.wants(warning.rule)).collect()
}
