//! Projects that cannot be: `kesako compose up` tells file, line and key, and has made nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/house.rs"]
mod house;
mod support;

use house::House;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{Sandbox, eventually};

/// What Docker's engine has and Kesako's has not.
const NOT_OURS: &str = include_str!("../solutions/08-compose/tests/whole/impossible/kesako.txt");

/// A project's folder, beneath this one.
fn folder(of: &Path, text: &str) -> PathBuf {
    let folder = of.join("shop");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("compose.yaml"), text).unwrap();
    folder
}

/// Why `compose` with these words is refused; the sandbox's folder is `/`.
fn refused(sandbox: &Sandbox, text: &str, words: &[&str]) -> String {
    let folder = folder(sandbox.path(), text);
    let output = sandbox.kesako(&[&["compose"], words].concat()).current_dir(folder).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).replace(sandbox.path().to_str().unwrap(), "");
    assert_eq!(output.status.code(), Some(1), "{text}\n{told}");
    assert_eq!(output.stdout, b"", "{text}");
    told.trim_end().to_owned()
}

fn nothing_was_made(sandbox: &Sandbox) {
    for words in [&["ps", "-aq"][..], &["volume", "ls", "-q"], &["network", "ls", "-q", "--filter", "type=custom"]] {
        assert_eq!(sandbox.ok(words), "", "{words:?}");
    }
}

#[test]
fn what_makes_no_sense_is_told_before_anything_is_made() {
    Sandbox::each(|sandbox| {
        let up = |text: &str| refused(sandbox, text, &["up", "-d"]);
        let line =
            |text: &str| up(&format!("services:\n  web:\n    image: workbench\n    {text}\nvolumes: {{data: }}\n"));
        let told = [
            line("depends_on: [web]"),
            line("networks: [nowhere]"),
            line("volumes: ['dtaa:/d']"),
            line("depends_on: [nobody]"),
            line("network_mode: service:nobody"),
            line("hostname: '${WHERE?is it}'"),
            line("ports: ['8080:80', '8080:81']"),
            line("ports: ['8080:80']\n    scale: 2"),
            line("container_name: only\n    scale: 2"),
            line("secrets: [pw]\nsecrets: {pw: {environment: NOWHERE}}"),
            line("hostnam: x"),
            up("services:\n  a: {image: i, container_name: one}\n  b: {image: i, container_name: one}\n"),
            refused(sandbox, "services:\n  web: {image: i, ports: ['80:80']}\n", &["up", "-d", "--scale", "web=2"]),
            refused(sandbox, "services:\n  web: {image: i, container_name: x1}\n", &["create", "--scale", "web=2"]),
            refused(sandbox, "services:\n  web: {image: i}\n", &["scale", "wbe=2"]),
            up(&bomb()),
        ];
        nothing_was_made(sandbox);
        insta::allow_duplicates! { insta::assert_snapshot!(told.join("\n"), @r#"
    /shop/compose.yaml:4: services.web.depends_on.web: dependency cycle detected: web -> web
    /shop/compose.yaml:4: services.web.networks.nowhere: service "web" refers to undefined network nowhere
    /shop/compose.yaml:4: services.web.volumes[0]: service "web" refers to undefined volume dtaa; did you mean `data`?
    /shop/compose.yaml:4: services.web.depends_on.nobody: service "web" depends on undefined service "nobody"
    /shop/compose.yaml:4: services.web.network_mode: service "web" depends on undefined service "nobody"
    /shop/compose.yaml:4: services.web.hostname: required variable WHERE is missing a value: is it
    /shop/compose.yaml:4: services.web.ports[1]: port 8080 is already published by service "web", /shop/compose.yaml:4
    /shop/compose.yaml:4: services.web.ports[0]: 2 containers cannot be published at 8080: each port is one's
    /shop/compose.yaml:4: services.web.container_name: can't set container_name and scale as container name must be unique
    /shop/compose.yaml:5: secrets.pw.environment: environment variable "NOWHERE" required by secret "pw" is not set
    /shop/compose.yaml:4: services.web: additional properties 'hostnam' not allowed; did you mean `hostname`?
    /shop/compose.yaml:3: services.b.container_name: container name "one" is already in use by service "a", /shop/compose.yaml:2
    /shop/compose.yaml:2: services.web.ports[0]: 2 containers cannot be published at 80: each port is one's
    /shop/compose.yaml:2: services.web.container_name: can't set container_name and scale as container name must be unique
    no such service: wbe
    /shop/compose.yaml:5: with its aliases written out, this is more than 200000 values
    "#) }
    });
}

/// A billion laughs.
fn bomb() -> String {
    let mut text = "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for i in 1..10 {
        let ten = vec![format!("*a{}", i - 1); 10].join(", ");
        text += &format!("x-{i}: &a{i} [{ten}]\n");
    }
    text + "services: {web: {image: i}}\n"
}

#[test]
fn what_our_engine_has_not_is_told_with_its_place() {
    Sandbox::each(|sandbox| {
        for text in NOT_OURS.split("---\n") {
            let told = refused(sandbox, text, &["up", "-d"]);
            assert!(told.starts_with("/shop/compose.yaml:4: ") && told.contains("Kesako does not have"), "{told}");
        }
        nothing_was_made(sandbox);
    });
}

/// And it is true that it has not: told by none but the engine itself.
#[test]
fn and_our_engine_says_so_itself() {
    let Some(house) = House::new("and_our_engine_says_so_itself") else { return };
    let socket = house.sandbox.path().join("k.sock");
    let host = format!("unix://{}", socket.display());
    let mut daemon = house.spawn(&["daemon", "-H", &host]);
    eventually("the daemon listens", || UnixStream::connect(&socket).is_ok());
    let compose = |words: &[&str], folder: &Path| -> Output {
        house.kesako(&[&["-H", &host, "compose"], words].concat()).current_dir(folder).output().unwrap()
    };
    let mut accepted = Vec::new();
    for text in NOT_OURS.split("---\n") {
        let folder = folder(house.sandbox.path(), text);
        if compose(&["create"], &folder).status.success() {
            accepted.push(text);
        }
        assert!(compose(&["down", "-v", "-t", "0"], &folder).status.success(), "{text}");
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(accepted.is_empty(), "the engine has this by now: {accepted:#?}");
    house.is_tidy();
}
