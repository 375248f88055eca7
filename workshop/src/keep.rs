//! What a learner has written is never lost: a new starter is merged into it.
//!
//! Beside the files of a chapter, `.starter/` keeps them as they were last written. So there is always a common ancestor,
//! and the merge is the three-way one of git-merge-file(1).

use crate::starters::Files;
use anyhow::{Context as _, Result, bail};
use colored::{ColoredString, Colorize as _};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the starter last written is kept.
const STARTER: &str = ".starter";
/// Where a learner's file goes before a command changes it.
const BACKUP: &str = ".backup";

/// Files of a chapter that are not as they were generated, or whose kept starter is not.
pub fn differing(place: &Path, files: &Files) -> Result<Vec<PathBuf>> {
    let mut differing = Vec::new();
    for (file, text) in files {
        let same = |at: PathBuf| Ok::<_, anyhow::Error>(read(&at)?.as_deref() == Some(text.as_str()));
        if !same(place.join(file))? || !same(place.join(STARTER).join(file))? {
            differing.push(file.clone());
        }
    }
    differing.extend(stale(place, files)?);
    Ok(differing)
}

/// Writes a starter, keeping what the learner has changed. Returns what became of each file that was touched.
pub fn write(place: &Path, files: &Files) -> Result<Vec<(PathBuf, ColoredString)>> {
    let mut told = Vec::new();
    for (file, new) in files {
        let (at, kept) = (place.join(file), place.join(STARTER).join(file));
        let (mine, base) = (read(&at)?, read(&kept)?);
        let outcome = match (&mine, &base) {
            (Some(mine), _) if mine == new => None,
            (Some(mine), base) if base.as_ref() != Some(mine) => merged(place, file, mine, base.as_deref(), new)?,
            _ => {
                put(&at, new)?;
                Some("written:".green())
            }
        };
        put(&kept, new)?;
        told.extend(outcome.map(|outcome| (file.clone(), outcome)));
    }
    for file in stale(place, files)? {
        let (at, kept) = (place.join(&file), place.join(STARTER).join(&file));
        let untouched = read(&at)? == read(&kept)?;
        if untouched {
            remove(&at)?;
        }
        remove(&kept)?;
        told.push((
            file,
            if untouched { "removed:".green() } else { "no longer needed, but changed by you:".yellow() },
        ));
    }
    Ok(told)
}

/// Brings a new starter into a file that the learner has changed.
fn merged(place: &Path, file: &Path, mine: &str, base: Option<&str>, new: &str) -> Result<Option<ColoredString>> {
    let at = place.join(file);
    let Some(base) = base else {
        // Without a common ancestor every line would be a conflict.
        let beside = at.with_extension("starter");
        put(&beside, new)?;
        return Ok(Some("yours is kept, the new starter is beside it (.starter):".yellow()));
    };
    if base == new {
        return Ok(None);
    }
    back_up(place, file)?;
    let (text, conflicts) = merge(mine, base, new)?;
    put(&at, &text)?;
    Ok(Some(match conflicts {
        false => "merged with your changes:".green(),
        true => "merged, with conflicts to resolve (<<<<<<<); as it was, it is in .backup:".red(),
    }))
}

