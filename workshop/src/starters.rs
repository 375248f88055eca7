//! From a solution to a starter: the same crate with holes, of which only the files that hold one are written; and its
//! examples, which name the crate that they are of.

use crate::catalogue::{self, Chapter};
use crate::{keep, marks};
use anyhow::{Context as _, Result, ensure};
use colored::Colorize as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The files of a crate, by their paths beneath it.
pub type Files = BTreeMap<PathBuf, String>;

#[derive(clap::Args)]
pub struct Starters {
    /// Write nothing; fail where `chapters/` is not what the solutions make of it
    #[arg(long)]
    check: bool,
}

impl Starters {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let mut stale = false;
        for chapter in catalogue::chapters(root)? {
            let files = starter(root, &chapter)?;
            let place = root.join(chapter.learners());
            if self.check {
                for file in keep::differing(&place, &files)? {
                    println!("{} {}", "differs:".red(), chapter.learners().join(file).display());
                    stale = true;
                }
                continue;
            }
            for (file, kept) in keep::write(&place, &files)? {
                println!("{kept} {}", chapter.learners().join(file).display());
            }
        }
        if stale {
            println!("Run `cargo workshop starters`, and commit what it writes.");
        }
        Ok(if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The learner's crate, before the learner.
pub fn starter(root: &Path, chapter: &Chapter) -> Result<Files> {
    let solution = root.join(chapter.solution());
    let read = |file: &Path| fs::read_to_string(solution.join(file)).with_context(|| format!("{}", file.display()));
    let mut files = Files::new();
    for file in written(chapter)? {
        let source = read(&file)?;
        let mut source = without_unit_tests(&source).to_owned();
        // From the last on, so that the lines of those before stay where they are.
        for mark in marks::find(&source)?.iter().rev() {
            source = marks::blank(&source, mark);
        }
        files.insert(file.clone(), source);
    }
    let names: BTreeSet<_> = files.keys().cloned().collect();
    for (file, source) in &mut files {
        if is_parent(file) {
            *source = with_paths(&solution, &chapter.solution(), file, source, &names);
        }
    }
    if let Some(lib) = files.get_mut(Path::new("src/lib.rs")) {
        *lib = format!("{}{lib}", introduction(chapter));
    }
    files.insert("Cargo.toml".into(), manifest(chapter, &read(Path::new("Cargo.toml"))?));
    files.insert("tests/suite.rs".into(), renamed(chapter, &read(Path::new("tests/suite.rs"))?));
    for example in catalogue::rust_files(&solution, "examples")? {
        let text = renamed(chapter, &read(&example)?);
        files.insert(example, text);
    }
    Ok(files)
}

/// The files that are written: those with exercises, and the parents of their modules.
fn written(chapter: &Chapter) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::from([PathBuf::from("src/lib.rs")]);
    for exercise in &chapter.exercises {
        ensure!(exercise.file != Path::new("src/lib.rs"), "exercise {}: not in lib.rs", exercise.id);
        files.insert(exercise.file.clone());
        let parents = exercise.file.ancestors().skip(1).take_while(|folder| *folder != Path::new("src"));
        files.extend(parents.map(|folder| folder.join("mod.rs")));
    }
    Ok(files)
}

/// Whether a file's modules are beside it.
fn is_parent(file: &Path) -> bool {
    file.ends_with("mod.rs") || file.ends_with("lib.rs")
}

/// Unit tests are the solution's own matter, and stand at the end of its files.
fn without_unit_tests(source: &str) -> &str {
    source.find("\n#[cfg(test)]\nmod tests").map_or(source, |end| &source[..end])
}

/// The same modules, but those that are not written here are the solution's.
fn with_paths(solution: &Path, name: &Path, file: &Path, source: &str, written: &BTreeSet<PathBuf>) -> String {
    let folder = file.parent().unwrap_or(Path::new(""));
    // From `chapters/NN-name/` and the folder in it, up to the top.
    let up = "../".repeat(2 + folder.components().count());
    let mut text = String::new();
    for line in source.lines() {
        let module = line.strip_suffix(';').and_then(|line| line.split_once("mod "));
        if let Some((visibility, module)) = module
            && (visibility.is_empty() || visibility.starts_with("pub"))
        {
            let candidates = [folder.join(format!("{module}.rs")), folder.join(module).join("mod.rs")];
            let place = candidates.into_iter().find(|candidate| solution.join(candidate).exists());
            if let Some(place) = place.filter(|place| !written.contains(place)) {
                text += &format!("#[path = \"{up}{}\"]\n", name.join(place).display());
            }
        }
        text += line;
        text.push('\n');
    }
    text
}

fn introduction(chapter: &Chapter) -> String {
    format!(
        "// Chapter {0}, yours. The files in this folder have exercises in them; the other modules are the reference's.\n\
         // `cargo workshop status {0}` says what is to be done, `cargo workshop use {0} mine` has the runtime run on it.\n\n",
        chapter.number
    )
}

/// The solution's manifest under the learner's name. A file with holes has no use for all that it imports.
fn manifest(chapter: &Chapter, solution: &str) -> String {
    let package = renamed(chapter, solution).replace("[lints]\nworkspace = true\n", "");
    format!(
        "# Written by `cargo workshop starters`, from {}/Cargo.toml.\n{}\n\
         # The suite is the examiner.\n[lib]\ntest = false\ndoctest = false\n\n\
         # Where there are holes, much is not used yet.\n[lints.rust]\nunused = \"allow\"\n",
        chapter.solution().display(),
        package.trim_end().to_owned() + "\n"
    )
}

/// A text of the solution's, under the learner's name.
pub fn renamed(chapter: &Chapter, text: &str) -> String {
    let number = chapter.number;
    text.replace(&format!("solution-{number}"), &format!("chapter-{number}"))
        .replace(&format!("solution_{number}"), &format!("chapter_{number}"))
        .replace("on the reference crate", "on your crate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_that_are_not_written_are_the_solutions() {
        let solution = tempfile::tempdir().unwrap();
        for file in ["src/sys/mod.rs", "src/digest.rs", "src/tree/leaf.rs", "src/tree/mod.rs", "src/tree/root.rs"] {
            let file = solution.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let written = ["src/lib.rs", "src/digest.rs", "src/tree/mod.rs", "src/tree/leaf.rs"].map(PathBuf::from).into();
        let paths = |file: &str, source| {
            with_paths(solution.path(), Path::new("solutions/x"), Path::new(file), source, &written)
        };
        assert_eq!(
            paths("src/lib.rs", "mod sys;\npub mod digest;\npub mod tree;\nmod inline {\n}\n"),
            "#[path = \"../../../solutions/x/src/sys/mod.rs\"]\nmod sys;\npub mod digest;\npub mod tree;\nmod inline {\n}\n"
        );
        assert_eq!(
            paths("src/tree/mod.rs", "mod leaf;\npub(crate) mod root;\n"),
            "mod leaf;\n#[path = \"../../../../solutions/x/src/tree/root.rs\"]\npub(crate) mod root;\n"
        );
    }

    #[test]
    fn unit_tests_stay_with_the_solution() {
        assert_eq!(without_unit_tests("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), "fn a() {}\n");
        assert_eq!(without_unit_tests("mod a;\n\n#[cfg(test)]\nmod tests;\n"), "mod a;\n");
        assert_eq!(without_unit_tests("fn a() {}\n"), "fn a() {}\n");
    }
}
