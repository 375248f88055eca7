//! Changing what stands in an exercise's place: `reset` opens it again, `solve` takes the reference's answer.

use crate::catalogue::{self, Chapter, Exercise, Selection};
use crate::keep::{back_up, put};
use crate::marks::{self, Id, Mark};
use crate::{learn, progress};
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Reset {
    /// The exercise
    exercise: Id,
}

impl Reset {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let (chapter, id) = learn::find(root, self.exercise)?;
        let exercise = chapter.exercise(id)?;
        // The task's words are the solution's, whatever has become of the learner's comment.
        let task = &exercise.mark.task;
        let kept = change(root, &chapter, exercise, |source, mark| {
            Ok(marks::blank(source, &Mark { task: task.clone(), ..mark.clone() }))
        })?;
        println!("{id} is open again. {kept}");
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(clap::Args)]
pub struct Solve {
    /// The exercise, or all of a chapter (2)
    what: String,
}

impl Solve {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let selection = Selection::parse(Some(&self.what))?;
        for chapter in selection.chapters(catalogue::chapters(root)?)? {
            for exercise in selection.exercises(&chapter) {
                let reference = fs::read_to_string(root.join(chapter.solution()).join(&exercise.file))?;
                let body = marks::body(&reference, &exercise.mark);
                let kept = change(root, &chapter, exercise, |source, mark| Ok(marks::replace(source, mark, &body)))?;
                println!("{} has the reference's answer. {kept}", exercise.id);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Changes the learner's file, of which a copy is kept. Says where.
fn change(
    root: &Path,
    chapter: &Chapter,
    exercise: &Exercise,
    with: impl FnOnce(&str, &Mark) -> Result<String>,
) -> Result<String> {
    let place = root.join(chapter.learners());
    let source = fs::read_to_string(place.join(&exercise.file))?;
    let changed = with(&source, &progress::mark(&source, exercise)?)?;
    let kept = back_up(&place, &exercise.file)?;
    put(&place.join(&exercise.file), &changed)?;
    let (file, kept) = (chapter.learners().join(&exercise.file), kept.strip_prefix(root).unwrap_or(&kept).to_owned());
    Ok(format!("See {}; as it was, the file is in {}.", file.display(), kept.display()))
}
