//! The commands as a learner types them, in a small repository of one chapter. What needs cargo is tried by `verify`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

const SOLUTION: &str = "/// Seven.\npub fn seven() -> u8 {\n    // exercise: 1.1 seven: say it\n    7\n    // end exercise\n}\n\n#[cfg(test)]\nmod tests {}\n";
const EXERCISES: &str = r#"
title = "Numbers"
[[exercise]]
id = "1.1"
name = "seven"
title = "The number seven"
tests = ["numbers::seven"]
read = ["seven(7)"]
hints = ["Count.", "After six.", "7"]
"#;

struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.write("Cargo.toml", "numbers = { path = \"solutions/01-numbers\", package = \"solution-1\" }\n");
        let manifest = "[package]\nname = \"solution-1\"\n\n[lints]\nworkspace = true\n";
        repository.write("solutions/01-numbers/Cargo.toml", manifest);
        repository.write("solutions/01-numbers/exercises.toml", EXERCISES);
        repository.write("solutions/01-numbers/src/lib.rs", "pub mod seven;\npub mod other;\n");
        repository.write("solutions/01-numbers/src/seven.rs", SOLUTION);
        repository.write("solutions/01-numbers/src/other.rs", "");
        repository.write("solutions/01-numbers/tests/suite.rs", "extern crate solution_1 as numbers;\n");
        repository.write("solutions/01-numbers/examples/count.rs", "//! -p solution-1\nuse solution_1 as numbers;\n");
        repository.run(&["starters"]);
        repository
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.0.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    fn try_run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_workshop"));
        let output = command.args(arguments).env("NO_COLOR", "1").current_dir(self.0.path()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    fn run(&self, arguments: &[&str]) -> String {
        let (success, text) = self.try_run(arguments);
        assert!(success, "{arguments:?}: {text}");
        text
    }
}

const MINE: &str = "chapters/01-numbers/src/seven.rs";

#[test]
fn a_starter_has_a_hole_and_nothing_twice() {
    let repository = Repository::new();
    let expected = "/// Seven.\npub fn seven() -> u8 {\n    // exercise: 1.1 seven: say it\n    todo!(\"exercise 1.1, seven: say it\")\n    // end exercise\n}\n";
    assert_eq!(repository.read(MINE), expected);
    let lib = repository.read("chapters/01-numbers/src/lib.rs");
    assert!(
        lib.ends_with("pub mod seven;\n#[path = \"../../../solutions/01-numbers/src/other.rs\"]\npub mod other;\n"),
        "{lib}"
    );
    assert!(!Path::new(&repository.0.path().join("chapters/01-numbers/src/other.rs")).exists());
    assert_eq!(repository.read("chapters/01-numbers/tests/suite.rs"), "extern crate chapter_1 as numbers;\n");
    assert_eq!(
        repository.read("chapters/01-numbers/examples/count.rs"),
        "//! -p chapter-1\nuse chapter_1 as numbers;\n"
    );
    repository.run(&["starters", "--check"]);
    repository.write("solutions/01-numbers/src/seven.rs", &SOLUTION.replace("Seven.", "The number seven."));
    let (success, text) = repository.try_run(&["starters", "--check"]);
    assert!(!success && text.contains(MINE), "{text}");
}

#[test]
fn what_is_untouched_need_not_be_built() {
    let repository = Repository::new();
    // There is no suite that could be built here.
    let status = repository.run(&["status"]);
    assert!(
        status.contains("The number seven") && status.contains("open") && status.contains("Next: seven in "),
        "{status}"
    );
}

#[test]
fn an_answer_is_taken_and_given_back_and_never_lost() {
    let repository = Repository::new();
    let starter = repository.read(MINE);
    repository.run(&["solve", "1"]);
    assert_eq!(repository.read(MINE), SOLUTION.split("\n#[cfg(test)]").next().unwrap());
    repository.write(MINE, &starter.replace("todo!(\"exercise 1.1, seven: say it\")", "3 + 4"));
    repository.run(&["reset", "1.1"]);
    assert_eq!(repository.read(MINE), starter);
    assert!(repository.read("chapters/01-numbers/.backup/2/src/seven.rs").contains("3 + 4"));

    // The solution goes on; the learner's answer stays.
    repository.write(MINE, &starter.replace("todo!(\"exercise 1.1, seven: say it\")", "3 + 4"));
    repository.write("solutions/01-numbers/src/seven.rs", &SOLUTION.replace("Seven.", "The number seven."));
    assert!(repository.run(&["starters"]).contains("merged with your changes"));
    let merged = repository.read(MINE);
    assert!(merged.contains("The number seven.") && merged.contains("3 + 4"), "{merged}");

    repository.write(MINE, "// all my own\n");
    let (success, text) = repository.try_run(&["reset", "1.1"]);
    assert!(!success && text.contains("has lost the comments"), "{text}");
    assert_eq!(repository.read(MINE), "// all my own\n");
}

#[test]
fn the_switchboard_is_one_line() {
    let repository = Repository::new();
    let before = repository.read("Cargo.toml");
    repository.run(&["use", "1", "mine"]);
    assert_eq!(
        repository.read("Cargo.toml"),
        "numbers = { path = \"chapters/01-numbers\", package = \"chapter-1\" }\n"
    );
    assert!(repository.run(&["use"]).contains("chapter 1: your"));
    repository.run(&["use", "1", "reference"]);
    assert_eq!(repository.read("Cargo.toml"), before);
    assert!(!repository.try_run(&["use", "2", "mine"]).0);
}

#[test]
fn hints_grow() {
    let repository = Repository::new();
    assert!(repository.run(&["hint", "1.1"]).contains("Count."));
    assert!(repository.run(&["hint", "1.1", "3"]).contains("To read: seven(7)"));
    for wrong in [["hint", "1.2"], ["hint", "seven"], ["hint", "2.1"]] {
        assert!(!repository.try_run(&wrong).0, "{wrong:?}");
    }
}

#[test]
fn marks_and_descriptions_have_to_agree() {
    let repository = Repository::new();
    let broken = [
        (EXERCISES.replace("1.1", "1.2"), "marked nowhere"),
        (EXERCISES.replace("\"After six.\", ", ""), "three hints"),
        (EXERCISES.replace("[\"numbers::seven\"]", "[]"), "needs tests"),
        (EXERCISES.replace("read =", "reads ="), "unknown field"),
    ];
    for (exercises, complaint) in broken {
        repository.write("solutions/01-numbers/exercises.toml", &exercises);
        let (success, text) = repository.try_run(&["starters"]);
        assert!(!success && text.contains(complaint), "{complaint}: {text}");
    }
}
