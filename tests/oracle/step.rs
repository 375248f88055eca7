//! One command of the scenario, and what came of it.

use std::fmt;

/// One command line, without the program's name. `{tmp}` stands for a folder of the driver's own, `{now}` for the next
/// second (counted since 1970).
pub(crate) struct Step {
    pub(crate) args: Vec<&'static str>,
    pub(crate) stdin: Option<&'static str>,
    /// Given these, it runs on a terminal: wait until the first is on the screen, then type the second.
    pub(crate) keys: Vec<(&'static str, &'static str)>,
    pub(crate) compare: Compare,
    /// Ours, where the dockerd of this machine may be too old to have it so.
    pub(crate) code: Option<i32>,
}

/// What of the outcomes must be the same, besides the exit codes.
#[derive(Clone, Copy)]
pub(crate) enum Compare {
    Everything,
    /// The lines, in any order: dockerd writes an archive in the order of a Go map, which is another each time.
    Lines,
    /// The same, but of `kesako` itself only whether it went well: it tells a build as BuildKit does, and the real client,
    /// which has no BuildKit here, as the classic builder.
    Classic,
    /// Each must have this in its output or errors. For texts that carry an engine's own inner workings.
    Containing(&'static str),
}

/// What a user saw, with what must differ (IDs, times) taken out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {:?}\n  stdout {:?}\n  stderr {:?}", self.code, self.stdout, self.stderr)
    }
}

/// A step of words separated by blanks; `'single quotes'` keep a word together.
pub(crate) fn step(line: &'static str) -> Step {
    let mut args = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a closing quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        args.push(word);
        rest = after.trim_start();
    }
    Step { args, stdin: None, keys: Vec::new(), compare: Compare::Everything, code: None }
}

impl Step {
    pub(crate) fn stdin(self, text: &'static str) -> Self {
        Self { stdin: Some(text), ..self }
    }

    pub(crate) fn keys(self, keys: &[(&'static str, &'static str)]) -> Self {
        Self { keys: keys.to_vec(), ..self }
    }

    pub(crate) fn in_any_order(self) -> Self {
        Self { compare: Compare::Lines, ..self }
    }

    pub(crate) fn classic(self) -> Self {
        Self { compare: Compare::Classic, ..self }
    }

    pub(crate) fn containing(self, text: &'static str) -> Self {
        Self { compare: Compare::Containing(text), ..self }
    }

    pub(crate) fn code(self, code: i32) -> Self {
        Self { code: Some(code), ..self }
    }
}
