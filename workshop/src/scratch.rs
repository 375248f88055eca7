//! Copies in which every exercise is a choice, made when they run: of a solution with its suite, and of the whole runtime.

use crate::catalogue::{Chapter, sources};
use crate::keep::put;
use crate::marks::{self, Id};
use crate::starters::renamed;
use crate::switchboard::{Whose, switch};
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

/// Writes a copy of a chapter and its suite, a workspace of its own. Returns where it is.
pub fn write(root: &Path, chapter: &Chapter, wrong: &[Wrong]) -> Result<PathBuf> {
    let place = target(root).join("workshop").join(&chapter.folder);
    let solution = chapter.solution();
    write_crate(root, chapter, wrong, &place.join(&solution), FROM_ENVIRONMENT)?;
    keep(&place.join("Cargo.toml"), &workspace(&fs::read_to_string(root.join("Cargo.toml"))?, &solution))?;
    lock(root, &place)?;
    // The tests are looked at where they are. Not the folder itself: insta would take its real name for another workspace.
    for folder in ["tests/chapters", "tests/support"] {
        mirror(&root.join(folder), &place.join(folder))?;
    }
    mirror(&root.join(&solution).join("tests"), &place.join(&solution).join("tests"))?;
    // What it is built on, as it is.
    for other in fs::read_dir(root.join("solutions"))? {
        let other = Path::new("solutions").join(other?.file_name());
        if other != solution {
            mirror(&root.join(&other).join("src"), &place.join(&other).join("src"))?;
            keep(&place.join(&other).join("Cargo.toml"), &fs::read_to_string(root.join(&other).join("Cargo.toml"))?)?;
        }
    }
    mirror(&root.join("engine"), &place.join("engine"))?;
    Ok(place)
}

/// Writes a copy of the runtime on the learners' chapters, all of them solved, each exercise a choice between the hole and
/// its solution. What is chosen stands in the file `choice` there, because a shim inherits no environment.
pub fn write_runtime(root: &Path, chapters: &[Chapter]) -> Result<PathBuf> {
    let place = target(root).join("workshop").join("runtime");
    let mut manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    for chapter in chapters {
        let mine = place.join(chapter.learners());
        write_crate(root, chapter, &[], &mine, FROM_FILE)?;
        let named = fs::read_to_string(mine.join("Cargo.toml"))?;
        keep(&mine.join("Cargo.toml"), &renamed(chapter, &named))?;
        manifest = switch(&manifest, chapter, Whose::Mine)?;
    }
    keep(&place.join("Cargo.toml"), &runtime_manifest(&manifest))?;
    lock(root, &place)?;
    let unmarked =
        fs::read_dir(root.join("solutions"))?.map(|entry| Ok(Path::new("solutions").join(entry?.file_name())));
    let unmarked: Vec<_> = unmarked.collect::<Result<_>>()?;
    let marked: Vec<_> = chapters.iter().map(Chapter::solution).collect();
    for folder in unmarked.iter().filter(|folder| !marked.contains(folder)) {
        mirror(&root.join(folder), &place.join(folder))?;
    }
    for folder in ["src", "engine"] {
        mirror(&root.join(folder), &place.join(folder))?;
    }
    Ok(place)
}

/// Writes a crate of a chapter with its choices.
fn write_crate(root: &Path, chapter: &Chapter, wrong: &[Wrong], to: &Path, chosen: &str) -> Result<()> {
    let solution = root.join(chapter.solution());
    let written = sources(&solution)?;
    // A module that has moved would be there twice.
    for stale in sources(to)?.iter().filter(|file| !written.contains(file)) {
        fs::remove_file(to.join(stale))?;
    }
    for file in written {
        let mut source = fs::read_to_string(solution.join(&file))?;
        for mark in marks::find(&source)?.iter().rev() {
            source = with_choice(&source, mark, wrong);
        }
        if file == Path::new("src/lib.rs") {
            source += &CHOOSE.replace("CHOSEN", chosen);
        }
        keep(&to.join(&file), &source)?;
    }
    // What is left of a function in a choice of three gives rise to warnings, of which none says anything.
    let manifest = fs::read_to_string(solution.join("Cargo.toml"))?;
    keep(&to.join("Cargo.toml"), &manifest.replace("[lints]\nworkspace = true", "[lints.rust]\nwarnings = \"allow\""))
}

/// Writes what is not there as it is: else it stays untouched, so that cargo has nothing to build.
fn keep(file: &Path, text: &str) -> Result<()> {
    match fs::read_to_string(file) {
        Ok(before) if before == text => Ok(()),
        _ => put(file, text),
    }
}

/// The same versions as here. Cargo leaves out of its copy what the copy does not use.
fn lock(root: &Path, place: &Path) -> Result<()> {
    let (ours, theirs) = (root.join("Cargo.lock"), place.join("Cargo.lock"));
    let written = |file: &Path| fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
    if written(&theirs) < written(&ours) {
        fs::copy(ours, theirs)?;
    }
    Ok(())
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

/// Asked first where there is one thread: afterwards, between clone and exec too, nothing is read or allocated.
const CHOOSE: &str = "
#[doc(hidden)]
pub fn workshop_choice(choice: &str) -> bool {
    static CHOICE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| CHOSEN.unwrap_or_default());
    CHOICE.split(' ').any(|chosen| chosen == choice)
}
";

const FROM_ENVIRONMENT: &str = "std::env::var(\"KESAKO_WORKSHOP_CHOICE\")";
const FROM_FILE: &str = "std::fs::read_to_string(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../../choice\"))";

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

/// The root's manifest for a copy that holds only what the runtime is built of. Its program has a name of its own, so that it
/// does not take the place of the one that is built here.
fn runtime_manifest(manifest: &str) -> String {
    let mut text = String::new();
    let mut wanted = true;
    for line in manifest.lines() {
        if line.starts_with('[') {
            wanted = !line.starts_with("[dev-dependencies]") && line != "[workspace]";
        }
        if wanted && !line.starts_with("default-run") {
            text += line;
            text.push('\n');
        }
    }
    // What it depends on beneath it are members, too.
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\".\"]\n{text}\n[[bin]]\nname = \"{RUNTIME}\"\npath = \"src/main.rs\"\n"
    )
}

/// The program of [`write_runtime`].
pub const RUNTIME: &str = "kesako-unfinished";

/// Where cargo builds.
pub fn target(root: &Path) -> PathBuf {
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
        assert!(FROM_ENVIRONMENT.contains(CHOICE));
    }

    #[test]
    fn a_runtime_is_a_package_with_a_program_of_its_own() {
        let manifest = "[workspace]\nmembers = [\n  \"a\",\n]\n[workspace.package]\na = 1\n[package]\nname = \"k\"\ndefault-run = \"k\"\n\
                        [dependencies]\nb = 1\n[dev-dependencies]\nc = 1\n[profile.release]\nd = 1\n";
        assert_eq!(
            runtime_manifest(manifest),
            "[workspace]\nresolver = \"3\"\nmembers = [\".\"]\n[workspace.package]\na = 1\n[package]\nname = \"k\"\n\
             [dependencies]\nb = 1\n[profile.release]\nd = 1\n\n[[bin]]\nname = \"kesako-unfinished\"\npath = \"src/main.rs\"\n"
        );
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
