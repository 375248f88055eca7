//! `kesako daemon`: it can be ended, killed and replaced, and no container notices; and clients that leave cost nothing.
#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use support::{Sandbox, eventually};

/// A daemon of this sandbox, killed when dropped.
struct Daemon {
    process: Child,
    socket: PathBuf,
}

impl Daemon {
    fn start(sandbox: &Sandbox) -> Self {
        let socket = sandbox.path().join("k.sock");
        let process = sandbox.spawn(&["daemon", "-H", &host(&socket)]);
        let daemon = Self { process, socket };
        eventually("the daemon listens", || UnixStream::connect(&daemon.socket).is_ok());
        daemon
    }

    fn signal(&mut self, signal: &str) -> Option<i32> {
        Command::new("kill").args(["-s", signal, &self.process.id().to_string()]).status().unwrap();
        self.process.wait().unwrap().code()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap().count()
    }

    /// Their names; one may end while we look.
    fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let name = |task: std::io::Result<std::fs::DirEntry>| {
            Some(std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?.trim().to_owned())
        };
        tasks.filter_map(name).collect()
    }

    /// Clock ticks of processor time so far (proc(5): fields 14 and 15 of stat, which follow the name in brackets).
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _gone_already_if_it_fails = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn host(socket: &std::path::Path) -> String {
    format!("unix://{}", socket.display())
}

fn client<'a>(daemon: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [&["-H", daemon], args].concat()
}

#[test]
fn a_killed_daemon_loses_nothing_and_another_takes_over() {
    Sandbox::each(|sandbox| {
        let mut daemon = Daemon::start(sandbox);
        let to = host(&daemon.socket);
        let script = "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done";
        sandbox.ok(&client(&to, &["run", "-d", "--name", "web", "workbench", "sh", "-c", script]));
        daemon.signal("KILL");
        let refused = sandbox.fails(1, &client(&to, &["ps"]));
        assert!(refused.contains(&format!("Cannot connect to the Docker daemon at {to}")), "{refused}");
        // Without any daemon it is the same container.
        assert_eq!(sandbox.ok(&["exec", "web", "echo", "alone"]), "alone");

        let mut second = Daemon::start(sandbox);
        assert_eq!(sandbox.ok(&client(&to, &["exec", "web", "echo", "back"])), "back");
        assert_eq!(sandbox.ok(&client(&to, &["logs", "web"])), "up");
        sandbox.ok(&client(&to, &["stop", "web"]));
        assert_eq!(sandbox.ok(&client(&to, &["wait", "web"])), "5");
        sandbox.ok(&client(&to, &["rm", "web"]));
        assert_eq!(second.signal("TERM"), Some(0));
    });
}

#[test]
fn it_ends_cleanly_and_leaves_containers_running() {
    let sandbox = Sandbox::new();
    let mut daemon = Daemon::start(&sandbox);
    let found = std::fs::metadata(&daemon.socket).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.mode() & 0o007, 0, "others may not connect");
    let to = host(&daemon.socket);
    sandbox.ok(&client(&to, &["run", "-d", "--name", "stays", "workbench", "sleep", "1000"]));
    assert_eq!(daemon.signal("INT"), Some(0));
    assert!(!daemon.socket.exists());
    assert_eq!(sandbox.ok(&["ps", "--format", "{{.Names}}"]), "stays");
}

#[test]
fn two_daemons_do_not_share_a_socket() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    let refused = sandbox.fails(1, &["daemon", "-H", &host(&daemon.socket)]);
    assert!(refused.contains("a daemon listens there already"), "{refused}");
    UnixStream::connect(&daemon.socket).expect("the first is untouched");
}

#[test]
fn what_should_always_run_is_started_by_the_next_daemon() {
    let sandbox = Sandbox::new();
    for (name, policy) in
        [("always", "always"), ("kept", "unless-stopped"), ("stopped", "unless-stopped"), ("once", "no")]
    {
        sandbox.ok(&["run", "-d", "--name", name, "--restart", policy, "workbench", "sleep", "1000"]);
    }
    sandbox.ok(&["stop", "-t", "0", "stopped"]);
    for name in ["always", "kept", "once"] {
        kill_shim(&sandbox.ok(&["inspect", "--format", "{{.State.Pid}}", name]));
    }
    eventually("nothing runs", || sandbox.ok(&["ps", "-q"]).is_empty());
    let _daemon = Daemon::start(&sandbox);
    let running = || {
        let mut names: Vec<_> = sandbox.ok(&["ps", "--format", "{{.Names}}"]).lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    eventually("they run again", || running() == ["always", "kept"]);
}

/// As a host that loses power does to all shims.
fn kill_shim(init: &str) {
    let stat = std::fs::read_to_string(format!("/proc/{init}/stat")).unwrap();
    let parent = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap();
    assert!(Command::new("kill").args(["-s", "KILL", parent]).status().unwrap().success());
}

#[test]
fn clients_that_leave_are_forgotten() {
    let sandbox = Sandbox::new();
    let daemon = Daemon::start(&sandbox);
    let to = host(&daemon.socket);
    sandbox.ok(&client(&to, &["run", "-d", "--name", "quiet", "workbench", "sleep", "1000"]));
    sandbox.ok(&client(&to, &["ps"]));
    let before = daemon.files();
    let mut followers: Vec<Child> = Vec::new();
    for _ in 0..5 {
        for args in [&["logs", "-f", "quiet"][..], &["wait", "quiet"], &["events"], &["attach", "--no-stdin", "quiet"]]
        {
            followers.push(sandbox.spawn(&client(&to, args)));
        }
    }
    eventually("all follow", || daemon.files() >= before + followers.len());
    std::thread::sleep(std::time::Duration::from_secs(1)); // until each has asked all it asks
    let ticks = daemon.ticks();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(daemon.ticks() <= ticks + 1, "to wait costs no processor time");
    for follower in &mut followers {
        follower.kill().unwrap();
        follower.wait().unwrap();
    }
    eventually("their connections are closed", || daemon.files() <= before);
    eventually("their threads have ended", || !daemon.threads().iter().any(|name| name == "wait" || name == "events"));
}
