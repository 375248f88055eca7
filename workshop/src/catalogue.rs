//! What exercises there are: `solutions/NN-name/exercises.toml`, and where the sources mark them.

use crate::marks::{self, Id, Mark};
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// A chapter that has exercises.
#[derive(Debug)]
pub struct Chapter {
    pub number: u32,
    /// `01-process`, the folder's name in `solutions/` and in `chapters/`.
    pub folder: String,
    pub title: String,
    pub exercises: Vec<Exercise>,
}

/// An exercise: what is told of it, and its place.
#[derive(Debug)]
pub struct Exercise {
    pub id: Id,
    pub about: About,
    /// Beneath the crate: `src/digest.rs`.
    pub file: PathBuf,
    pub mark: Mark,
}

/// What `exercises.toml` says of an exercise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    id: String,
    pub name: String,
    pub title: String,
    /// The tests of the suite that prove it: `module::name`. Without the exercise, these fail and no others.
    pub tests: Vec<String>,
    /// Three, each stronger than the one before.
    pub hints: Vec<String>,
    /// Manual pages and sections of specifications.
    pub read: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    exercise: Vec<About>,
}

impl Chapter {
    /// The crate's name in the suite: `process`.
    pub fn name(&self) -> &str {
        self.folder.split_once('-').map_or(self.folder.as_str(), |(_, name)| name)
    }

    /// `solutions/01-process`.
    pub fn solution(&self) -> PathBuf {
        Path::new("solutions").join(&self.folder)
    }

    /// `chapters/01-process`.
    pub fn learners(&self) -> PathBuf {
        Path::new("chapters").join(&self.folder)
    }

    pub fn exercise(&self, id: Id) -> Result<&Exercise> {
        let found = self.exercises.iter().find(|exercise| exercise.id == id);
        found.with_context(|| format!("chapter {} has no exercise {id}", self.number))
    }
}

/// The chapters that have exercises, in their order. `root` is the folder of the whole repository.
///
/// # Errors
/// Where a description and the marks do not agree.
pub fn chapters(root: &Path) -> Result<Vec<Chapter>> {
    let mut chapters = Vec::new();
    for entry in fs::read_dir(root.join("solutions")).context("cannot read solutions/")? {
        let folder = entry?.file_name().to_string_lossy().into_owned();
        let file = root.join("solutions").join(&folder).join("exercises.toml");
        if file.exists() {
            chapters.push(chapter(root, folder).with_context(|| format!("{}", file.display()))?);
        }
    }
    chapters.sort_by_key(|chapter| chapter.number);
    Ok(chapters)
}

fn chapter(root: &Path, folder: String) -> Result<Chapter> {
    let place = root.join("solutions").join(&folder);
    let number = folder.split('-').next().and_then(|number| number.parse().ok());
    let number = number.with_context(|| format!("solutions/{folder} does not begin with a number"))?;
    let described: File = toml::from_str(&fs::read_to_string(place.join("exercises.toml"))?)?;

    let mut marked = Vec::new();
    for file in sources(&place)? {
        let source = fs::read_to_string(place.join(&file))?;
        let marks = marks::find(&source).with_context(|| format!("{}", file.display()))?;
        marked.extend(marks.into_iter().map(|mark| (file.clone(), mark)));
    }
    let mut exercises = Vec::new();
    for about in described.exercise {
        let id: Id = about.id.parse()?;
        ensure!(about.hints.len() == 3, "exercise {id} needs three hints");
        ensure!(!about.tests.is_empty() && !about.read.is_empty(), "exercise {id} needs tests, and something to read");
        let at = marked.iter().position(|(_, mark)| mark.id == id && mark.name == about.name);
        let Some(at) = at else { bail!("exercise {id} {} is marked nowhere in solutions/{folder}", about.name) };
        let (file, mark) = marked.swap_remove(at);
        exercises.push(Exercise { id, about, file, mark });
    }
    if let Some((file, mark)) = marked.first() {
        bail!("{} marks {} {}, which is not described, or twice", file.display(), mark.id, mark.name);
    }
    exercises.sort_by_key(|exercise| exercise.id);
    ensure!(exercises.iter().all(|exercise| exercise.id.chapter == number), "an exercise of another chapter");
    Ok(Chapter { number, folder, title: described.title, exercises })
}

/// What a command is about: everything, a chapter (`2`), or an exercise (`2.3`).
#[derive(Clone, Copy, Debug)]
pub enum Selection {
    All,
    Chapter(u32),
    Exercise(Id),
}

impl Selection {
    pub fn parse(text: Option<&str>) -> Result<Self> {
        Ok(match text.map(|text| (text, text.parse())) {
            None => Self::All,
            Some((_, Ok(chapter))) => Self::Chapter(chapter),
            Some((text, Err(_))) => Self::Exercise(text.parse()?),
        })
    }

    /// The chapters it touches.
    pub fn chapters(self, mut chapters: Vec<Chapter>) -> Result<Vec<Chapter>> {
        let number = match self {
            Self::All => return Ok(chapters),
            Self::Chapter(number) | Self::Exercise(Id { chapter: number, .. }) => number,
        };
        chapters.retain(|chapter| chapter.number == number);
        let chapter = chapters.first().with_context(|| format!("there is no chapter {number} with exercises"))?;
        if let Self::Exercise(id) = self {
            chapter.exercise(id)?;
        }
        Ok(chapters)
    }

    /// Those of a chapter's exercises that it means.
    pub fn exercises(self, chapter: &Chapter) -> impl Iterator<Item = &Exercise> {
        chapter.exercises.iter().filter(move |exercise| !matches!(self, Self::Exercise(id) if id != exercise.id))
    }
}

/// All sources of a crate, beneath it: `src/lib.rs`, `src/cgroup/mod.rs`, …
pub fn sources(place: &Path) -> Result<Vec<PathBuf>> {
    rust_files(place, "src")
}

/// The same of another folder than `src`, if there is one.
pub fn rust_files(place: &Path, folder: &str) -> Result<Vec<PathBuf>> {
    fn visit(place: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
        for entry in fs::read_dir(place.join(folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                visit(place, &path, found)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    if place.join(folder).is_dir() {
        visit(place, Path::new(folder), &mut found)?;
    }
    found.sort();
    Ok(found)
}
