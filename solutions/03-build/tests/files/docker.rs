//! The same folders and Dockerfiles, given to us and to Docker.

use std::path::Path;
use std::process::Command;

use super::cases::{CASES, Case};
use super::dockerd::Dockerd;
use super::not_run::not_run;
use super::sandbox::{all_powerful, sandboxed};
use super::{listing, ours};

const DOCKER: &str = "/usr/bin/docker";

/// What we make of a case, as text.
fn told(case: &Case) -> String {
    match ours::build(case) {
        Ok(files) => files.join("\n"),
        Err(error) => format!("ERROR {error}"),
    }
}

sandboxed! {
    fn what_copy_and_add_make() {
        let cases = CASES.iter().filter(|case| all_powerful() || !case.root);
        let all: Vec<String> = cases.map(|case| format!("# {}\n{}\n", case.name, told(case))).collect();
        let name = if all_powerful() { "what_copy_and_add_make" } else { "what_copy_and_add_make_for_a_user" };
        insta::assert_snapshot!(name, all.join("\n"));
    }
}

#[test]
fn docker_makes_the_same() {
    let Some(dockerd) = dockerd("docker_makes_the_same") else { return };
    let mut differ = Vec::new();
    for case in CASES.iter().filter(|case| !case.newer && case.differs.is_none()) {
        let theirs = theirs(&dockerd.socket(), case);
        // The words of errors are BuildKit's of today, and not those of this one.
        let ours = ours::build(case).map_err(|_| ());
        if ours != theirs {
            differ.push(format!("# {}\nours:   {ours:#?}\nDocker: {theirs:#?}", case.name));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n\n"));
}

/// A real dockerd; or says that this test does not run, and why.
pub fn dockerd(test: &str) -> Option<Dockerd> {
    if !rustix::process::geteuid().is_root() {
        not_run(test, "dockerd takes root");
        return None;
    }
    if !Path::new(DOCKER).exists() {
        not_run(test, "Debian's client is not installed: it needs no plugin to build");
        return None;
    }
    Dockerd::start().map_err(|why| not_run(test, &why)).ok()
}

/// What Docker makes of a case.
pub fn theirs(socket: &Path, case: &Case) -> Result<Vec<String>, ()> {
    let context = ours::context(case);
    let output = Command::new(DOCKER)
        .arg("--host")
        .arg(format!("unix://{}", socket.display()))
        .args(["build", "-q", "--output", "type=tar,dest=-", "."])
        .env("DOCKER_BUILDKIT", "1")
        .current_dir(context.path())
        .output()
        .unwrap();
    if output.status.success() { Ok(listing::of_tar(&output.stdout)) } else { Err(()) }
}
