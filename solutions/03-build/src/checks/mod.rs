//! Build checks: what is allowed in a Dockerfile, and better not done.
//!
//! <https://docs.docker.com/reference/build-checks/>. [`file`] makes those for which the text is enough, [`values`] those
//! that need to know what variables are worth.

mod file;
mod rules;
mod settings;
mod values;

pub(crate) use file::in_the_file;
pub use rules::Rule;
pub use settings::{Scope, Settings};
pub use values::{Image, Known, with_values};

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

/// A check that found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub rule: Rule,
    /// What it found: `Stage name 'First' should be lowercase`.
    pub message: String,
    pub lines: RangeInclusive<usize>,
    /// The stage it is in: of no interest where that is not built. None: it is about the file as a whole.
    pub stage: Option<usize>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {} (line {})", self.rule.name(), self.message, self.lines.start())
    }
}

/// The error of a build that was asked to fail on warnings (`# check=error=true`) and has these. None: it has none.
#[must_use]
pub fn violation(settings: &Settings, warnings: &[Warning]) -> Option<String> {
    let rules: BTreeSet<&str> = warnings.iter().map(|warning| warning.rule.name()).collect();
    let rules: Vec<&str> = rules.into_iter().collect();
    (settings.error && !rules.is_empty()).then(|| format!("lint violation found for rules: {}", rules.join(", ")))
}

/// What the checks find, as long as somebody wants to know.
struct Findings<'a> {
    scope: &'a Scope,
    found: Vec<Warning>,
}

impl<'a> Findings<'a> {
    fn new(scope: &'a Scope) -> Self {
        Self { scope, found: Vec::new() }
    }

    fn add(&mut self, rule: Rule, lines: &RangeInclusive<usize>, stage: Option<usize>, message: impl Into<String>) {
        let warning = Warning { rule, message: message.into(), lines: lines.clone(), stage };
        if self.scope.wants(rule, *lines.start()) {
            self.found.push(warning);
        }
    }

    fn sorted(mut self) -> Vec<Warning> {
        self.found.sort_by(|a, b| (a.lines.start(), &a.message).cmp(&(b.lines.start(), &b.message)));
        // The same may be wrong twice in one line.
        self.found.dedup();
        self.found
    }
}

#[cfg(test)]
mod tests;
