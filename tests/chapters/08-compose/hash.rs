//! What makes a container another one.

use super::parts::service;
use crate::compose::hash::config_hash;

fn hash(text: &str) -> String {
    config_hash(&service(text))
}

const READ: &str = "Read: docs.docker.com, \"docker compose up\"; the documentation of your function has the list.";

#[test]
fn it_is_the_sha256_of_the_json_that_docker_compose_hashes() {
    for (text, json, expected) in [
        (
            "{image: nginx, networks: [default]}",
            r#"{"command":null,"entrypoint":null,"image":"nginx","networks":{"default":null}}"#,
            "daef7adc9ecc59d4881bd1ebc06f26a836d35656f8b5fb0adfdb95b2d856fbd3",
        ),
        (
            "{init: false, image: i, command: [a, <b>], tty: false}",
            r#"{"command":["a","\u003cb\u003e"],"entrypoint":null,"image":"i","init":false}"#,
            "eeb35b1844b70aa4cb35fa821eb451dc6ecd1784c3222baa12a4db2c6f2e5925",
        ),
    ] {
        assert_eq!(hash(text), expected, "of {text}, docker compose hashes {json}. {READ}");
    }
}

#[test]
fn how_it_is_written_makes_no_difference() {
    for (a, b) in [
        ("{image: i, tty: true, x-a: b}", "{tty: true, image: i}"),
        ("{ports: ['80:80'], dns: 1.1.1.1}", "{dns: [1.1.1.1], ports: ['80:80/tcp']}"),
    ] {
        assert_eq!(hash(a), hash(b), "{a} and {b} say the same: who moves a line does not lose a container. {READ}");
    }
}

#[test]
fn what_does_not_make_another_container_makes_no_other_hash() {
    for more in ["build: .", "pull_policy: always", "scale: 3", "depends_on: [db]", "profiles: [x]"] {
        assert_eq!(
            hash(&format!("image: i\n{more}")),
            hash("image: i"),
            "`{more}`: the containers that are there are as good with it as without. {READ}"
        );
    }
    assert_eq!(
        hash("deploy: {replicas: 1, mode: global}"),
        hash("deploy: {replicas: 5, mode: global}"),
        "with `replicas: 5` there are four more, and the first one stays. {READ}"
    );
}

#[test]
fn what_does_is_seen() {
    for other in [
        "image: j",
        "{image: i, command: []}",
        "{image: i, labels: {a: b}}",
        "{image: i, init: false}",
        "{image: i, deploy: {mode: global}}",
    ] {
        assert_ne!(
            hash("image: i"),
            hash(other),
            "`{other}` is no `image: i`: the container has to be made anew, which only another hash tells. {READ}"
        );
    }
}
