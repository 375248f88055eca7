//! The book's sessions with the real docker, against a dockerd of our own.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/support/dockerd.rs"]
mod dockerd;
#[path = "../../../tests/support/not_run.rs"]
mod not_run;

use std::path::Path;
use std::process::Command;

use dockerd::Dockerd;

#[test]
fn docker_answers_as_the_book_says() {
    let docker = match Dockerd::start() {
        Ok(docker) => docker,
        Err(why) => return not_run::not_run("docker_answers_as_the_book_says", &why),
    };
    let book = Path::new(env!("CARGO_BIN_EXE_kesako-book"));
    let kesako = book.with_file_name("kesako");
    assert!(kesako.exists(), "the sessions run with {}: cargo build -p kesako", kesako.display());
    let host = format!("unix://{}", docker.socket().display());

    // There may be no network to pull `alpine` from. The book's commands use nothing that the workbench has not.
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("workbench.tar");
    let ok = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    ok(Command::new(&kesako).arg("--root").arg(folder.path().join("root")).args(["run", "--rm", "workbench", "true"]));
    let mut save = Command::new(&kesako);
    ok(save.arg("--root").arg(folder.path().join("root")).args(["save", "workbench", "-o"]).arg(&archive));
    ok(Command::new("docker").args(["-H", &host, "load", "-i"]).arg(&archive));
    ok(Command::new("docker").args(["-H", &host, "tag", "workbench", "alpine"]));

    let output = Command::new(book).args(["check", "--docker", &host]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
