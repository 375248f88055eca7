//! `just bench-compose`: a project of ten services, from nothing to running and back, by `kesako compose` and by docker-compose with a
//! dockerd; and each tool with the other's engine, which tells where the time goes.
//!
//! It takes root, and goes into a network namespace of its own first.

#[path = "../docker.rs"]
mod docker;
#[path = "../networks/engines.rs"]
#[allow(dead_code, reason = "containers are not looked into here")]
mod engines;
#[path = "../networks/place.rs"]
#[allow(dead_code, reason = "no neighbour is needed here")]
mod place;

use anyhow::{Context, Result};
use engines::{Engines, beside_me};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SERVICES: usize = 10;
const WARM_UP: usize = 1;
const ROUNDS: usize = 5;
const STEPS: [(&str, &[&str]); 3] = [("up -d", &["up", "-d"]), ("up -d again", &["up", "-d"]), ("down", &["down"])];

/// A tool with an engine.
struct Contender {
    name: &'static str,
    words: Vec<String>,
    variable: (&'static str, String),
    times: [Vec<f64>; STEPS.len()],
}

fn main() -> Result<()> {
    anyhow::ensure!(rustix::process::geteuid().is_root(), "the engines take root");
    place::leave_for_a_network_of_our_own()?;
    let folder =
        tempfile::Builder::new().prefix("kesako-bench-").tempdir().context("cannot make a folder to work in")?;
    let engines = Engines::new(folder.path())?;
    let project = folder.path().join("ten");
    std::fs::create_dir(&project)?;
    std::fs::write(project.join("docker-compose.yml"), file())?;
    // Ends with this.
    let daemon = OurDaemon::start(folder.path())?;
    let mut contenders = contenders(&engines, &daemon)?;
    for round in 0..WARM_UP + ROUNDS {
        for contender in &mut contenders {
            for (step, (_, words)) in STEPS.iter().enumerate() {
                let mut command = Command::new(&contender.words[0]);
                command.args(&contender.words[1..]).args(*words).current_dir(&project);
                command.env(contender.variable.0, &contender.variable.1);
                let start = Instant::now();
                let output = command.output().context(contender.name)?;
                let time = start.elapsed().as_secs_f64() * 1000.0;
                let told = String::from_utf8_lossy(&output.stderr);
                anyhow::ensure!(output.status.success(), "{} {}: {told}", contender.name, words.join(" "));
                if round >= WARM_UP {
                    contender.times[step].push(time);
                }
            }
        }
    }
    report(&mut contenders);
    Ok(())
}

/// Each service waits for the one before the one before it: five steps of two. They end at once when they are stopped, so that no
/// grace is measured.
fn file() -> String {
    let service = |i: usize| {
        let waits = if i < 2 { String::new() } else { format!(", depends_on: [s{}]", i - 2) };
        format!("  s{i}: {{image: workbench, command: sleep 1000, stop_signal: SIGKILL{waits}}}\n")
    };
    format!("services:\n{}", (0..SERVICES).map(service).collect::<String>())
}

fn contenders(engines: &Engines, daemon: &OurDaemon) -> Result<Vec<Contender>> {
    let contender = |name, words: &[&str], variable: (&'static str, String)| Contender {
        name,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        variable,
        times: Default::default(),
    };
    let kesako = beside_me("kesako")?;
    let root = engines.folder.join("kesako").to_string_lossy().into_owned();
    let mut all = vec![contender("kesako compose", &[&kesako, "compose"], ("KESAKO_ROOT", root))];
    let has_compose = Command::new("docker-compose").arg("version").output().is_ok_and(|told| told.status.success());
    if !has_compose {
        eprintln!("docker-compose is left out: it is not installed");
    }
    if has_compose {
        all.push(contender("docker-compose, kesako", &["docker-compose"], ("DOCKER_HOST", daemon.host.clone())));
    }
    if engines.docker.is_some() {
        let host = format!("unix://{}", engines.folder.join("docker/sock").display());
        all.push(contender("kesako compose, dockerd", &[&kesako, "compose"], ("DOCKER_HOST", host.clone())));
        if has_compose {
            all.push(contender("docker-compose, dockerd", &["docker-compose"], ("DOCKER_HOST", host)));
        }
    }
    Ok(all)
}

fn report(contenders: &mut [Contender]) {
    println!("\nA project of {SERVICES} services, the middle one of {ROUNDS} rounds\n");
    println!("{:<25} {:>13} {:>13} {:>13}", "", STEPS[0].0, STEPS[1].0, STEPS[2].0);
    let mut medians = Vec::new();
    for contender in contenders.iter_mut() {
        let times: Vec<f64> = contender.times.iter_mut().map(|times| median(times)).collect();
        println!("{:<25} {:>10.0} ms {:>10.0} ms {:>10.0} ms", contender.name, times[0], times[1], times[2]);
        medians.push(times);
    }
    let (first, last) = (&medians[0], &medians[medians.len() - 1]);
    if contenders.last().is_some_and(|last| last.name == "docker-compose, dockerd") {
        let ratio = |step: usize| last[step] / first[step];
        println!(
            "\nkesako compose is {:.1}, {:.1} and {:.1} × as fast as docker-compose with a dockerd",
            ratio(0),
            ratio(1),
            ratio(2)
        );
        println!("up -d and down together: {:.1} ×", (last[0] + last[2]) / (first[0] + first[2]));
    }
}

/// The middle one.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Kesako as a daemon, with a root of its own.
struct OurDaemon {
    process: Child,
    host: String,
}

impl OurDaemon {
    fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("kesako.sock");
        let host = format!("unix://{}", socket.display());
        let mut command = Command::new(beside_me("kesako")?);
        command.args(["daemon", "--host", &host]).env("KESAKO_ROOT", folder.join("daemon"));
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let daemon = Self { process, host };
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            anyhow::ensure!(begun.elapsed() < Duration::from_secs(30), "kesako daemon does not answer within 30 s");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(daemon)
    }
}

impl Drop for OurDaemon {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        if nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).is_err() || self.process.wait().is_err() {
            eprintln!("kesako daemon (PID {pid}) may still be running");
        }
    }
}
