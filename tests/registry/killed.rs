//! Who is killed in the middle leaves nothing half, and the next goes on from there.

use crate::between::Line;
use crate::served::{Served, build};
use crate::support::{Sandbox, eventually};

/// Bytes of the layer.
const LARGE: usize = 12 << 20;

#[test]
fn a_pull_that_was_killed_is_gone_on_with() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox, &[]);
    let direct = format!("{}/app", served.host);
    build(&sandbox, &direct, LARGE);
    sandbox.ok(&["push", "-q", &direct]);

    let machine = Sandbox::new();
    let slow = Line::to(&served.host, true);
    let mut pull = machine.spawn(&["pull", &format!("{}/app", slow.host)]);
    eventually("some of the layer has come", || slow.down() > LARGE / 4);
    pull.kill().unwrap();
    pull.wait().unwrap();
    assert_eq!(machine.ok(&["images", "-q"]), "", "half an image is none");

    let rest = Line::to(&served.host, false);
    machine.ok(&["pull", "-q", &format!("{}/app", rest.host)]);
    assert!(rest.down() < LARGE, "{} bytes came the second time: the first quarter was here", rest.down());
    assert_eq!(
        machine.ok(&["run", "--rm", &format!("{}/app", rest.host), "sh", "-c", "wc -c < /data"]),
        LARGE.to_string()
    );
}

#[test]
fn a_registry_that_was_killed_has_what_it_had() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox, &[]);
    let host = served.host.clone();
    let (small, large) = (format!("{host}/small"), format!("{host}/large"));
    sandbox.ok(&["tag", "workbench", &small]);
    sandbox.ok(&["push", "-q", &small]);
    build(&sandbox, &large, LARGE);
    let slow = Line::to(&host, true);
    let through = format!("{}/large", slow.host);
    sandbox.ok(&["tag", &large, &through]);
    let mut push = sandbox.spawn(&["push", &through]);
    eventually("some of the layer is on its way", || slow.up() > LARGE / 4);
    served.kill();
    push.kill().unwrap();
    push.wait().unwrap();

    let again = Served::at(&sandbox, &host, &[]);
    assert_eq!(again.host, host);
    let machine = Sandbox::new();
    machine.ok(&["pull", "-q", &small]);
    assert!(machine.fails(1, &["pull", &large]).contains("not found"), "half an image is none");
    sandbox.ok(&["push", "-q", &large]);
    machine.ok(&["run", "--rm", &large, "true"]);
}

#[test]
fn two_that_pull_the_same_fetch_it_once() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox, &[]);
    let name = format!("{}/app", served.host);
    build(&sandbox, &name, 1 << 20);
    sandbox.ok(&["push", "-q", &name]);
    let (machine, slow) = (Sandbox::new(), Line::to(&served.host, true));
    let name = format!("{}/app", slow.host);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| machine.ok(&["pull", "-q", &name]));
        }
    });
    assert_eq!(slow.blobs(), 3, "the config and two layers, by three processes");
}
