//! Mirrors of Docker Hub, as `daemon.json` names them: one that is down or lacks an image is passed over.

use crate::served::{Served, build};
use crate::support::Sandbox;
use std::fs;
use std::net::TcpListener;

/// An address where nobody listens.
fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn mirrors(sandbox: &Sandbox, file: &str, hosts: &[&str]) {
    let urls: Vec<String> = hosts.iter().map(|host| format!("\"http://{host}\"")).collect();
    let path = sandbox.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // The administrator's other settings are none of our business.
    let text = format!(r#"{{"debug":false,"log-driver":"json-file","registry-mirrors":[{}]}}"#, urls.join(","));
    fs::write(path, text).unwrap();
}

#[test]
fn a_mirror_that_is_down_or_lacks_the_image_is_passed_over() {
    let (place, empty) = (Sandbox::new(), Sandbox::new());
    let (good, lacking) = (Served::start(&place, &[]), Served::start(&empty, &[]));
    let there = format!("{}/team/app:v1", good.host);
    build(&place, &there, 1000);
    place.ok(&["push", "-q", &there]);

    let machine = Sandbox::new();
    fs::create_dir_all(machine.root()).unwrap();
    mirrors(&machine, "root/daemon.json", &[&nobody(), &lacking.host, &good.host]);
    assert_eq!(machine.ok(&["pull", "-q", "team/app:v1"]), "docker.io/team/app:v1");
    assert_eq!(machine.ok(&["run", "--rm", "--network", "none", "team/app:v1", "sh", "-c", "wc -c < /data"]), "1000");
    // Only Docker Hub has mirrors: what is said to be elsewhere is not looked for there.
    let elsewhere = format!("{}/team/app:v1", lacking.host);
    assert!(machine.fails(1, &["pull", &elsewhere]).contains("not found"));
}

#[test]
fn settings_that_make_no_sense_are_told_with_their_file() {
    let machine = Sandbox::new();
    fs::create_dir_all(machine.root()).unwrap();
    let path = machine.root().join("daemon.json");
    let bad = [
        ("{", "EOF while parsing"),
        (r#"{"registry-mirrors":["mirror:5000"]}"#, "invalid mirror: \"mirror:5000\""),
        (r#"{"insecure-registries":"10.0.0.0/8"}"#, "invalid type: string"),
    ];
    for (text, why) in bad {
        fs::write(&path, text).unwrap();
        let told = machine.fails(1, &["pull", "team/app"]);
        assert!(told.contains(why) && told.contains("daemon.json"), "{told}");
    }
}
