//! What makes a container another one.

use super::parts::service;
use crate::compose::hash::config_hash;

fn hash(text: &str) -> String {
    config_hash(&service(text))
}

#[test]
fn it_is_the_sha256_of_the_json_that_docker_compose_hashes() {
    // sha256 of {"command":null,"entrypoint":null,"image":"nginx","networks":{"default":null}}
    assert_eq!(
        hash("{image: nginx, networks: [default]}"),
        "daef7adc9ecc59d4881bd1ebc06f26a836d35656f8b5fb0adfdb95b2d856fbd3"
    );
    // sha256 of {"command":["a","\u003cb\u003e"],"entrypoint":null,"environment":{"A":"1","B":null},"image":"i","init":false}
    assert_eq!(
        hash("{init: false, image: i, environment: [B, A=1], command: [a, <b>], tty: false}"),
        "20de7a80d5ccc083f9359785a96dad9ed77b9282caf6d756c73d046c2522418a"
    );
}

#[test]
fn how_it_is_written_makes_no_difference() {
    assert_eq!(hash("{image: i, environment: [B=2, A=1]}"), hash("{environment: {A: 1, B: '2'}, image: i, x-a: b}"));
    assert_eq!(hash("{ports: ['80:80'], dns: 1.1.1.1}"), hash("{dns: [1.1.1.1], ports: ['80:80/tcp']}"));
}

#[test]
fn what_does_not_make_another_container_makes_no_other_hash() {
    let all = "build: .\npull_policy: always\nscale: 3\ndepends_on: [db]\nprofiles: [x]\n";
    assert_eq!(hash(&format!("image: i\n{all}")), hash("image: i"));
    assert_eq!(hash("deploy: {replicas: 1, mode: global}"), hash("deploy: {replicas: 5, mode: global}"));
}

#[test]
fn what_does_is_seen() {
    for other in ["image: j", "{image: i, command: []}", "{image: i, labels: {a: b}}", "{image: i, init: false}"] {
        assert_ne!(hash("image: i"), hash(other), "{other}");
    }
}
