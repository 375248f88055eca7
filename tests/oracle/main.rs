//! One scenario, three times: by `kesako` alone, by the real `docker` client against our daemon, and by the real
//! `docker` client against a real dockerd. What a user sees, and every exit code, must be the same.
//!
//! `kesako` against dockerd's client proves the command line, `docker` against both daemons proves the server. It takes
//! root, the programs docker and dockerd, and a static busybox to make the image of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod builds;
mod copies;
#[path = "../support/dockerd.rs"]
mod dockerd;
mod driver;
mod health;
mod normal;
mod scenario;
mod step;
mod volumes;

use driver::Driver;
use normal::reworded;
use step::{Compare, Outcome, Step};
use support::{Sandbox, installed, is_root, not_run};

const BUSYBOX: &str = "/bin/busybox";

#[test]
fn kesako_and_docker_and_dockerd_tell_the_same_story() {
    let test = "kesako_and_docker_and_dockerd_tell_the_same_story";
    for (there, what) in [
        (is_root(), "root"),
        (installed("docker"), "the docker client"),
        (std::path::Path::new(BUSYBOX).exists(), "a static busybox"),
    ] {
        if !there {
            return not_run(test, &format!("it needs {what}"));
        }
    }
    let dockerd = match dockerd::Dockerd::start() {
        Ok(dockerd) => dockerd,
        Err(why) => return not_run(test, &why),
    };
    let (alone, served) = (Sandbox::new(), Sandbox::new());
    let (_daemon, socket) = driver::serve(&served);
    let drivers = [
        Driver::docker("docker, dockerd", &dockerd.socket()),
        Driver::docker("docker, kesako daemon", &socket),
        Driver::kesako("kesako", &alone),
    ];
    let steps = scenario::steps();
    let told = std::thread::scope(|scope| {
        let running = drivers.each_ref().map(|driver| scope.spawn(|| driver.tell(&steps)));
        running.map(|thread| thread.join().unwrap())
    });
    let differences: Vec<String> = steps
        .iter()
        .enumerate()
        .flat_map(|(number, step)| {
            let [oracle, ours @ ..] = told.each_ref().map(|outcomes| &outcomes[number]);
            let pairs = ours.into_iter().zip(&drivers[1..]);
            pairs.filter_map(|(our, driver)| difference(step, oracle, our, &driver.name)).collect::<Vec<_>>()
        })
        .collect();
    assert!(differences.is_empty(), "{} differences from Docker\n\n{}", differences.len(), differences.join("\n\n"));
}

/// Where `ours` is not what the oracle's is, told for a person.
fn difference(step: &Step, oracle: &Outcome, ours: &Outcome, driver: &str) -> Option<String> {
    let oracle = &Outcome { stderr: reworded(&oracle.stderr), code: step.code.or(oracle.code), ..oracle.clone() };
    if matches!(step.compare, Compare::Classic) && driver == "kesako" {
        let went_well = |outcome: &Outcome| outcome.code == Some(0);
        return (went_well(oracle) != went_well(ours)).then(|| told(step, oracle, ours, driver));
    }
    let same = ours.code == oracle.code
        && match step.compare {
            Compare::Everything | Compare::Classic => oracle == ours,
            Compare::Lines => sorted(&oracle.stdout) == sorted(&ours.stdout) && oracle.stderr == ours.stderr,
            Compare::Containing(text) => {
                [oracle, ours].iter().all(|outcome| outcome.stdout.contains(text) || outcome.stderr.contains(text))
            }
        };
    (!same).then(|| told(step, oracle, ours, driver))
}

fn told(step: &Step, oracle: &Outcome, ours: &Outcome, driver: &str) -> String {
    format!("--- {}\ndocker: {oracle}\n{driver}: {ours}", step.args.join(" "))
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}
