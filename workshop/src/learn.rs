//! How a learner sees where they are: `status`, `check`, `hint`, `diff`.

use crate::catalogue::{self, About, Chapter, Exercise, Selection};
use crate::marks::Id;
use crate::progress::{self, Standing};
use crate::switchboard::{Whose, whose_is};
use anyhow::{Context as _, Result, bail};
use colored::Colorize as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

#[derive(clap::Args)]
pub struct Status {
    /// A chapter; else all of them
    chapter: Option<u32>,
}

impl Status {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let selection = self.chapter.map_or(Selection::All, Selection::Chapter);
        let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
        for chapter in selection.chapters(catalogue::chapters(root)?)? {
            let used = if whose_is(&manifest, &chapter)? == Whose::Mine { " (the runtime runs on it)" } else { "" };
            println!("{}{used}", format!("Chapter {}: {}", chapter.number, chapter.title).bold());
            let exercises: Vec<_> = chapter.exercises.iter().collect();
            let untouched = progress::is_untouched(root, &chapter)?;
            let outcome = if untouched { None } else { progress::run(root, &chapter, &exercises)? };
            let compiles = untouched || outcome.is_some();
            let mut next = None;
            for exercise in exercises {
                let tests = exercise.about.tests.len();
                let standing = match &outcome {
                    Some(outcome) => progress::standing(root, &chapter, exercise, outcome)?,
                    None if untouched => Standing::Open,
                    None => Standing::Failing(tests),
                };
                let mark = if standing == Standing::Done { "✓".green() } else { "·".normal() };
                println!(
                    "  {mark} {:<5} {:<48} {}",
                    exercise.id.to_string(),
                    exercise.about.title,
                    standing.told(tests)
                );
                if standing != Standing::Done && !matches!(standing, Standing::WaitsFor(_)) {
                    next = next.or(Some(exercise));
                }
            }
            match (compiles, next) {
                (false, _) => println!("  It does not compile."),
                (_, Some(next)) => {
                    println!("  Next: {} in {}", next.about.name, chapter.learners().join(&next.file).display());
                    println!("        cargo workshop check {0} --watch     cargo workshop hint {0}", next.id);
                }
                (_, None) => {
                    println!("  All done. `cargo workshop use {} mine`: the runtime on your chapter.", chapter.number)
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(clap::Args)]
pub struct Check {
    /// A chapter (2) or an exercise (2.3)
    what: Option<String>,
    /// Again, whenever a file of the chapter changes, until it is green
    #[arg(long, short)]
    watch: bool,
}

impl Check {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let selection = Selection::parse(self.what.as_deref())?;
        let chapters = selection.chapters(catalogue::chapters(root)?)?;
        loop {
            let seen = newest(root, &chapters)?;
            let mut green = true;
            for chapter in &chapters {
                let exercises: Vec<_> = selection.exercises(chapter).collect();
                green &= check(root, chapter, &exercises)?;
            }
            if green || !self.watch {
                return Ok(if green { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            println!("{}", "Waiting for a change… (^C to stop)".dimmed());
            while newest(root, &chapters)? == seen {
                std::thread::sleep(Duration::from_millis(300));
            }
            println!("{}", "─".repeat(60).dimmed());
        }
    }
}

/// Says of each exercise whether its tests pass, and of the first that does not, why.
fn check(root: &Path, chapter: &Chapter, exercises: &[&Exercise]) -> Result<bool> {
    let Some(outcome) = progress::run(root, chapter, exercises)? else { return Ok(false) };
    let mut explained = false;
    let mut green = true;
    for exercise in exercises {
        let standing = progress::standing(root, chapter, exercise, &outcome)?;
        let About { title, tests, read, .. } = &exercise.about;
        if standing == Standing::Done {
            println!("{} {} {title}", "✓".green(), exercise.id);
            continue;
        }
        green = false;
        println!("{} {} {title}: {}", "✗".red(), exercise.id, standing.told(tests.len()));
        if std::mem::replace(&mut explained, true) {
            continue;
        }
        if let Some((test, said)) = tests.iter().find_map(|test| Some((test, outcome.failed.get(test)?))) {
            println!("\n  {}", test.bold());
            told(said).trim_end().lines().for_each(|line| println!("  {line}"));
        }
        println!("\n  In {}. To read:", chapter.learners().join(&exercise.file).display());
        read.iter().for_each(|read| println!("    {read}"));
        println!("  Stuck? cargo workshop hint {}\n", exercise.id);
    }
    Ok(green)
}

/// What insta says of itself and of the place of a snapshot, which is nothing that a learner needs.
const AROUND_A_SNAPSHOT: [&str; 7] = [
    "━━━",
    "Snapshot file: ",
    "Snapshot: ",
    "Source: ",
    "Expression: ",
    "Stopped on the first failure. ",
    "snapshot assertion for ",
];

/// What the harness says of two that should differ.
const ALIKE: &str = "assertion `left != right` failed: ";

/// What the harness and insta call things, and what they are to a learner: the suites name what they found first.
const WORDS: [(&str, &str); 6] = [
    ("assertion `left == right` failed: ", ""),
    (ALIKE, ""),
    ("  left: ", "found:    "),
    (" right: ", "expected: "),
    ("-old snapshot", "-expected"),
    ("+new results", "+yours"),
];

/// A failure as it is told. Of two that should differ and do not, neither is what was expected, and one is enough.
fn told(said: &str) -> String {
    let alike = said.contains(ALIKE);
    let lines = said.lines().filter_map(readable).filter(|line| !(alike && line.starts_with("expected: ")));
    let named = |line: String| if alike { line.replacen("found:    ", "both are: ", 1) } else { line };
    lines.map(named).collect::<Vec<_>>().join("\n")
}

/// A line of it without the words of the harness, and with the paths that a reader would open.
fn readable(line: &str) -> Option<String> {
    if AROUND_A_SNAPSHOT.iter().any(|words| line.starts_with(words))
        || line.starts_with('─') && !line.contains('┬') && !line.contains('┴')
    {
        return None;
    }
    let at = line.strip_prefix("thread '").and_then(|rest| Some(rest.split_once("panicked ")?.1));
    // Where a test waits for its sandboxed self nothing is to be seen, nor in a library.
    if line.starts_with("note: run with") || at.is_some_and(|at| at.contains("sandbox.rs:") || at.starts_with("at /")) {
        return None;
    }
    for (theirs, ours) in WORDS {
        if let Some(rest) = line.strip_prefix(theirs) {
            return Some(format!("{ours}{rest}"));
        }
    }
    let line = at.unwrap_or(line);
    Some(match (line.find("chapters/"), line.find("tests/../../../")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &line[..from], &line[to + "tests/../../../".len()..]),
        _ => line.to_owned(),
    })
}

/// When anything of these chapters was last written.
fn newest(root: &Path, chapters: &[Chapter]) -> Result<Option<SystemTime>> {
    let mut newest = None;
    for chapter in chapters {
        let place = root.join(chapter.learners());
        for file in catalogue::sources(&place)? {
            // An editor may just be replacing it.
            let modified = fs::metadata(place.join(file)).and_then(|metadata| metadata.modified()).ok();
            newest = newest.max(modified);
        }
    }
    Ok(newest)
}

#[derive(clap::Args)]
pub struct Hint {
    /// The exercise
    exercise: Id,
    /// How strong: 1, 2 or 3
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    strength: u8,
}

impl Hint {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let (chapter, exercise) = find(root, self.exercise)?;
        let exercise = chapter.exercise(exercise)?;
        println!("{}", format!("{} {}, hint {} of 3", exercise.id, exercise.about.title, self.strength).bold());
        println!("{}", exercise.about.hints[usize::from(self.strength) - 1]);
        match self.strength {
            3 => exercise.about.read.iter().for_each(|read| println!("To read: {read}")),
            strength => println!("{}", format!("More: cargo workshop hint {} {}", exercise.id, strength + 1).dimmed()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(clap::Args)]
pub struct Diff {
    /// The exercise, which has to be green
    exercise: Id,
}

impl Diff {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let (chapter, id) = find(root, self.exercise)?;
        let exercise = chapter.exercise(id)?;
        let Some(outcome) = progress::run(root, &chapter, &[exercise])? else { return Ok(ExitCode::FAILURE) };
        if progress::standing(root, &chapter, exercise, &outcome)? != Standing::Done {
            bail!(
                "exercise {id} is not green yet: first your own answer, then the reference's. `cargo workshop hint {id}`"
            );
        }
        let mine = fs::read_to_string(root.join(chapter.learners()).join(&exercise.file))?;
        let reference = fs::read_to_string(root.join(chapter.solution()).join(&exercise.file))?;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("yours"), progress::place(&mine, exercise)?)?;
        fs::write(folder.path().join("reference"), progress::place(&reference, exercise)?)?;
        let mut git = Command::new("git");
        git.current_dir(&folder).args(["--no-pager", "diff", "--no-index", "--no-prefix", "--unified=99"]);
        git.arg(if colored::control::SHOULD_COLORIZE.should_colorize() { "--color=always" } else { "--color=never" });
        let output = git.args(["--", "yours", "reference"]).output().context("git cannot be run")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.is_empty() {
            println!("Exercise {id}: line by line the reference's.");
        }
        // Not git's own lines above the two names.
        text.lines().skip_while(|line| !line.contains("--- yours")).for_each(|line| println!("{line}"));
        Ok(ExitCode::SUCCESS)
    }
}

pub fn find(root: &Path, id: Id) -> Result<(Chapter, Id)> {
    let chapter = Selection::Exercise(id).chapters(catalogue::chapters(root)?)?.remove(0);
    Ok((chapter, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_should_differ_one_is_shown() {
        let said = "assertion `left != right` failed: a COPY is no RUN\n  left: sha256:1\n right: sha256:1";
        assert_eq!(told(said), "a COPY is no RUN\nboth are: sha256:1");
        let said = "assertion `left == right` failed: why\n  left: 1\n right: 2";
        assert_eq!(told(said), "why\nfound:    1\nexpected: 2");
    }

    #[test]
    fn a_failure_is_made_readable() {
        assert_eq!(readable("note: run with `RUST_BACKTRACE=1`"), None);
        assert_eq!(readable("Expression: script.log"), None);
        assert_eq!(readable("────────"), None);
        assert_eq!(readable("────┬───").as_deref(), Some("────┬───"));
        assert_eq!(readable("+new results").as_deref(), Some("+yours"));
        assert_eq!(readable("assertion `left == right` failed: why").as_deref(), Some("why"));
        assert_eq!(readable("  left: 7").as_deref(), Some("found:    7"));
        assert_eq!(readable("thread 'a' (7) panicked at /home/a/.cargo/registry/insta.rs:4:2:"), None);
        assert_eq!(
            readable("thread 'a::b' (7) panicked at chapters/x/tests/../../../tests/chapters/sandbox.rs:4:2:"),
            None
        );
        let place = "chapters/x/tests/../../../tests/chapters/command.rs:1:9:";
        assert_eq!(readable(&format!("at {place}")).unwrap(), "at tests/chapters/command.rs:1:9:");
        assert_eq!(
            readable(&format!("thread 'a::b' (7) panicked at {place}")).unwrap(),
            "at tests/chapters/command.rs:1:9:"
        );
        assert_eq!(readable("at chapters/x/src/exit.rs:3:1:").unwrap(), "at chapters/x/src/exit.rs:3:1:");
    }
}
