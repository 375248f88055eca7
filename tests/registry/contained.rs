//! A registry in a container that Kesako built, and runs.

use crate::house::House;
use crate::support::{Who, eventually, is_root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const DOCKERFILE: &str = r#"
FROM scratch
COPY . /
EXPOSE 5000
VOLUME /registry
ENTRYPOINT ["/usr/bin/kesako", "registry", "serve", "--root", "/registry"]
"#;

/// The program and all that it loads, as they are on this machine.
fn files_of(binary: &Path) -> Vec<PathBuf> {
    let told = Command::new("ldd").arg(binary).output().unwrap();
    // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, `/lib64/ld-linux-x86-64.so.2 (0x…)`; nothing if it is static.
    let text = String::from_utf8(told.stdout).unwrap();
    text.split_whitespace().filter(|word| word.starts_with('/') && !word.ends_with(':')).map(PathBuf::from).collect()
}

fn context(house: &House) -> String {
    let place = house.sandbox.path().join("context");
    let (binary, _) = house.sandbox.binary();
    let copy = |from: &Path, to: &str| {
        let to = place.join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    copy(binary, "usr/bin/kesako");
    files_of(binary).iter().for_each(|file| copy(file, file.to_str().unwrap()));
    fs::write(place.join("Dockerfile"), DOCKERFILE).unwrap();
    fs::write(place.join(".dockerignore"), "Dockerfile\n").unwrap();
    place.display().to_string()
}

#[test]
fn a_registry_in_a_container() {
    for who in [Who::Me, Who::Ordinary] {
        if who == Who::Ordinary && !is_root() {
            continue;
        }
        eprintln!("as {who:?}");
        let Some(house) = House::of(who, "contained::a_registry_in_a_container") else { return };
        house.ok(&["build", "-q", "-t", "registry", &context(&house)]);
        house.ok(&["run", "-d", "--name", "hub", "-p", "127.0.0.1:5000:5000", "-v", "kept:/registry", "registry"]);
        let answers = || house.output(&["pull", "127.0.0.1:5000/none"]);
        eventually("it answers", || String::from_utf8_lossy(&answers().stderr).contains("not found"));
        let name = "127.0.0.1:5000/team/app:v1";
        house.ok(&["tag", "workbench", name]);
        house.ok(&["push", "-q", name]);
        // It ends when it is told to, and what it has is in the volume.
        house.ok(&["stop", "-t", "20", "hub"]);
        assert_eq!(house.ok(&["inspect", "-f", "{{.State.ExitCode}}", "hub"]), "0");
        house.ok(&["rm", "hub"]);
        house.ok(&["run", "-d", "--name", "hub", "-p", "127.0.0.1:5000:5000", "-v", "kept:/registry", "registry"]);
        eventually("it answers", || String::from_utf8_lossy(&answers().stderr).contains("not found"));
        house.ok(&["rmi", "-f", name, "workbench"]);
        assert_eq!(house.ok(&["run", "--rm", "--network", "none", name, "echo", "back"]), "back");
        house.ok(&["rm", "-f", "hub"]);
    }
}