/// The merged text, and whether there are conflicts in it.
fn merge(mine: &str, base: &str, new: &str) -> Result<(String, bool)> {
    let folder = tempfile::tempdir()?;
    let [ours, ancestor, theirs] = ["yours", "base", "new"].map(|name| folder.path().join(name));
    fs::write(&ours, mine)?;
    fs::write(&ancestor, base)?;
    fs::write(&theirs, new)?;
    let mut command = Command::new("git");
    command.args(["merge-file", "-p", "-L", "yours", "-L", "the starter before", "-L", "the new starter"]);
    let output = command.args([&ours, &ancestor, &theirs]).output().context("git merge-file cannot be run")?;
    // The exit code is the number of conflicts, up to 127 (git-merge-file(1)).
    match output.status.code() {
        Some(conflicts @ 0..=127) => Ok((String::from_utf8(output.stdout)?, conflicts > 0)),
        _ => bail!("git merge-file: {}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}

/// Copies a learner's file to where no command changes it. Returns where.
pub fn back_up(place: &Path, file: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(place.join(file)).with_context(|| format!("{}", file.display()))?;
    let folder = place.join(BACKUP);
    let number = (1..).find(|number| !folder.join(format!("{number}")).join(file).exists()).unwrap_or(1);
    let at = folder.join(number.to_string()).join(file);
    put(&at, &text)?;
    Ok(at)
}

/// Kept starters of files that are no longer generated.
fn stale(place: &Path, files: &Files) -> Result<Vec<PathBuf>> {
    fn visit(place: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
        let entries = match fs::read_dir(place.join(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() { visit(place, &path, found)? } else { found.push(path) }
        }
        Ok(())
    }
    let mut found = Vec::new();
    visit(&place.join(STARTER), Path::new(""), &mut found)?;
    found.retain(|file| !files.contains_key(file));
    Ok(found)
}

fn read(at: &Path) -> Result<Option<String>> {
    match fs::read_to_string(at) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", at.display())),
    }
}

/// Writes a file, with the folders above it: first beside it, so that it is there in whole or as it was.
pub fn put(at: &Path, text: &str) -> Result<()> {
    let write = || {
        fs::create_dir_all(at.parent().unwrap_or(Path::new(".")))?;
        let beside = at.with_extension("new~");
        fs::write(&beside, text)?;
        fs::rename(beside, at)
    };
    write().with_context(|| format!("cannot write {}", at.display()))
}

fn remove(at: &Path) -> Result<()> {
    match fs::remove_file(at) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", at.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "src/digest.rs";

    fn files(text: &str) -> Files {
        Files::from([(FILE.into(), text.to_owned())])
    }

    #[test]
    fn what_the_learner_wrote_survives_a_new_starter() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path();
        let now = || fs::read_to_string(place.join(FILE)).unwrap();
        let starter = "one\n\ntwo\n\ntodo!()\n\nthree\n";
        write(place, &files(starter)).unwrap();
        assert_eq!(now(), starter);
        assert!(differing(place, &files(starter)).unwrap().is_empty());
        assert!(write(place, &files(starter)).unwrap().is_empty());

        // The answer stays, and the starter's other lines are the new ones.
        fs::write(place.join(FILE), starter.replace("todo!()", "my answer")).unwrap();
        assert_eq!(differing(place, &files(starter)).unwrap(), [Path::new(FILE)]);
        assert!(write(place, &files(starter)).unwrap().is_empty());
        write(place, &files(&starter.replace("one", "ONE"))).unwrap();
        assert_eq!(now(), "ONE\n\ntwo\n\nmy answer\n\nthree\n");
        assert_eq!(
            fs::read_to_string(place.join(".backup/1").join(FILE)).unwrap(),
            "one\n\ntwo\n\nmy answer\n\nthree\n"
        );

        // Where both have changed the same line, both are there.
        write(place, &files("ONE\n\ntwo\n\ntodo!(\"better\")\n\nthree\n")).unwrap();
        assert!(
            now().contains("my answer") && now().contains("better") && now().contains("<<<<<<< yours"),
            "{}",
            now()
        );
    }

    #[test]
    fn a_file_of_unknown_ancestry_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        put(&place.path().join(FILE), "mine").unwrap();
        write(place.path(), &files("new")).unwrap();
        assert_eq!(fs::read_to_string(place.path().join(FILE)).unwrap(), "mine");
        assert_eq!(fs::read_to_string(place.path().join("src/digest.starter")).unwrap(), "new");
    }

    #[test]
    fn what_is_no_longer_needed_goes_unless_it_was_changed() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path();
        write(place, &files("text")).unwrap();
        assert_eq!(differing(place, &Files::new()).unwrap(), [Path::new(FILE)]);
        write(place, &Files::new()).unwrap();
        assert!(!place.join(FILE).exists());
        write(place, &files("text")).unwrap();
        fs::write(place.join(FILE), "mine").unwrap();
        write(place, &Files::new()).unwrap();
        assert_eq!(fs::read_to_string(place.join(FILE)).unwrap(), "mine");
    }
}
