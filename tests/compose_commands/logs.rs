//! `kesako compose logs`.

use crate::shop::Shop;
use crate::support::eventually;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

#[test]
fn each_line_is_marked_with_whose_it_is() {
    Shop::each(|shop| {
        shop.run("web", 1, &[], "echo one; echo two >&2; printf half");
        shop.run("db", 1, &["-t"], "echo up");
        shop.sandbox.ok(&["wait", "shop-web-1", "shop-db-1"]);

        assert_eq!(shop.ok(&["logs", "web"]), "web-1  | one\nweb-1  | two\nweb-1  | half\n");
        assert_eq!(shop.ok(&["logs", "db", "--no-log-prefix"]), "up\r\n");
        assert_eq!(shop.ok(&["logs", "-n", "1", "web"]), "web-1  | half\n");
        let mut all: Vec<_> = shop.ok(&["logs"]).lines().map(|line| line.trim_end().to_owned()).collect();
        all.sort();
        assert_eq!(all, ["db-1   | up", "web-1  | half", "web-1  | one", "web-1  | two"]);
        assert_eq!(shop.ok(&["--ansi", "always", "logs", "-n", "1", "web"]), "\x1b[36mweb-1  | \x1b[0mhalf\n");
        assert_eq!(shop.ok(&["--ansi", "always", "logs", "--no-color", "-n", "1", "web"]), "web-1  | half\n");
        let stamped = shop.ok(&["logs", "-t", "-n", "1", "web"]);
        assert!(stamped.starts_with("web-1  | 20") && stamped.ends_with("Z half\n"), "{stamped}");
        assert_eq!(shop.ok(&["logs", "--until", "1h"]), "");
    });
}

#[test]
fn an_index_chooses_one_of_several() {
    let shop = Shop::new();
    shop.run("web", 1, &[], "echo first");
    shop.run("web", 2, &[], "echo second");
    shop.sandbox.ok(&["wait", "shop-web-1", "shop-web-2"]);

    assert_eq!(shop.ok(&["logs", "--index", "2", "web"]), "web-2  | second\n");
    assert_eq!(shop.fails(1, &["logs", "--index", "3", "web"]), "service \"web\" is not running container #3\n");
    assert_eq!(shop.fails(1, &["logs", "--index", "2"]), "--index requires one service to be selected\n");
    assert_eq!(shop.fails(1, &["logs", "nobody"]), "no such service: nobody\n");
}

#[test]
fn a_silent_service_is_heard_when_it_is_named() {
    let shop = Shop::new();
    shop.write("compose.yaml", "services: {web: {image: workbench}, db: {image: workbench, attach: false}}");
    ["web", "db", "old"].iter().for_each(|service| shop.run(service, 1, &[], "echo here"));
    shop.sandbox.ok(&["wait", "shop-web-1", "shop-db-1", "shop-old-1"]);

    assert_eq!(shop.ok(&["logs"]), "web-1  | here\n");
    assert_eq!(shop.ok(&["logs", "db"]), "db-1  | here\n");
    let mut all: Vec<_> = shop.ok(&["-p", "shop", "logs"]).lines().map(str::to_owned).collect();
    all.sort();
    assert_eq!(all, ["db-1   | here", "old-1  | here", "web-1  | here"]);

    // Whose name is known needs no file.
    std::fs::remove_file(shop.folder().join("compose.yaml")).unwrap();
    assert_eq!(shop.fails(1, &["logs"]), "no configuration file provided: not found\n");
    let output = shop.command(&["logs", "db"]).env("COMPOSE_PROJECT_NAME", "shop").output().unwrap();
    assert_eq!(output.stdout, b"db-1  | here\n");
}

/// A container that starts while `-f` runs, and one that comes back: each line once, and the end of each life.
#[test]
fn following_sees_who_comes_later() {
    let shop = Shop::new();
    shop.run("web", 1, &[], "echo here; until [ -e /tmp/end ]; do sleep 0.05; done; echo gone");
    shop.create("db", 1, &[], "echo life");
    shop.create("job", 1, &["--restart", "on-failure:1"], "printf 'a '; sleep 0.1; echo try; exit 3");
    let mut following = shop.command(&["logs", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first, "web-1  | here\n");

    shop.sandbox.ok(&["start", "shop-db-1"]);
    shop.sandbox.ok(&["wait", "shop-db-1"]);
    shop.sandbox.ok(&["start", "-a", "shop-db-1"]);
    shop.sandbox.ok(&["start", "shop-job-1"]);
    eventually("the job gives up", || {
        shop.sandbox.ok(&["ps", "-aq", "--filter", "status=exited"]).lines().count() == 2
    });
    shop.sandbox.ok(&["exec", "shop-web-1", "touch", "/tmp/end"]);

    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(following.wait().unwrap().success());
    let mut rest: Vec<_> = rest.lines().collect();
    rest.sort();
    let expected = [
        "db-1   | life",
        "db-1   | life",
        "db-1 exited with code 0",
        "db-1 exited with code 0",
        "job-1  | a try",
        "job-1  | a try",
        "job-1 exited with code 3",
        "job-1 exited with code 3 (restarting)",
        "web-1  | gone",
        "web-1 exited with code 0",
    ];
    assert_eq!(rest, expected);
}

/// `up` puts another container in the place of the only one that is followed.
#[test]
fn following_goes_on_with_who_takes_the_place() {
    let shop = Shop::new();
    let file = |said: &str| {
        let text = format!(
            "services: {{web: {{image: workbench, network_mode: none, command: sh -c 'echo {said}; exec sleep 1000'}}}}"
        );
        shop.write("compose.yaml", &text);
    };
    file("one");
    shop.ok(&["up", "-d"]);
    let mut following = shop.command(&["logs", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "web-1  | one");
    file("two");
    shop.ok(&["up", "-d", "-t", "0"]);
    assert_eq!(lines.next().unwrap(), "web-1 exited with code 137");
    assert_eq!(lines.next().unwrap(), "web-1  | two");
    shop.ok(&["down", "-t", "0"]);
    assert_eq!(lines.collect::<Vec<_>>(), ["web-1 exited with code 137"]);
    assert!(following.wait().unwrap().success());
}

/// Lines that come in pieces from several containers at once stay whole.
#[test]
fn no_line_is_torn() {
    let shop = Shop::new();
    let script = "i=0; while [ $i -lt 200 ]; do i=$((i+1)); printf 'begin '; printf 'e' >&2; printf '%s end\\n' $i; done; echo >&2";
    ["web", "db", "job"].iter().for_each(|service| shop.create(service, 1, &[], script));
    shop.sandbox.ok(&["start", "shop-web-1", "shop-db-1", "shop-job-1"]);
    let text = shop.ok(&["logs", "-f"]);
    for service in ["web", "db", "job"] {
        let prefix = format!("{service}-1");
        let lines = text.lines().filter_map(|line| line.strip_prefix(&prefix)).filter_map(|line| line.split_once("| "));
        let (whole, errors): (Vec<_>, Vec<_>) = lines.map(|(_, line)| line).partition(|line| line.starts_with("begin"));
        let expected: Vec<_> = (1..=200).map(|i| format!("begin {i} end")).collect();
        assert_eq!(whole, expected, "{service}");
        assert_eq!(errors, ["e".repeat(200)], "{service}");
    }
}
