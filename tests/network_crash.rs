//! SIGKILL in the middle of everything that changes networks and volumes: what is left is given back by the next command.
//!
//! `KESAKO_ROUNDS=200 cargo test --test network_crash` plays many more rounds than a quick run does, and `KESAKO_SEED` the same
//! ones again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/house.rs"]
mod house;
mod support;

use house::House;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use support::{eventually, installed};

fn kill_9(pid: i32) {
    // It may have ended in this very moment.
    let _ended = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

/// A small generator (Knuth's constants), so that a failure can be had again from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// All processes of a root: command lines, the daemon, shims, steps of builds, and the first processes of containers.
fn family(house: &House) -> Vec<i32> {
    let needle = house.sandbox.root().to_str().unwrap().to_owned();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids: Vec<i32> = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let speaks = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&needle)
    };
    let ours: Vec<i32> = pids.iter().copied().filter(speaks).collect();
    let children: Vec<i32> = pids.iter().copied().filter(|pid| ours.contains(&parent(*pid))).collect();
    let all: BTreeSet<i32> = ours.into_iter().chain(children).collect();
    all.into_iter().collect()
}

/// Field 4 of proc_pid_stat(5); 0 if there is no such process.
fn parent(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// What is played, each line by itself. `PLACE` is a folder with a Dockerfile.
const COMMANDS: [&str; 22] = [
    "run -d --name one -p 8080:80 -p 5353:53/udp workbench sleep 100",
    "run -d --name one --network red -p 8080-8089:80 --expose 9000 -P workbench sleep 100",
    "run --rm --network red --network-alias node -p 8081:80 workbench true",
    "run -d --rm --name two --network blue -v data:/data workbench sleep 100",
    "run -d --name three --restart always -p 127.0.0.1:8082:80 workbench sleep 0.05",
    "network connect red two",
    "network connect blue one",
    "network disconnect red two",
    "network disconnect blue one",
    "network create --subnet 10.77.0.0/24 --ipv6 green",
    "network create --internal black",
    "network rm green",
    "network rm black",
    "restart -t 0 one",
    "stop -t 0 one",
    "rename one uno",
    "rm -f one uno",
    "rm -f two three",
    "volume create --label a=b made",
    "volume rm made up",
    "run --rm -v up:/etc workbench true",
    "build -q PLACE",
];

#[test]
fn kill_9_at_random_moments_leaks_nothing_of_networks_and_volumes() {
    let seed =
        std::env::var("KESAKO_SEED").map_or_else(|_| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    let rounds = std::env::var("KESAKO_ROUNDS").map_or(20, |rounds| rounds.parse().unwrap());
    eprintln!("KESAKO_SEED={seed}");
    let mut dice = Dice(seed);
    let Some(house) = House::new("kill_9_at_random_moments_leaks_nothing_of_networks_and_volumes") else { return };
    let place = house.sandbox.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let socket = format!("unix://{}", house.sandbox.path().join("d.sock").display());
    house.ok(&["network", "create", "--subnet", "10.88.0.0/24", "red"]);
    house.ok(&["network", "create", "blue"]);
    let mut daemon = None;
    for round in 0..rounds {
        // A step that is not in the cache.
        std::fs::write(place.join("Dockerfile"), format!("FROM workbench\nRUN echo {round}; sleep 0.05\n")).unwrap();
        let line = dice.one_of(&COMMANDS).replace("PLACE", place.to_str().unwrap());
        let mut words: Vec<&str> = line.split(' ').collect();
        // By the daemon, or in its own process.
        if dice.below(2) == 0 {
            daemon = Some(daemon_at(&house, &socket, daemon));
            words.splice(0..0, ["-H", &socket]);
        }
        let mut child = house.spawn(&words);
        std::thread::sleep(Duration::from_micros(dice.below(80_000)));
        let family = family(&house);
        if !family.is_empty() {
            kill_9(family[dice.below(family.len() as u64) as usize]);
        }
        // Whatever it was that died: nobody waits for ever.
        std::thread::sleep(Duration::from_millis(30));
        kill_9(child.id() as i32);
        child.wait().unwrap();
        if let Some(daemon) = daemon.as_mut().filter(|_| dice.below(4) == 0) {
            kill_9(daemon.0.id() as i32);
        }
        truth(&house, &format!("round {round} of KESAKO_SEED={seed}, after {line:?}"));
    }
    drop(daemon);
    nothing_is_left(&house);
}

/// Does not outlive the test, however that ends.
struct Daemon(std::process::Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        kill_9(self.0.id() as i32);
        // Of a daemon that is dead already there is nothing to be told.
        let _reaped = self.0.wait();
    }
}

/// The daemon, started if it is not there (any more).
fn daemon_at(house: &House, socket: &str, before: Option<Daemon>) -> Daemon {
    if let Some(mut before) = before
        && before.0.try_wait().unwrap().is_none()
    {
        return before;
    }
    let daemon = Daemon(house.spawn(&["daemon", "-H", socket]));
    eventually("the daemon listens", || house.output(&["-H", socket, "version"]).status.success());
    daemon
}

/// Whoever runs has its addresses, cables and ports, and nobody else has any.
fn truth(house: &House, when: &str) {
    // It takes a command to notice; and what is on its way out may take a moment more.
    let (mut seen, end) = (String::new(), std::time::Instant::now() + Duration::from_secs(8));
    eventually("what is held is held by who runs", || {
        let running = house.ok(&["ps", "-q", "--no-trunc"]);
        let running: BTreeSet<&str> = running.lines().collect();
        let leases = leases(&house.sandbox.root());
        let holders: BTreeSet<&str> = leases.iter().map(|lease| lease["container"].as_str().unwrap()).collect();
        let endpoints: BTreeSet<String> =
            leases.iter().map(|lease| format!("veth{}", &lease["endpoint"].as_str().unwrap()[..11])).collect();
        let cables: BTreeSet<String> = house
            .links()
            .lines()
            .filter(|link| link.starts_with("veth"))
            .map(|link| link.split('@').next().unwrap().to_owned())
            .collect();
        // No rule leads what comes by IPv6 to a container that has none.
        let by_rule = |port: &&serde_json::Value| !port["host"].as_str().unwrap().contains(':');
        let ports: usize =
            leases.iter().map(|lease| lease["ports"].as_array().unwrap().iter().filter(by_rule).count()).sum();
        let rules = house.rules_text();
        let elements = rules.lines().filter(|line| !line.trim_start().starts_with("type"));
        let mapped: usize = elements.map(|line| line.matches(" : ").count()).sum();
        let held = holders.is_subset(&running) && endpoints == cables && (ports == mapped || !installed("nft"));
        seen = format!("{holders:?} of {running:?}; {endpoints:?} and {cables:?}; {ports} and {mapped} ports");
        held || std::time::Instant::now() > end
    });
    assert!(std::time::Instant::now() <= end, "{when}: what is held is not held by who runs: {seen}");
}

/// What the leases say, one for each endpoint.
fn leases(root: &Path) -> Vec<serde_json::Value> {
    let folders = std::fs::read_dir(root.join("run/networks")).into_iter().flatten().flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    let of_ipv4 = files.filter(|file| file.file_name().to_str().unwrap().parse::<std::net::Ipv4Addr>().is_ok());
    of_ipv4.filter_map(|file| serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()).collect()
}

/// After everything has been removed as a user removes it.
fn nothing_is_left(house: &House) {
    for id in house.ok(&["ps", "-aq"]).lines() {
        house.output(&["rm", "-f", "-v", id]);
    }
    house.ok(&["network", "prune", "-f"]);
    house.ok(&["volume", "prune", "-a", "-f"]);
    assert_eq!(house.ok(&["volume", "ls", "-q"]), "");
    assert_eq!(house.ok(&["network", "ls", "--format", "{{.Name}}"]), "bridge\nhost\nnone");
    house.is_tidy();
    eventually("no process is left", || family(house).is_empty());
    assert_eq!(leases(&house.sandbox.root()), Vec::<serde_json::Value>::new());
    // Where everything was: names, volumes and networks can be had again.
    let volumes = std::fs::read_dir(house.sandbox.root().join("volumes")).into_iter().flatten().flatten();
    assert_eq!(volumes.filter(|entry| entry.path().join("_data").exists()).count(), 0);
    house.ok(&["network", "create", "--subnet", "10.77.0.0/24", "green"]);
    house.ok(&[
        "run",
        "--rm",
        "--name",
        "one",
        "--network",
        "green",
        "-p",
        "8080:80",
        "-p",
        "8081:80",
        "workbench",
        "true",
    ]);
    house.ok(&["network", "rm", "green"]);
    let listening = house.shell("cat /proc/net/tcp /proc/net/udp | grep -c '^ *[0-9]*:' || true");
    assert_eq!(listening.trim(), "0", "somebody still has a port");
}

/// A shim that was killed after its container: nobody is left who looks after the default network.
#[test]
fn the_next_command_removes_a_bridge_that_nobody_looks_after() {
    let Some(house) = House::new("the_next_command_removes_a_bridge_that_nobody_looks_after") else { return };
    let mut left = 0;
    for _ in 0..50 {
        house.ok(&["run", "--rm", "workbench", "true"]);
        // It waits a little, for a container seldom comes alone. On a busy machine we may come too late.
        family(&house).into_iter().for_each(kill_9);
        left += usize::from(house.links().contains("kes-"));
        house.ok(&["version"]);
        house.ok(&["ps"]);
        house.is_tidy();
        if left == 5 {
            return;
        }
    }
    panic!("it was too quick: of 50 shims that were killed, {left} left a bridge");
}

/// A creation that dies between the bridge and the record of the network.
#[test]
fn the_next_command_removes_the_bridge_of_a_network_that_never_was() {
    let Some(house) = House::new("the_next_command_removes_the_bridge_of_a_network_that_never_was") else { return };
    house.ok(&["network", "ls"]);
    for _ in 0..10 {
        let mut child = house.spawn(&["network", "create", "never"]);
        while child.try_wait().unwrap().is_none() && !house.links().contains("kes-") {}
        child.kill().unwrap();
        child.wait().unwrap();
        if house.ok(&["network", "ls", "-q", "-f", "name=never"]).is_empty() {
            house.is_tidy();
        } else {
            house.ok(&["network", "rm", "never"]);
        }
    }
    house.is_tidy();
}
