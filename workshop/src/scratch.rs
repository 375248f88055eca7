//! A copy of a solution in which every exercise is a choice, made when the suite runs.

use crate::catalogue::{Chapter, sources};
use crate::keep::put;
use crate::marks::{self, Id};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that chooses: `2.3=hole 2.4=a`; the solution's lines where it says nothing.
pub const CHOICE: &str = "KESAKO_WORKSHOP_CHOICE";

/// A wrong answer: `solutions/NN-name/wrong/2.3-a.rs`.
#[derive(Debug)]
pub struct Wrong {
    pub id: Id,
    pub letter: String,
    /// What it gets wrong, from its first line.
    pub mistake: String,
    body: String,
}

/// The wrong answers to a chapter's exercises.
///
/// # Errors
/// Where an exercise has less than two, or a file belongs to none.
pub fn wrong_answers(root: &Path, chapter: &Chapter) -> Result<Vec<Wrong>> {
    let folder = root.join(chapter.solution()).join("wrong");
    let mut answers = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        let answer = || {
            let (id, letter) =
                path.file_stem().and_then(|name| name.to_str()?.split_once('-')).context("not N.M-a.rs")?;
            let body = fs::read_to_string(&path)?;
            let mistake = body.lines().next().and_then(|line| line.strip_prefix("// mistake: "));
            let mistake = mistake.context("its first line is not `// mistake: …`")?.to_owned();
            let id = id.parse()?;
            chapter.exercise(id)?;
            Ok::<_, anyhow::Error>(Wrong { id, letter: letter.to_owned(), mistake, body })
        };
        answers.push(answer().with_context(|| format!("{}", path.display()))?);
    }
    for exercise in &chapter.exercises {
        let count = answers.iter().filter(|answer| answer.id == exercise.id).count();
        ensure!(count >= 2, "exercise {} has {count} wrong answers; it needs two", exercise.id);
    }
    answers.sort_by(|a, b| (a.id, &a.letter).cmp(&(b.id, &b.letter)));
    Ok(answers)
}

/// Writes the copy, a workspace of its own that shares the build of this one. Returns where it is.
pub fn write(root: &Path, chapter: &Chapter, wrong: &[Wrong]) -> Result<PathBuf> {
    let place = target(root).join("workshop").join(&chapter.folder);
    // What is the same as before stays untouched, so that cargo has nothing to build.
    let keep = |file: &Path, text: &str| match fs::read_to_string(place.join(file)) {
        Ok(before) if before == text => Ok(()),
        _ => put(&place.join(file), text),
    };
    let solution = chapter.solution();
    for file in sources(&root.join(&solution))? {
        let mut source = fs::read_to_string(root.join(&solution).join(&file))?;
        for mark in marks::find(&source)?.iter().rev() {
            source = with_choice(&source, mark, wrong);
        }
        if file == Path::new("src/lib.rs") {
            source += CHOOSE;
        }
        keep(&solution.join(&file), &source)?;
    }
    let manifest = fs::read_to_string(root.join(&solution).join("Cargo.toml"))?;
    // What is left of a function in a choice of three gives rise to warnings, of which none says anything.
    keep(
        &solution.join("Cargo.toml"),
        &manifest.replace("[lints]\nworkspace = true", "[lints.rust]\nwarnings = \"allow\""),
    )?;
    keep(Path::new("Cargo.toml"), &workspace(&fs::read_to_string(root.join("Cargo.toml"))?, &solution))?;
    if !place.join("Cargo.lock").exists() {
        fs::copy(root.join("Cargo.lock"), place.join("Cargo.lock"))?;
    }
    // The tests are looked at where they are. Not the folder itself: insta would take its real name for another workspace.
    for folder in ["tests/chapters", "tests/support"] {
        mirror(&root.join(folder), &place.join(folder))?;
    }
    mirror(&root.join(&solution).join("tests"), &place.join(&solution).join("tests"))?;
    Ok(place)
}

/// The source with a choice between the marks.
fn with_choice(source: &str, mark: &marks::Mark, wrong: &[Wrong]) -> String {
    let id = mark.id;
    let blanked = marks::blank(source, mark);
    let hole = marks::find(&blanked).ok().and_then(|marks| marks.into_iter().find(|found| found.id == id));
    let hole = hole.map(|hole| marks::body(&blanked, &hole)).unwrap_or_default();
    let mut text = format!("if crate::workshop_choice(\"{id}=hole\") {{\n{hole}}}\n");
    for wrong in wrong.iter().filter(|wrong| wrong.id == id) {
        text += &format!("else if crate::workshop_choice(\"{id}={}\") {{\n{}}}\n", wrong.letter, wrong.body);
    }
    text += &format!("else {{\n{}}}\n", marks::body(source, mark));
    marks::replace(source, mark, &text)
}

const CHOOSE: &str = "
#[doc(hidden)]
pub fn workshop_choice(choice: &str) -> bool {
    static CHOICE: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| std::env::var(\"KESAKO_WORKSHOP_CHOICE\").unwrap_or_default());
    CHOICE.split(' ').any(|chosen| chosen == choice)
}
";

/// The root's manifest, of which only what concerns all members is left.
fn workspace(manifest: &str, member: &Path) -> String {
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = [\"{}\"]\n", member.display());
    let mut wanted = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            wanted = line.starts_with("[workspace.") || line.starts_with("[profile.");
        }
        if wanted {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// Where cargo builds.
fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Copies a folder, with the times of its files: what has not changed is not built again.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    let copied = Command::new("cp").args(["-a", "--"]).arg(from.join(".")).arg(to).status()?;
    ensure!(copied.success(), "cannot copy {}", from.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_becomes_a_choice() {
        let source = "fn a() -> u8 {\n    // exercise: 1.2 seven: say it\n    7\n    // end exercise\n}\n";
        let id = Id { chapter: 1, number: 2 };
        let wrong = [Wrong { id, letter: "a".into(), mistake: "no".into(), body: "// mistake: no\n8\n".into() }];
        let mark = &marks::find(source).unwrap()[0];
        let chosen = with_choice(source, mark, &wrong);
        assert_eq!(
            chosen.split_whitespace().collect::<Vec<_>>().join(" "),
            "fn a() -> u8 { // exercise: 1.2 seven: say it if crate::workshop_choice(\"1.2=hole\") { \
             todo!(\"exercise 1.2, seven: say it\") } else if crate::workshop_choice(\"1.2=a\") { // mistake: no 8 } \
             else { 7 } // end exercise }"
        );
        assert!(CHOOSE.contains(CHOICE));
    }

    #[test]
    fn a_workspace_of_one() {
        let manifest =
            "[workspace]\nmembers = []\n[workspace.package]\na = 1\n[package]\nb = 2\n[profile.dev]\nc = 3\n";
        assert_eq!(
            workspace(manifest, Path::new("solutions/x")),
            "[workspace]\nresolver = \"3\"\nmembers = [\"solutions/x\"]\n[workspace.package]\na = 1\n[profile.dev]\nc = 3\n"
        );
    }
}
