//! A chapter's suite: built by cargo, run, and its answer read.

use crate::interrupt;
use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A suite that runs for longer hangs: something waits for what never comes.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a suite may hold in memory: a loop without end is to fill no more of the machine.
const MEMORY: u64 = 4 << 30;

/// Who waits longer than this wants to know what for.
const SILENCE: Duration = Duration::from_secs(5);

/// A suite that is built.
#[derive(Debug)]
pub struct Suite {
    binary: PathBuf,
    root: PathBuf,
    package: PathBuf,
}

/// What a run has shown.
#[derive(Debug, Default)]
pub struct Outcome {
    pub passed: BTreeSet<String>,
    /// With what they said. A test that did not end has failed.
    pub failed: BTreeMap<String, String>,
}

impl Outcome {
    /// The exercises that failing tests among these have met.
    pub fn told(&self, tests: &[String]) -> String {
        tests.iter().filter_map(|test| self.failed.get(test)).cloned().collect()
    }
}

/// Cargo, in the workspace at `root`.
pub fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    // `cargo run` has told us of the package that we are, which the other does not concern.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Builds the suite of a package of the workspace at `root`, to this folder. Nothing, if it does not compile; cargo has
/// said why.
pub fn build(root: &Path, package: &str, target: &Path) -> Result<Option<Suite>> {
    let mut cargo = cargo(root);
    cargo.args(["test", "--quiet", "--no-run", "--test", "suite", "--package", package, "--target-dir"]).arg(target);
    cargo.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut cargo = cargo.spawn().context("cargo cannot be run")?;
    let mut output = cargo.stdout.take().context("cargo's output is taken")?;
    let (done, waits) = mpsc::channel::<()>();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        // Dropped at the end, which is all that is waited for.
        let _done = done;
        output.read_to_string(&mut text).map(|_| text)
    });
    if std::io::stderr().is_terminal() && waits.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
        eprintln!("Building the tests of {package}. (The first time, that takes a minute or two.)");
    }
    let output = reading.join().map_err(|_| anyhow!("cargo's output is lost"))??;
    if !cargo.wait()?.success() {
        return Ok(None);
    }
    for line in output.lines() {
        let message: serde_json::Value =
            serde_json::from_str(line).context("cargo speaks differently than expected")?;
        if let (Some("suite"), Some(binary)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            let package = message["manifest_path"].as_str().map(Path::new).and_then(Path::parent).unwrap_or(root);
            let (binary, root, package) = (binary.into(), root.to_owned(), package.to_owned());
            return Ok(Some(Suite { binary, root, package }));
        }
    }
    bail!("{package} has no test target that is called suite")
}

impl Suite {
    /// Runs these tests, or all of them if none is named.
    pub fn run(&self, tests: &[String], environment: &[(&str, &str)]) -> Result<Outcome> {
        let folder = tempfile::tempdir()?;
        let written = folder.path().join("output");
        let file = File::create(&written)?;
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.package).process_group(0).stdin(Stdio::null());
        command.stdout(file.try_clone()?).stderr(file).envs(environment.iter().copied());
        // Snapshots are compared here, never written; and insta need not ask cargo where they are.
        command.env("INSTA_UPDATE", "no").env("INSTA_WORKSPACE_ROOT", &self.root).env("RUST_BACKTRACE", "0");
        command.env_remove("NEXTEST").env("CARGO_MANIFEST_DIR", &self.package);
        if !tests.is_empty() {
            command.arg("--exact").args(tests.iter().map(|test| format!("suite::{test}")));
        }
        let mut child = command.spawn().with_context(|| format!("cannot run {}", self.binary.display()))?;
        let group = interrupt::Group::of(child.id());
        let limit = Rlimit { current: Some(MEMORY), maximum: None };
        // Where that is forbidden, nothing is lost but the guard. (It may also have ended already.)
        let _unguarded = prlimit(Some(Pid::from_child(&child)), Resource::Data, limit);
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                // The containers that it waits for, too.
                group.kill();
                child.wait()?;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut text = Vec::new();
        File::open(&written)?.read_to_end(&mut text)?;
        let mut outcome = read(&String::from_utf8_lossy(&text));
        for test in tests {
            if !outcome.passed.contains(test) && !outcome.failed.contains_key(test) {
                outcome.failed.insert(test.clone(), String::from("it did not end, or there is no such test\n"));
            }
        }
        Ok(outcome)
    }

    /// The names of all its tests.
    pub fn tests(&self) -> Result<BTreeSet<String>> {
        let output = Command::new(&self.binary).args(["--list", "--format=terse"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(short).collect())
    }
}

/// Reads what the test harness prints.
fn read(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let mut section: Option<String> = None;
    for line in text.lines() {
        let header = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----")).map(short);
        if let Some(name) = header.filter(|name| outcome.failed.contains_key(name)) {
            section = Some(name);
        } else if let Some(said) = section.as_ref().and_then(|name| outcome.failed.get_mut(name)) {
            said.push_str(line);
            said.push('\n');
        } else if let Some((name, end)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... ")) {
            let name = short(name.split(" - should panic").next().unwrap_or(name));
            match end {
                "ok" => drop(outcome.passed.insert(name)),
                "FAILED" => drop(outcome.failed.insert(name, String::new())),
                _ => {}
            }
        }
    }
    // After the last one's words comes the list of all names.
    if let Some(said) = section.and_then(|name| outcome.failed.get_mut(&name)) {
        let end = said.rfind("\nfailures:\n").unwrap_or(said.len());
        said.truncate(end);
    }
    for said in outcome.failed.values_mut() {
        *said = said.trim().to_owned() + "\n";
    }
    outcome
}

/// As `exercises.toml` names them.
fn short(name: &str) -> String {
    name.strip_prefix("suite::").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_is_understood() {
        let outcome = read(
            "\nrunning 3 tests\ntest suite::a::one ... ok\ntest suite::a::two ... FAILED\ntest suite::b ... ignored\n\nfailures:\n\n\
             ---- suite::a::two stdout ----\n\nthread 'x' panicked at y:1:1:\nnot yet implemented: exercise 1.1\n\n\nfailures:\n    suite::a::two\n\n\
             test result: FAILED. 1 passed; 1 failed\n",
        );
        assert_eq!(outcome.passed, BTreeSet::from(["a::one".to_owned()]));
        assert_eq!(outcome.failed.keys().collect::<Vec<_>>(), ["a::two"]);
        assert!(outcome.failed["a::two"].contains("not yet implemented: exercise 1.1\n"));
        assert!(!outcome.failed["a::two"].contains("failures"));
    }
}
