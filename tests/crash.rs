//! SIGKILL for each process of the family, at chosen and at random moments: the next command shows the truth and clears
//! away what is left.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{Sandbox, eventually};

fn kill_9(pid: i32) {
    // It may have ended in this very moment.
    let _ended = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

fn state(sandbox: &Sandbox, name: &str) -> String {
    sandbox.ok(&["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}", name])
}

fn pid_of(sandbox: &Sandbox, name: &str) -> i32 {
    sandbox.ok(&["inspect", "-f", "{{.State.Pid}}", name]).parse().unwrap()
}

/// The parent of a container's first process is its shim (proc_pid_stat(5), field 4).
fn parent(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// The cgroups whose name is one of these containers'.
fn cgroups(ids: &BTreeSet<String>) -> Vec<PathBuf> {
    fn walk(folder: &Path, depth: usize, ids: &BTreeSet<String>, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if ids.contains(&*entry.file_name().to_string_lossy()) {
                    found.push(entry.path());
                }
                if depth > 0 {
                    walk(&entry.path(), depth - 1, ids, found);
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), 4, ids, &mut found);
    found
}

#[test]
fn a_killed_shim_takes_its_container_along_and_the_state_says_so() {
    Sandbox::each(|sandbox| {
        let id = sandbox.ok(&["run", "-d", "--name", "up", "workbench", "sh", "-c", "sleep 100 & sleep 100"]);
        let init = pid_of(sandbox, "up");
        kill_9(parent(init));
        eventually("its init dies with it", || !is_alive(init));
        assert_eq!(state(sandbox, "up"), "exited 137 0");
        assert_eq!(cgroups(&BTreeSet::from([id])), Vec::<PathBuf>::new());
        assert!(sandbox.fails(1, &["exec", "up", "true"]).contains("is not running"));
        assert!(sandbox.ok(&["ps", "-a"]).contains("Exited (137)"));
        sandbox.ok(&["start", "up"]);
        assert!(state(sandbox, "up").starts_with("running 0 "));
        sandbox.ok(&["rm", "-f", "up"]);
    });
}

#[test]
fn a_killed_shim_is_told_to_those_who_wait() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "-d", "--name", "up", "workbench", "sleep", "100"]);
    let waiting = sandbox.spawn(&["wait", "up"]);
    let following = sandbox.spawn(&["logs", "-f", "up"]);
    let attached = sandbox.spawn(&["attach", "--no-stdin", "up"]);
    std::thread::sleep(Duration::from_millis(300));
    kill_9(parent(pid_of(&sandbox, "up")));
    assert_eq!(waiting.wait_with_output().unwrap().stdout, b"137\n");
    assert!(following.wait_with_output().unwrap().status.success());
    assert_eq!(attached.wait_with_output().unwrap().status.code(), Some(137));
}

#[test]
fn a_killed_shim_removes_what_rm_would_have_removed() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "-d", "--rm", "--name", "up", "workbench", "sleep", "100"]);
    kill_9(parent(pid_of(&sandbox, "up")));
    eventually("the container is gone", || sandbox.ok(&["ps", "-aq"]).is_empty());
    // The name is free again.
    sandbox.ok(&["run", "--rm", "--name", "up", "workbench", "true"]);
}

#[test]
fn a_killed_init_is_an_exit_like_any_other() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "-d", "--name", "up", "workbench", "sleep", "100"]);
    let init = pid_of(&sandbox, "up");
    let shim = parent(init);
    kill_9(init);
    assert_eq!(sandbox.ok(&["wait", "up"]), "137");
    assert_eq!(state(&sandbox, "up"), "exited 137 0");
    eventually("the shim ends", || !is_alive(shim));
}

#[test]
fn a_container_outlives_its_command_line() {
    let sandbox = Sandbox::new();
    let mut foreground = sandbox.spawn(&["run", "--name", "up", "workbench", "sh", "-c", "sleep 1; echo late"]);
    eventually("it runs", || !sandbox.ok(&["ps", "-q"]).is_empty());
    foreground.kill().unwrap();
    foreground.wait().unwrap();
    assert_eq!(sandbox.ok(&["wait", "up"]), "0");
    assert_eq!(sandbox.ok(&["logs", "up"]), "late");
}

#[test]
fn a_container_that_always_runs_is_taken_up_by_the_next_daemon() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "-d", "--restart", "always", "--name", "up", "workbench", "sleep", "100"]);
    kill_9(parent(pid_of(&sandbox, "up")));
    eventually("it has ended", || state(&sandbox, "up") == "exited 137 0");
    // What cannot be read keeps no other from running.
    let damaged = sandbox.root().join("containers").join(sandbox.ok(&["create", "workbench"])).join("state.json");
    std::fs::write(&damaged, "{").unwrap();
    let socket = format!("unix://{}", sandbox.path().join("d.sock").display());
    let mut daemon = sandbox.spawn(&["daemon", "-H", &socket]);
    eventually("it runs again", || state(&sandbox, "up").starts_with("running"));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(state(&sandbox, "up").starts_with("running"));
    std::fs::remove_file(damaged).unwrap();
}

