//! `kesako compose kill`, `pause`, `unpause`, `wait` and `cp`: what is done to what runs.

use crate::shop::Shop;
use crate::support::{eventually, is_root, not_run};
use std::process::Stdio;

const FOREVER: &str = "exec sleep 1000";

fn states(shop: &Shop) -> Vec<String> {
    shop.ok(&["ps", "-a", "--format", "{{.Name}} {{.State}}"]).lines().map(str::to_owned).collect()
}

#[test]
fn pause_holds_the_services_that_are_named() {
    if !is_root() {
        return not_run("compose_commands::pause_holds_the_services_that_are_named", "only root can pause everywhere");
    }
    let shop = Shop::new();
    shop.run("web", 1, &[], FOREVER);
    shop.run("web", 2, &[], FOREVER);
    shop.run("db", 1, &[], FOREVER);

    let told = String::from_utf8(shop.compose(&["pause", "web"]).stderr).unwrap();
    let mut told: Vec<_> = told.lines().map(str::trim).collect();
    told.sort_unstable();
    assert_eq!(told, ["Container shop-web-1 Paused", "Container shop-web-2 Paused"]);
    assert_eq!(states(&shop), ["shop-db-1 running", "shop-web-1 paused", "shop-web-2 paused"]);
    shop.ok(&["pause"]);
    let told = String::from_utf8(shop.compose(&["unpause"]).stderr).unwrap();
    assert_eq!(told.matches("Unpaused").count(), 3, "{told}");
    assert_eq!(states(&shop), ["shop-db-1 running", "shop-web-1 running", "shop-web-2 running"]);
}

#[test]
fn kill_reaches_the_services_of_the_file() {
    let shop = Shop::new();
    shop.run("web", 1, &[], FOREVER);
    shop.run("db", 1, &[], "trap 'exit 9' USR1; echo ready; while :; do sleep 0.02; done");
    shop.run("old", 1, &[], FOREVER);
    eventually("it listens", || shop.ok(&["logs", "db"]).contains("ready"));

    // A signal is what it is; who is not in the file is not meant.
    shop.ok(&["kill", "-s", "USR1", "db"]);
    eventually("it has heard", || states(&shop)[0] == "shop-db-1 exited");
    assert_eq!(shop.ok(&["ps", "-a", "--format", "{{.ExitCode}}", "db"]), "9\n");
    shop.ok(&["kill"]);
    eventually("all that the file knows have ended", || {
        states(&shop) == ["shop-db-1 exited", "shop-old-1 running", "shop-web-1 exited"]
    });
    let told = shop.compose(&["kill"]);
    assert_eq!((told.status.code(), told.stderr.as_slice()), (Some(0), &b"No container to kill\n"[..]));
    shop.ok(&["kill", "--remove-orphans"]);
    eventually("and this one", || states(&shop)[1] == "shop-old-1 exited");
}

#[test]
fn wait_tells_how_they_end() {
    let shop = Shop::new();
    shop.run("job", 1, &[], "until [ -e /tmp/end ]; do sleep 0.02; done; exit 6");
    shop.run("web", 1, &[], FOREVER);
    let id = shop.ok(&["ps", "-q", "job"]).trim_end().to_owned();
    let waiting = shop.command(&["wait", "job"]).stdout(Stdio::piped()).spawn().unwrap();
    shop.ok(&["exec", "job", "touch", "/tmp/end"]);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("container {id:?} exited with status code 6\n"));
    assert_eq!(shop.fails(1, &["wait", "job"]), "no containers for project \"shop\"\n");

    let waiting =
        shop.command(&["wait", "--down-project", "web"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    shop.ok(&["kill", "web"]);
    assert_eq!(waiting.wait_with_output().unwrap().status.code(), Some(137));
    assert!(states(&shop).is_empty(), "all are gone");
}

#[test]
fn cp_goes_to_all_and_comes_from_the_first() {
    Shop::each(|shop| {
        shop.run("web", 1, &[], "echo first > /which; exec sleep 1000");
        shop.run("web", 2, &[], "echo second > /which; exec sleep 1000");
        shop.write("given", "to both");
        let output = shop.compose(&["cp", "given", "web:/tmp/"]);
        let told = String::from_utf8(output.stderr).unwrap();
        let expected: String = ["1", "2"]
            .iter()
            .flat_map(|n| {
                ["Copying", "Copied"].map(|what| format!(" shop-web-{n} {what} given to shop-web-{n}:/tmp/\n"))
            })
            .collect();
        assert_eq!(told, expected);
        for index in ["1", "2"] {
            assert_eq!(shop.ok(&["exec", "--index", index, "web", "cat", "/tmp/given"]), "to both");
        }
        let from = |words: &[&str]| {
            eventually("it is written", || shop.compose(&["exec", "web", "test", "-s", "/which"]).status.success());
            let mut all = vec!["cp"];
            all.extend(words);
            all.extend(["web:/which", "taken"]);
            shop.ok(&all);
            std::fs::read_to_string(shop.folder().join("taken")).unwrap()
        };
        assert_eq!(from(&[]), "first\n");
        assert_eq!(from(&["--index", "2"]), "second\n");
        assert_eq!(shop.fails(1, &["cp", "a", "b"]), "unknown copy direction\n");
        assert_eq!(shop.fails(1, &["cp", "web:/a", "db:/b"]), "copying between services is not supported\n");
        assert_eq!(shop.fails(1, &["cp", "db:/a", "."]), "no container found for service \"db\"\n");
        let refused = shop.fails(1, &["cp", "-", "web:/tmp"]);
        assert!(refused.starts_with("standard input can be copied to one container only"), "{refused}");
    });
}
