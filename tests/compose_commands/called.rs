//! Called as `docker-compose`, and what a shell completes.

use crate::shop::Shop;
use std::process::Command;

/// The program by the name `docker-compose`.
fn docker_compose(shop: &Shop, words: &[&str]) -> (Option<i32>, String) {
    let link = shop.sandbox.path().join("docker-compose");
    if !link.exists() {
        std::os::unix::fs::symlink(shop.sandbox.binary().0, &link).unwrap();
    }
    let mut command = Command::new(link);
    command.args(words);
    shop.sandbox.place(&mut command);
    let output = command.current_dir(shop.folder()).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn docker_compose_is_another_name_of_it() {
    let shop = Shop::new();
    shop.run("web", 1, &[], "exec sleep 1000");
    let names = ["ps", "--format", "{{.Name}}"];
    assert_eq!(docker_compose(&shop, &names), (Some(0), "shop-web-1\n".to_owned()));
    std::fs::rename(shop.folder().join("compose.yaml"), shop.folder().join("x.yaml")).unwrap();
    assert_eq!(docker_compose(&shop, &names).0, Some(1));
    let with_file = [&["-f", "x.yaml"][..], &names].concat();
    assert_eq!(docker_compose(&shop, &with_file), (Some(0), "shop-web-1\n".to_owned()));
    let nobody = [&["-H", "unix:///nowhere", "-p", "shop"][..], &names].concat();
    let (code, told) = docker_compose(&shop, &nobody);
    assert!(code == Some(1) && told.contains("unix:///nowhere"), "{told}");

    let version = shop.ok(&["version"]);
    for words in [&["version"][..], &["--version"], &["-v"]] {
        assert_eq!(docker_compose(&shop, words), (Some(0), version.clone()));
    }
    for words in [&["help", "up"][..], &["up", "--help"], &["up", "-h"]] {
        let (code, help) = docker_compose(&shop, words);
        assert!(code == Some(0) && help.starts_with("Usage:  docker-compose up [OPTIONS] [SERVICE...]\n"), "{help}");
    }
    let (code, told) = docker_compose(&shop, &["logs", "--nope"]);
    assert_eq!(code, Some(125));
    assert!(told.contains("Run 'docker-compose logs --help'"), "{told}");
}

#[test]
fn services_flags_and_projects_are_completed() {
    let shop = Shop::new();
    shop.create("web", 1, &[], "true");
    let complete = |words: &[&str]| -> Vec<String> {
        let mut command = shop.sandbox.std_command(&["__complete", "compose"]);
        let output = command.args(words).current_dir(shop.folder()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(complete(&["logs", ""]), ["db", "debug", "job", "web"]);
    assert_eq!(complete(&["logs", "-f", "db", "d"]), ["db", "debug"]);
    assert_eq!(complete(&["-f", "compose.yaml", "exec", "w"]), ["web"]);
    assert!(complete(&["exec", "web", ""]).is_empty(), "a command is none of ours");
    assert!(complete(&["logs", "--tail", ""]).is_empty());
    assert_eq!(complete(&["scale", "web=2", "d"]), ["db=", "debug="]);
    assert_eq!(complete(&["-p", ""]), ["shop"]);
    assert_eq!(complete(&["--profile", ""]), ["debug"]);
    assert_eq!(complete(&["cp", "--ar"]), ["--archive"]);
    assert_eq!(complete(&["unp"]), ["unpause"]);
}