/// The whole family of a root: command lines, shims and what runs in their containers.
fn family(sandbox: &Sandbox) -> Vec<i32> {
    let needle = sandbox.root().to_str().unwrap().to_owned();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids: Vec<i32> = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let speaks = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&needle)
    };
    let shims: Vec<i32> = pids.iter().copied().filter(speaks).collect();
    let children = pids.iter().copied().filter(|pid| {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|_| shims.contains(&parent_or_none(*pid)))
    });
    shims.iter().copied().chain(children).collect()
}

fn parent_or_none(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// A small generator (Knuth's constants), so that a failure can be had again from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn kill_9_at_random_moments() {
    let seed =
        std::env::var("KESAKO_SEED").map_or_else(|_| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    let rounds = std::env::var("KESAKO_ROUNDS").map_or(40, |rounds| rounds.parse().unwrap());
    eprintln!("KESAKO_SEED={seed}");
    let mut dice = Dice(seed);
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "--rm", "workbench", "true"]);
    let mut ids = BTreeSet::new();
    let commands: [&[&str]; 9] = [
        &["run", "-d", "--name", "one", "workbench", "sleep", "100"],
        &["run", "--rm", "--name", "two", "workbench", "sh", "-c", "echo hi; sleep 0.02"],
        &["run", "-d", "--rm", "workbench", "sleep", "100"],
        &["run", "-d", "--restart", "always", "--name", "three", "workbench", "false"],
        &["start", "one"],
        &["stop", "-t", "0", "one"],
        &["exec", "one", "true"],
        &["restart", "-t", "0", "one"],
        &["rm", "-f", "one"],
    ];
    for round in 0..rounds {
        let command = commands[dice.below(commands.len() as u64) as usize];
        let mut child = sandbox.spawn(command);
        std::thread::sleep(Duration::from_micros(dice.below(60_000)));
        let family = family(&sandbox);
        if !family.is_empty() {
            kill_9(family[dice.below(family.len() as u64) as usize]);
        }
        // Whatever it was that died: nobody waits for ever.
        std::thread::sleep(Duration::from_millis(30));
        kill_9(child.id() as i32);
        child.wait().unwrap();
        ids.extend(sandbox.ok(&["ps", "-aq", "--no-trunc"]).lines().map(str::to_owned));
        truth(&sandbox, &format!("round {round}, after {command:?}"));
    }
    sandbox.output(&["rm", "-f", "one", "two", "three"]);
    for id in sandbox.ok(&["ps", "-aq"]).lines() {
        sandbox.ok(&["rm", "-f", id]);
    }
    eventually("no cgroup is left", || cgroups(&ids).is_empty());
    for name in ["one", "two", "three"] {
        sandbox.ok(&["run", "--rm", "--name", name, "workbench", "true"]);
    }
}

/// What `ps` says is running runs, and what it says has ended has no process.
fn truth(sandbox: &Sandbox, when: &str) {
    for line in sandbox.ok(&["ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}}"]).lines() {
        let (id, _) = line.split_once(' ').unwrap();
        // It may end, or be removed, between two looks; so each is looked at until two looks agree.
        eventually(&format!("{when}: {line} is the truth"), || {
            let inspect = sandbox.output(&["inspect", "-f", "{{.State.Status}} {{.State.Pid}}", id]);
            let text = String::from_utf8_lossy(&inspect.stdout).trim().to_owned();
            match text.split_once(' ') {
                Some(("running", pid)) => is_alive(pid.parse().unwrap()),
                Some((_, pid)) => pid == "0",
                None => String::from_utf8_lossy(&inspect.stderr).contains("No such"),
            }
        });
    }
}

#[test]
fn a_rename_that_was_killed_can_be_done_again() {
    Sandbox::each(|sandbox| {
        let id = sandbox.ok(&["create", "--name", "old", "workbench", "true"]);
        // The name was reserved, and then its reserver was killed.
        let names = sandbox.root().join("names");
        std::os::unix::fs::symlink(Path::new("../containers").join(&id), names.join("new")).unwrap();
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.Name}}", "old"]), "/old");
        sandbox.ok(&["rename", "old", "new"]);
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.Name}}", "new"]), "/new");
        sandbox.ok(&["rm", "new"]);
        sandbox.ok(&["create", "--name", "old", "workbench", "true"]);
        sandbox.ok(&["rm", "old"]);
    });
}
