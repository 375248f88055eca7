//! How far a learner is: what the suite says of each exercise of their chapter.

use crate::catalogue::{Chapter, Exercise};
use crate::marks;
use crate::scratch::target;
use crate::suite::{self, Outcome};
use anyhow::{Context as _, Result};
use colored::{ColoredString, Colorize as _};
use std::fs;
use std::path::Path;

/// Where an exercise stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Done,
    /// Its hole is there still.
    Open,
    /// Something is written, and so many of its tests fail.
    Failing(usize),
    /// Its tests fail at another exercise that is open.
    WaitsFor(String),
}

impl Standing {
    pub fn told(&self, tests: usize) -> ColoredString {
        match self {
            Self::Done => "done".green(),
            Self::Open => "open".normal(),
            Self::Failing(failing) => format!("{failing} of {tests} tests fail").red(),
            Self::WaitsFor(other) => format!("waits for {other}").yellow(),
        }
    }
}

/// Runs these exercises' tests on the learner's crate. Nothing, if it does not compile; cargo has said why.
pub fn run(root: &Path, chapter: &Chapter, exercises: &[&Exercise]) -> Result<Option<Outcome>> {
    let Some(suite) = suite::build(root, &format!("chapter-{}", chapter.number), &target(root))? else {
        return Ok(None);
    };
    let tests: Vec<String> = exercises.iter().flat_map(|exercise| exercise.about.tests.clone()).collect();
    suite.run(&tests, &[]).map(Some)
}

/// Whether nothing is written yet in the whole chapter: then its tests need not be built to know that they fail.
pub fn is_untouched(root: &Path, chapter: &Chapter) -> Result<bool> {
    for exercise in &chapter.exercises {
        let file = root.join(chapter.learners()).join(&exercise.file);
        let source = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if !is_open(&source, exercise) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Judges by the tests, not by the looks: a hole only explains why they fail.
pub fn standing(root: &Path, chapter: &Chapter, exercise: &Exercise, outcome: &Outcome) -> Result<Standing> {
    let failing = exercise.about.tests.iter().filter(|test| !outcome.passed.contains(*test)).count();
    if failing == 0 {
        return Ok(Standing::Done);
    }
    let file = root.join(chapter.learners()).join(&exercise.file);
    let source = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    if is_open(&source, exercise) {
        return Ok(Standing::Open);
    }
    let told = outcome.told(&exercise.about.tests);
    let holes = ["not yet implemented: exercise ", "is still yours to write"];
    let met = chapter.exercises.iter().find(|other| {
        let (hole, met) = (format!("{}{},", holes[0], other.id), format!("exercise {} {}", other.id, holes[1]));
        other.id != exercise.id && (told.contains(&hole) || told.contains(&met))
    });
    Ok(met.map_or(Standing::Failing(failing), |other| Standing::WaitsFor(other.id.to_string())))
}

fn is_open(source: &str, exercise: &Exercise) -> bool {
    source.contains(&format!("todo!(\"exercise {},", exercise.id))
        || place(source, exercise).is_ok_and(|body| body.contains(&format!("\"exercise {},", exercise.id)))
}

/// What stands between the marks of an exercise.
///
/// # Errors
/// The marks are gone.
pub fn place(source: &str, exercise: &Exercise) -> Result<String> {
    Ok(marks::body(source, &mark(source, exercise)?))
}

/// The marks of an exercise.
///
/// # Errors
/// They are gone.
pub fn mark(source: &str, exercise: &Exercise) -> Result<marks::Mark> {
    let found = marks::find(source)?.into_iter().find(|mark| mark.id == exercise.id);
    let lost = || {
        let file = exercise.file.display();
        format!("{file} has lost the comments `// exercise: {} …` and `// end exercise`", exercise.id)
    };
    found.with_context(lost)
}
