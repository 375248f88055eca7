//! One service over another.

use super::parts::service;
use crate::compose::SERVICE;
use crate::compose::merge::merge;
use crate::compose::render::{For, render};
use crate::compose::tree::Node;

const READ: &str = "Read: compose-spec, \"Merge\".";

/// As somebody reads it.
fn shown(node: &Node) -> String {
    render(node, &SERVICE, For::Raw).to_string()
}

#[track_caller]
fn becomes(base: &str, over: &str, both: &str, why: &str) {
    let (base, over, both) = (service(base), service(over), service(both));
    let what = format!("{}\nand over it {}", shown(&base), shown(&over));
    let Some(found) = merge(base, over, &SERVICE) else { panic!("{what}: nothing is left of it. {READ}") };
    assert!(found == both, "{what}\nmake {}\nand you have {}\n{why}. {READ}", shown(&both), shown(&found));
}

#[test]
fn a_single_value_is_the_later() {
    becomes("image: a", "image: b", "image: b", "there is room for one");
    becomes(
        "{scale: 2, tty: true}",
        "{scale: 1, tty: false}",
        "{scale: 1, tty: false}",
        "numbers and truths are no others",
    );
    becomes("image: a", "user: b", "{image: a, user: b}", "what only one of them says is said");
}

#[test]
fn who_says_nothing_changes_nothing() {
    const WHY: &str = "the later names the network, and says nothing of it";
    becomes("networks: {a: {aliases: [x]}}", "networks: [a]", "networks: {a: {aliases: [x]}}", WHY);
    becomes("networks: [a]", "networks: {a: {aliases: [x]}, b: }", "networks: {a: {aliases: [x]}, b: }", WHY);
}

#[test]
fn mappings_are_merged_key_by_key_however_they_are_written() {
    const WHY: &str = "key by key; the list is only another way of writing a mapping";
    becomes("environment: {A: 1, B: 1}", "environment: [B=2, C=2]", "environment: {A: 1, B: 2, C: 2}", WHY);
    becomes("build: .", "build: {target: x}", "build: {context: ., target: x}", WHY);
    becomes("depends_on: [a]", "depends_on: [b]", "depends_on: [a, b]", WHY);
}

#[test]
fn lists_follow_each_other_and_have_each_thing_once() {
    const WHY: &str = "a later file adds, and the same thing is there once";
    becomes("cap_add: [A, B]", "cap_add: [B, C]", "cap_add: [A, B, C]", WHY);
    becomes("dns: 1.1.1.1", "dns: [8.8.8.8]", "dns: [1.1.1.1, 8.8.8.8]", WHY);
    becomes("ports: ['80:80', '81:81']", "ports: ['81:81', '82:82']", "ports: ['80:80', '81:81', '82:82']", WHY);
    becomes("extra_hosts: ['a=1.1.1.1']", "extra_hosts: ['b=2.2.2.2']", "extra_hosts: ['a=1.1.1.1', 'b=2.2.2.2']", WHY);
}

#[test]
fn what_is_mounted_at_the_same_place_is_the_later() {
    const WHY: &str = "there is room for one at this place";
    becomes("volumes: ['a:/x', 'b:/y']", "volumes: ['c:/x']", "volumes: ['c:/x', 'b:/y']", WHY);
    becomes("secrets: [pw]", "secrets: [{source: pw, uid: '1'}]", "secrets: [{source: pw, uid: '1'}]", WHY);
}

#[test]
fn a_command_is_no_list_to_be_lengthened() {
    const WHY: &str = "the words of two commands one after the other are no command";
    becomes("command: [a, b]", "command: [c]", "command: [c]", WHY);
    becomes("entrypoint: a b", "entrypoint: []", "entrypoint: []", "an empty one is none, and meant so");
    becomes("command: [a]", "command: ", "command: ", "this is how one goes back to the image's own");
    becomes(
        "healthcheck: {test: [CMD, a], retries: 1}",
        "healthcheck: {test: b}",
        "healthcheck: {test: b, retries: 1}",
        WHY,
    );
}

#[test]
fn options_of_another_driver_are_forgotten() {
    becomes(
        "logging: {driver: a, options: {x: 1}}",
        "logging: {driver: b, options: {y: 2}}",
        "logging: {driver: b, options: {y: 2}}",
        "the driver b knows no option x: it was meant for another",
    );
    becomes(
        "logging: {driver: a, options: {x: 1}}",
        "logging: {options: {y: 2}}",
        "logging: {driver: a, options: {x: 1, y: 2}}",
        "no other driver is named, so it is the same",
    );
}

#[test]
fn tags_reset_and_replace() {
    const RESET: &str = "`!reset`: as if nobody had ever said it";
    becomes("{image: a, ports: ['80']}", "ports: !reset []", "image: a", RESET);
    becomes("environment: {A: 1, B: 1}", "environment: {A: !reset null}", "environment: {B: 1}", RESET);
    becomes("{image: a, command: [b]}", "command: !reset null", "image: a", RESET);
    const OVERRIDE: &str = "`!override`: this alone, and not both";
    becomes("ports: ['80']", "ports: !override ['81']", "ports: ['81']", OVERRIDE);
    becomes("environment: {A: 1}", "environment: !override {B: 1}", "environment: {B: 1}", OVERRIDE);
}
