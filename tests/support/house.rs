//! A host with a network of its own, for the suites of networks: nothing in it depends on the machine's network, or harms it.
#![allow(dead_code, reason = "each suite uses its own part of this")]

use crate::support::{Sandbox, Who, eventually, installed, is_root, not_run};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The address of the host, and of the world behind it.
pub(crate) const HOST: &str = "198.51.100.1";
pub(crate) const WORLD: &str = "198.51.100.2";

/// A host with a network of its own: a sandbox, and a process that holds the namespace.
pub(crate) struct House {
    pub(crate) sandbox: Sandbox,
    /// What holds the namespaces.
    holders: Vec<std::process::Child>,
    /// Whose networks are the host's and the world's.
    pids: [u32; 2],
    /// The cable on the host's side.
    cable: &'static str,
}

impl House {
    /// None where this user may not have one.
    pub(crate) fn new(test: &str) -> Option<Self> {
        Self::of(Who::Me, test)
    }

    /// Where this user runs the binary. None where that may not be.
    pub(crate) fn of(who: Who, test: &str) -> Option<Self> {
        let holders = hold(test, 2)?;
        let pids = [holders[0].id(), holders[1].id()];
        Some(Self { sandbox: Sandbox::of(who), holders, pids, cable: "eth0" }.furnished())
    }

    /// The machine itself as the host, with a world of its own.
    pub(crate) fn on_the_machine(test: &str) -> Option<Self> {
        let holders = hold(test, 1)?;
        let pids = [std::process::id(), holders[0].id()];
        Some(Self { sandbox: Sandbox::new(), holders, pids, cable: "outside0" }.furnished())
    }

    /// The cable, and the addresses at its ends.
    fn furnished(self) -> Self {
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        for holder in &self.holders {
            let there = format!("/proc/{}/ns/net", holder.id());
            eventually("the namespace is made", || std::fs::read_link(&there).is_ok_and(|there| there != own));
        }
        let (world, cable) = (self.pids[1], self.cable);
        self.shell(&format!(
            "ip link set lo up; ip link add {cable} type veth peer name eth0 netns {world}; \
             ip addr add {HOST}/24 dev {cable}; ip link set {cable} up"
        ));
        self.world(&format!("ip link set lo up; ip addr add {WORLD}/24 dev eth0; ip link set eth0 up"));
        self
    }

    /// A command in the host's network.
    pub(crate) fn command(&self, holder: usize, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pids[holder])).arg("--").args(words);
        self.sandbox.surround(&mut command);
        command
    }

    /// The binary in the host's network, as the user whose it is.
    pub(crate) fn kesako(&self, words: &[&str]) -> Command {
        let (binary, uid) = self.sandbox.binary();
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pids[0]));
        if let Some(uid) = uid {
            command.args([format!("--setuid={uid}"), format!("--setgid={uid}")]);
        }
        command.arg("--").arg(binary).args(words);
        self.sandbox.surround(&mut command);
        command
    }

    /// Does something in the network of the host (0) or of the world (1): sockets that are made there stay there.
    pub(crate) fn within<T: Send>(&self, holder: usize, work: impl FnOnce() -> T + Send) -> T {
        within(&self.pids[holder].to_string(), work)
    }

    /// The same in the network of a container.
    pub(crate) fn within_container<T: Send>(&self, name: &str, work: impl FnOnce() -> T + Send) -> T {
        within(&self.ok(&["inspect", "-f", "{{.State.Pid}}", name]), work)
    }

    pub(crate) fn output(&self, words: &[&str]) -> Output {
        self.kesako(words).output().unwrap()
    }

    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.output(words);
        assert!(output.status.success(), "kesako {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn fails(&self, code: i32, words: &[&str]) -> String {
        let output = self.output(words);
        assert_eq!(output.status.code(), Some(code), "kesako {words:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// A script in the host's network; what it prints.
    pub(crate) fn shell(&self, script: &str) -> String {
        let output = self.command(0, &["sh", "-c", script]).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn world(&self, script: &str) -> String {
        let output = self.command(1, &["sh", "-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// A container that tells everybody who asks at port 80 its name.
    pub(crate) fn serve(&self, name: &str, flags: &[&str]) {
        let script = format!("while :; do printf '{name}' | nc -l -p 80; done");
        let mut words = vec!["run", "-d", "--name", name];
        words.extend_from_slice(flags);
        words.extend_from_slice(&["workbench", "sh", "-c", &script]);
        self.ok(&words);
    }

    /// What is heard at this place, from a script in the host, the world, or a container.
    pub(crate) fn hear(&self, place: &str, port: u16) -> String {
        hear(|script| self.shell(script), place, port)
    }

    pub(crate) fn links(&self) -> String {
        self.shell("ip -brief link | cut -d' ' -f1")
    }

    /// Starts it in the background.
    pub(crate) fn spawn(&self, words: &[&str]) -> std::process::Child {
        self.kesako(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// All rules, as far as there is somebody to tell them.
    pub(crate) fn rules_text(&self) -> String {
        if installed("nft") { self.shell("nft list ruleset") } else { String::new() }
    }

    pub(crate) fn rules(&self) -> String {
        if installed("nft") { self.shell("nft list tables") } else { String::new() }
    }

    /// Nothing of ours is left in the network. (On the machine there may be others: there it is this root's.)
    pub(crate) fn is_tidy(&self) {
        if self.pids[0] == std::process::id() {
            let records = std::fs::read_dir(self.sandbox.root().join("networks")).into_iter().flatten().flatten();
            for id in records.map(|record| record.file_name().into_string().unwrap()) {
                eventually("no bridge is left", || !self.links().contains(&id[..11]));
                eventually("no rule is left", || !self.rules().contains(&id[..12]));
            }
            return;
        }
        eventually("no link is left", || !self.links().contains("kes") && !self.links().contains("veth"));
        eventually("no rule is left", || !self.rules().contains("kesako"));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let ids = self.output(&["ps", "-aq", "--no-trunc"]);
        let ids = String::from_utf8_lossy(&ids.stdout).into_owned();
        for id in ids.lines() {
            self.output(&["rm", "-f", id]);
        }
        if !std::thread::panicking() {
            self.output(&["network", "prune", "-f"]);
            self.is_tidy();
        }
        for holder in &mut self.holders {
            // Its time would come anyway.
            let _gone = holder.kill();
            let _reaped = holder.wait();
        }
    }
}

/// Processes that hold a network namespace each. None where this user may not have one.
fn hold(test: &str, count: usize) -> Option<Vec<std::process::Child>> {
    if !is_root() || !installed("ip") || !installed("unshare") || !installed("nsenter") {
        not_run(test, "it takes root, and ip, unshare and nsenter");
        return None;
    }
    let hold = |_| {
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "3600"]).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    };
    Some((0..count).map(hold).collect())
}

/// A server in a shell loop is away for a moment between two callers.
pub(crate) fn hear(run: impl Fn(&str) -> String, place: &str, port: u16) -> String {
    let script = format!("busybox nc -w 2 {place} {port} </dev/null 2>/dev/null; true");
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let heard = run(&script);
        if !heard.is_empty() || Instant::now() > end {
            return heard;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Does something in the network of this process.
fn within<T: Send>(pid: &str, work: impl FnOnce() -> T + Send) -> T {
    let there = std::fs::File::open(format!("/proc/{pid}/ns/net")).unwrap();
    let visit = || {
        // This thread ends with the visit.
        nix::sched::setns(&there, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        work()
    };
    std::thread::scope(|scope| scope.spawn(visit).join().unwrap())
}
