//! One service over another.

use super::parts::service;
use crate::compose::SERVICE;
use crate::compose::merge::merge;
use crate::compose::tree::Node;

fn merged(base: &str, over: &str) -> Node {
    merge(service(base), service(over), &SERVICE).unwrap()
}

#[track_caller]
fn becomes(base: &str, over: &str, both: &str) {
    assert_eq!(merged(base, over), service(both), "{base}\nwith\n{over}");
}

#[test]
fn a_single_value_is_the_later() {
    becomes("image: a", "image: b", "image: b");
    becomes("image: a", "user: b", "{image: a, user: b}");
    becomes("image: a", "image: ", "image: a");
}

#[test]
fn mappings_are_merged_key_by_key_however_they_are_written() {
    becomes("environment: {A: 1, B: 1}", "environment: [B=2, C=2]", "environment: {A: 1, B: 2, C: 2}");
    becomes("build: .", "build: {target: x}", "build: {context: ., target: x}");
    becomes("networks: [a]", "networks: {a: {aliases: [x]}, b: }", "networks: {a: {aliases: [x]}, b: }");
}

#[test]
fn lists_follow_each_other_and_have_each_thing_once() {
    becomes("cap_add: [A, B]", "cap_add: [B, C]", "cap_add: [A, B, C]");
    becomes("dns: 1.1.1.1", "dns: [8.8.8.8]", "dns: [1.1.1.1, 8.8.8.8]");
    becomes("ports: ['80:80', '81:81']", "ports: ['81:81', '82:82']", "ports: ['80:80', '81:81', '82:82']");
}

#[test]
fn what_is_mounted_at_the_same_place_is_the_later() {
    becomes("volumes: ['a:/x', 'b:/y']", "volumes: ['c:/x']", "volumes: ['c:/x', 'b:/y']");
    becomes("secrets: [pw]", "secrets: [{source: pw, uid: '1'}]", "secrets: [{source: pw, uid: '1'}]");
}

#[test]
fn a_command_is_no_list_to_be_lengthened() {
    becomes("command: [a, b]", "command: [c]", "command: [c]");
    becomes("entrypoint: a b", "entrypoint: []", "entrypoint: []");
    becomes(
        "healthcheck: {test: [CMD, a], retries: 1}",
        "healthcheck: {test: b}",
        "healthcheck: {test: b, retries: 1}",
    );
}

#[test]
fn options_of_another_driver_are_forgotten() {
    becomes(
        "logging: {driver: a, options: {x: 1}}",
        "logging: {driver: b, options: {y: 2}}",
        "logging: {driver: b, options: {y: 2}}",
    );
    becomes(
        "logging: {driver: a, options: {x: 1}}",
        "logging: {options: {y: 2}}",
        "logging: {driver: a, options: {x: 1, y: 2}}",
    );
}

#[test]
fn tags_reset_and_replace() {
    becomes("{image: a, ports: ['80']}", "ports: !reset []", "image: a");
    becomes("ports: ['80']", "ports: !override ['81']", "ports: ['81']");
    becomes("environment: {A: 1, B: 1}", "environment: {A: !reset null}", "environment: {B: 1}");
}
