//! Files that were made to hurt. Each is refused, or read, at once.

use super::folder::Folder;
use std::time::{Duration, Instant};

fn at_once<T>(what: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = what();
    assert!(start.elapsed() < Duration::from_secs(20), "this took {:?}", start.elapsed());
    result
}

#[test]
fn a_billion_laughs() {
    let mut text = "x-a: &a [l, l, l, l, l, l, l, l, l, l]\n".to_owned();
    for (this, last) in ('b'..='z').zip('a'..) {
        text += &format!(
            "x-{this}: &{this} [*{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}]\n"
        );
    }
    let told = at_once(|| Folder::of(&text).refused());
    assert_eq!(told, "/shop/compose.yaml:6: with its aliases written out, this is more than 200000 values");
}

#[test]
fn a_node_within_itself() {
    let told = at_once(|| Folder::of("x-a: &a [*a]\nservices: {web: {image: i}}\n").refused());
    assert_eq!(told, "/shop/compose.yaml:1: this alias is inside of what it stands for");
}

#[test]
fn depths() {
    for text in
        ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), format!("x: {}", "!x ".repeat(10_000))]
    {
        let told = at_once(|| Folder::of(&format!("x-a: {text}")).refused());
        assert!(told.starts_with("/shop/compose.yaml:"), "{told}");
    }
    let text = format!("services: {{web: {{image: '{}'}}}}\n", "${a:-".repeat(5000) + &"}".repeat(5000));
    let told = at_once(|| Folder::of(&text).refused());
    assert_eq!(told, "/shop/compose.yaml:1: services.web.image: this nests deeper than 64 levels");
}

#[test]
fn variables_that_double() {
    let mut env = "A0=xxxxxxxxxx\n".to_owned();
    (1..100).for_each(|i| env += &format!("A{i}=$A{0}$A{0}\n", i - 1));
    let told = at_once(|| Folder::of("services: {web: {image: i}}\n").with(".env", &env).refused());
    assert_eq!(told, "/shop/.env:18: this becomes longer than 1048576 bytes");
}

#[test]
fn many_of_everything() {
    let services: String = (0..5000).map(|i| format!("  s{i}: {{image: i, depends_on: [s{}]}}\n", i + 1)).collect();
    let project = at_once(|| Folder::of(&format!("services:\n{services}  s5000: {{image: i}}\n")).project());
    assert_eq!(project.in_order()[0], "s5000");
    let services: String = (0..5000).map(|i| format!("  s{i}: {{image: i, container_name: shop-x{i}-1}}\n")).collect();
    at_once(|| Folder::of(&format!("services:\n{services}")).project().model()).unwrap();
    let told = at_once(|| Folder::of("services: {web: {image: i, ports: ['1-65535', '1-65535/udp']}}\n").refused());
    assert_eq!(told, "/shop/compose.yaml:1: services.web.ports: these are more than 65535 ports");
}

#[test]
fn bytes_that_are_no_text() {
    let folder = Folder::empty();
    std::fs::write(folder.path("compose.yaml"), b"services: \xff\xfe\n").unwrap();
    assert!(folder.refused().starts_with("cannot read /shop/compose.yaml: "));
    std::fs::write(folder.path("compose.yaml"), b"a: \0\n").unwrap();
    assert!(folder.refused().starts_with("/shop/compose.yaml:1: "));
    std::fs::remove_file(folder.path("compose.yaml")).unwrap();
    std::fs::create_dir(folder.path("compose.yaml")).unwrap();
    assert_eq!(folder.refused(), "cannot read /shop/compose.yaml: is a directory");
}

#[test]
fn files_that_include_two_each_and_services_that_extend_without_end() {
    let mut folder = Folder::of("include: [f0.yaml]\nservices: {web: {image: i}}\n");
    for i in 0..40 {
        folder = folder.with(&format!("f{i}.yaml"), &format!("include: [f{0}.yaml, f{0}.yaml]\n", i + 1));
    }
    folder = folder.with("f40.yaml", "services: {db: {image: i}}\n");
    assert!(at_once(|| folder.refused()).ends_with("these are more than 1000 files"));
    let services: String = (0..5000).map(|i| format!("  s{i}: {{extends: s{}}}\n", i + 1)).collect();
    let told = at_once(|| Folder::of(&format!("services:\n{services}  s5000: {{image: i}}\n")).refused());
    assert_eq!(told, "/shop/compose.yaml:66: services.s64.extends: this chain of extends is longer than 64");
}

#[test]
fn more_variables_than_anybody_has() {
    let lines: String = (0..60_000).map(|i| format!("V{i}=x\n")).collect();
    let listed = lines.lines().map(|line| format!("      - {line}\n")).collect::<String>();
    let text = format!("services:\n  web:\n    image: i\n    environment:\n{listed}");
    let told = at_once(|| Folder::of(&text).refused());
    assert_eq!(told, "/shop/compose.yaml:5: this has more than 20000 entries");
    let folder = Folder::of("services: {web: {image: i, env_file: many.env}}\n").with("many.env", &lines);
    assert_eq!(at_once(|| folder.refused()), "/shop/many.env:20001: this file has more than 20000 variables");
}

/// Each alias hangs at the bottom of the next: none is deep, together they are.
#[test]
fn one_depth_beneath_another() {
    let mut text = "x-0: &a0 v\n".to_owned();
    for i in 1..70 {
        text += &format!("x-{i}: &a{i} {}*a{}{}\n", "[".repeat(50), i - 1, "]".repeat(50));
    }
    let told = at_once(|| Folder::of(&(text + "services: {web: {image: i}}\n")).refused());
    assert_eq!(told, "/shop/compose.yaml:3: this nests deeper than 64 levels");
}
