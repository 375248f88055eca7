//! The projects: folders beside this file, each with what it should become (`expected.txt`).

use std::path::{Path, PathBuf};

/// A project, and what is typed to run it.
pub(crate) struct Project {
    pub(crate) name: &'static str,
    /// Before the command, for both tools.
    flags: &'static [&'static str],
    /// Says the same in another way for a docker-compose that does not know this one.
    classic: &'static [&'static str],
    /// Its copy.
    pub(crate) folder: PathBuf,
}

/// What a project should become.
#[derive(Default)]
pub(crate) struct Expected {
    pub(crate) brief: Vec<String>,
    pub(crate) said: Vec<(String, String)>,
    pub(crate) classic: Vec<String>,
}

const PROJECTS: [(&str, &[&str], &[&str]); 12] = [
    ("lesson", &[], &[]),
    ("shop", &[], &[]),
    ("workers", &[], &[]),
    ("stages", &[], &[]),
    ("profiles", &["--profile", "debug"], &[]),
    ("extends", &[], &[]),
    ("include", &[], &["-f", "classic.yaml"]),
    ("overrides", &[], &[]),
    ("volumes", &[], &[]),
    ("migrations", &[], &[]),
    ("limits", &[], &[]),
    ("addresses", &[], &[]),
];

/// All of them.
pub(crate) fn names() -> [&'static str; 12] {
    PROJECTS.map(|(name, ..)| name)
}

impl Project {
    /// A copy of this one in that folder, if it is not there yet.
    pub(crate) fn copy(name: &str, place: &Path) -> Self {
        let (name, flags, classic) = PROJECTS.into_iter().find(|(known, ..)| *known == name).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose/projects").join(name);
        let folder = place.join(name);
        if !folder.exists() {
            let copied = std::process::Command::new("cp").arg("-r").arg(source).arg(&folder).status().unwrap();
            assert!(copied.success());
        }
        Self { name, flags, classic, folder }
    }

    /// The short of its state, what containers should have said, and what nobody but docker-compose makes.
    pub(crate) fn expected(&self) -> Expected {
        let text = std::fs::read_to_string(self.folder.join("expected.txt")).unwrap();
        let mut expected = Expected::default();
        for line in text.lines() {
            if let Some((who, what)) = line.split_once(" says ") {
                expected.said.push((who.into(), what.into()));
            } else if let Some(thing) = line.strip_suffix(", with docker-compose") {
                expected.classic.push(thing.into());
            } else {
                expected.brief.push(line.into());
            }
        }
        expected
    }

    /// The words between the tool's name and its command.
    pub(crate) fn words(&self, is_classic: bool) -> Vec<&'static str> {
        let files: &[_] = if is_classic { self.classic } else { &[] };
        [files, self.flags, &["-p", self.name]].concat()
    }
}
