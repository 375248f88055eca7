//! The proof that whoever meets an open exercise is told so: by the command that they typed, in one sentence.
//!
//! The runtime is built once, on solved chapters in which every exercise is a choice ([`scratch`]). Then each exercise is
//! opened alone, and the scenarios are played: the first command that does otherwise than it does with nothing open has to
//! say `exercise 1.2 is still yours to write: chapters/01-process/src/namespaces.rs:95`, and no word that a learner can make
//! nothing of.

use crate::catalogue::{Chapter, Exercise};
use crate::marks::Id;
use crate::scenario::{Played, User, World};
use crate::scratch::{self, RUNTIME};
use crate::suite;
use anyhow::{Context as _, Result, ensure};
use colored::Colorize as _;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words of which a learner can make nothing.
const NOISE: [&str; 6] = ["panicked", "backtrace", "defect", "shim died", "thread '", "runc"];

/// Proves it of these exercises, as root and as an ordinary user, and returns what there is to complain of.
pub fn prove(root: &Path, chapters: &[Chapter], exercises: &[&Exercise], release: bool) -> Result<Vec<String>> {
    let place = scratch::write_runtime(root, chapters)?;
    let choice = place.join("choice");
    fs::write(&choice, "")?;
    let program = build(&place, &scratch::target(root), release)?;
    let mut complaints = Vec::new();
    let mut unmet: BTreeSet<Id> = exercises.iter().map(|exercise| exercise.id).collect();
    for user in User::all(&choice) {
        println!("{}", format!("the runtime with one exercise open, {user}").bold());
        let world = World::new(&program, user)?;
        let expected = world.expect()?;
        world.clear()?;
        for exercise in exercises {
            fs::write(&choice, format!("{}=hole", exercise.id))?;
            let played = world.play(&expected);
            fs::write(&choice, "")?;
            world.clear()?;
            let (told, found) = judge(&place, exercise, &played?);
            let mark = if found.is_empty() { "ok".green() } else { "no".red() };
            let title = format!("{} {}", exercise.id, exercise.about.name);
            println!("  {title:<28} met and told by {told:>2} of {} scenarios  {mark}", expected.len());
            if told > 0 || !found.is_empty() {
                unmet.remove(&exercise.id);
            }
            complaints.extend(found.into_iter().map(|complaint| format!("{complaint} ({user})")));
        }
    }
    // What only root may do (a bridge on the host, say), an ordinary user does not come to.
    complaints.extend(unmet.into_iter().map(|id| format!("{id}: no scenario meets it")));
    Ok(complaints)
}

fn build(place: &Path, target: &Path, release: bool) -> Result<PathBuf> {
    let (profile, flag) = if release { ("release", Some("--release")) } else { ("debug", None) };
    let mut cargo = suite::cargo(place);
    cargo.args(["build", "--quiet", "--bin", RUNTIME, "--target-dir"]).arg(target).args(flag);
    let built = cargo.status().context("cargo cannot be run")?;
    ensure!(built.success(), "the runtime does not compile on chapters that are solved");
    Ok(target.join(profile).join(RUNTIME))
}

/// How many scenarios tell of this exercise, and what is wrong with the others.
fn judge(place: &Path, exercise: &Exercise, played: &[Option<Played>]) -> (usize, Vec<String>) {
    let id = exercise.id;
    let mut told = 0;
    let mut complaints = Vec::new();
    for played in played.iter().flatten() {
        match wrong(place, &format!("exercise {id}"), played) {
            None => told += 1,
            Some(wrong) => {
                let Played { command, code, text, .. } = played;
                let code = code.map_or("none".to_owned(), |code| code.to_string());
                complaints.push(format!("{id}: `{command}` {wrong}; exit code {code}, and it says:\n{text}"));
            }
        }
    }
    (told, complaints)
}

/// What is wrong with how a command tells of an exercise.
fn wrong(place: &Path, exercise: &str, played: &Played) -> Option<String> {
    if played.hung {
        return Some("hangs".to_owned());
    }
    let text = played.text.to_lowercase();
    if let Some(noise) = NOISE.iter().find(|noise| text.contains(*noise)) {
        return Some(format!("says {noise:?}"));
    }
    let sentence = format!("{exercise} is still yours to write: ");
    let places: Vec<_> =
        played.text.lines().filter_map(|line| Some(line.trim_end().split_once(&sentence)?.1)).collect();
    // The container's own init may have met it, too.
    match places.as_slice() {
        [] => Some("does not say so".to_owned()),
        [at, more @ ..] if more.iter().all(|more| more == at) => {
            (!is_hole(place, exercise, at)).then(|| format!("names a place without a hole: {at}"))
        }
        _ => Some("names several places".to_owned()),
    }
}

/// Whether the hole of this exercise begins at `chapters/01-process/src/exit.rs:41`, beneath `place`.
fn is_hole(place: &Path, exercise: &str, at: &str) -> bool {
    let Some((file, line)) = at.rsplit_once(':') else { return false };
    let Ok(line) = line.parse::<usize>() else { return false };
    let source = fs::read_to_string(place.join(file)).unwrap_or_default();
    let hole: Vec<_> = source.lines().skip(line.saturating_sub(1)).take(2).collect();
    file.starts_with("chapters/")
        && hole.first().is_some_and(|line| line.contains("todo!("))
        && hole.concat().contains(&format!("\"{exercise},"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Option<String> {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("chapters/x.rs");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "fn a() {\n    todo!(\n        \"exercise 1.2, a: do it\"\n    )\n}\n").unwrap();
        let played = Played { command: String::new(), code: Some(125), text: text.to_owned(), hung: false };
        wrong(place.path(), "exercise 1.2", &played)
    }

    #[test]
    fn one_sentence_and_the_right_place() {
        assert_eq!(says("kesako: exercise 1.2 is still yours to write: chapters/x.rs:2\n"), None);
        assert_eq!(says("").as_deref(), Some("does not say so"));
        assert!(says("exercise 1.2 is still yours to write: chapters/x.rs:3").is_some());
        assert!(says("exercise 1.3 is still yours to write: chapters/x.rs:2").is_some());
        assert!(says("exercise 1.2 is still yours to write: chapters/x.rs:2, unknown").is_some());
        let here = "exercise 1.2 is still yours to write: chapters/x.rs:2\n";
        assert_eq!(says(&here.repeat(2)), None);
        assert!(says(&format!("{here}{}", here.replace(":2", ":3"))).is_some());
        let noisy = "thread 'main' panicked at x\nexercise 1.2 is still yours to write: chapters/x.rs:2\n";
        assert_eq!(says(noisy).as_deref(), Some("says \"panicked\""));
    }
}
