//! `kesako compose exec`, `attach`, `export`, `commit`.

use crate::shop::Shop;
use std::io::Write;
use std::process::Stdio;

#[test]
fn exec_runs_in_the_container_that_is_meant() {
    Shop::each(|shop| {
        shop.run("web", 1, &[], "exec sleep 1000");
        shop.run("web", 2, &[], "exec sleep 1000");
        shop.write(".env", "FROM_FILE=of the project\n");

        assert_eq!(shop.ok(&["exec", "web", "hostname"]).len(), 13);
        let second = shop.sandbox.ok(&["inspect", "--format", "{{.Config.Hostname}}", "shop-web-2"]);
        assert_eq!(shop.ok(&["exec", "--index", "2", "web", "hostname"]), format!("{second}\n"));
        let script = "echo $A $FROM_FILE; pwd; id -u; exit 7";
        let words = ["exec", "-T", "-e", "A=1", "-e", "FROM_FILE", "-w", "/tmp", "-u", "0", "web", "sh", "-c", script];
        let output = shop.compose(&words);
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1 of the project\n/tmp\n0\n");

        let mut cat = shop.command(&["exec", "web", "cat"]);
        let mut cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        cat.stdin.take().unwrap().write_all(b"through and back").unwrap();
        assert_eq!(cat.wait_with_output().unwrap().stdout, b"through and back");

        shop.ok(&["exec", "-d", "web", "touch", "/tmp/detached"]);
        crate::support::eventually("it was run", || {
            shop.compose(&["exec", "web", "test", "-e", "/tmp/detached"]).status.success()
        });
        assert_eq!(shop.fails(1, &["exec", "db", "true"]), "service \"db\" is not running\n");
        assert_eq!(
            shop.fails(1, &["exec", "--index", "9", "web", "true"]),
            "service \"web\" is not running container #9\n"
        );
    });
}

#[test]
fn attach_stays_to_the_end() {
    let shop = Shop::new();
    shop.run("web", 1, &["-i"], "read line; echo heard $line; exit 5");
    let mut attached = shop.command(&["attach", "web"]);
    let mut attached = attached.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    attached.stdin.take().unwrap().write_all(b"you\n").unwrap();
    let output = attached.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(5), "heard you\n"));
    assert_eq!(shop.fails(1, &["attach", "web"]), "service \"web\" is not running\n");
}

#[test]
fn export_and_commit_take_what_the_container_has_written() {
    let shop = Shop::new();
    shop.run("web", 1, &[], "echo kept > /made");
    shop.sandbox.ok(&["wait", "shop-web-1"]);
    shop.ok(&["export", "-o", "files.tar", "web"]);
    let mut archive = tar::Archive::new(std::fs::File::open(shop.folder().join("files.tar")).unwrap());
    let has = archive.entries().unwrap().any(|entry| entry.unwrap().path().unwrap().ends_with("made"));
    assert!(has, "the archive has what was written");

    shop.ok(&["commit", "-m", "as it is", "web", "kept:1"]);
    assert_eq!(shop.sandbox.ok(&["run", "--rm", "kept:1", "cat", "/made"]), "kept");
}
