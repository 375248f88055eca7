//! Beside a real dockerd with its own bridge and rules: both work, and neither changes what is the other's.
//!
//! The same story is told three times: in a host with a network of its own, where dockerd is there before us or comes after
//! us, and on the machine itself. It takes dockerd, docker and iptables.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/house.rs"]
mod house;
mod support;

use house::{HOST, House, WORLD, hear};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};
use support::{eventually, installed, is_root, not_run};

/// A dockerd with networks, in the house's host.
struct Docker<'a> {
    house: &'a House,
    process: Child,
    folder: tempfile::TempDir,
}

impl<'a> Docker<'a> {
    /// # Errors
    /// It does not start here: why, to be told loudly.
    fn start(house: &'a House) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("kesako-beside-").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let socket = format!("unix://{}", at("d.sock"));
        let words = [
            "dockerd",
            "--host",
            &socket,
            "--data-root",
            &at("data"),
            "--exec-root",
            &at("exec"),
            "--pidfile",
            &at("pid"),
        ];
        let mut command = house.command(0, &words);
        let process = command.stdout(Stdio::null()).stderr(std::fs::File::create(at("log")).unwrap()).spawn();
        let mut docker = Self { house, process: process.map_err(|error| format!("dockerd: {error}"))?, folder };
        let end = Instant::now() + Duration::from_secs(60);
        while !docker.docker(&["version"]).status.success() {
            if let Some(status) = docker.process.try_wait().unwrap() {
                let log = std::fs::read_to_string(docker.at("log")).unwrap();
                return Err(format!(
                    "dockerd does not start here ({status}): {}",
                    log.lines().last().unwrap_or_default()
                ));
            }
            assert!(Instant::now() < end, "dockerd does not listen after a minute");
            std::thread::sleep(Duration::from_millis(50));
        }
        docker.import();
        Ok(docker)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn docker(&self, words: &[&str]) -> Output {
        let socket = format!("unix://{}", self.at("d.sock").display());
        self.house.command(0, &[&["docker", "--host", &socket], words].concat()).output().unwrap()
    }

    fn ok(&self, words: &[&str]) -> String {
        let output = self.docker(words);
        assert!(output.status.success(), "docker {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Our image, for it to run.
    fn import(&self) {
        let (id, tar) = (self.house.ok(&["create", "workbench"]), self.at("workbench.tar"));
        self.house.ok(&["export", "-o", tar.to_str().unwrap(), &id]);
        self.house.ok(&["rm", &id]);
        self.ok(&["import", tar.to_str().unwrap(), "workbench"]);
    }
}

impl Drop for Docker<'_> {
    fn drop(&mut self) {
        let containers = self.docker(&["ps", "-aq"]);
        for id in String::from_utf8_lossy(&containers.stdout).lines() {
            self.docker(&["rm", "-f", id]);
        }
        // SIGTERM: it ends its containerd.
        std::process::Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        self.process.wait().unwrap();
        for mount in ["exec/netns/default", "exec/netns"] {
            // It is not always mounted.
            let _unmounted =
                std::process::Command::new("umount").arg("-l").arg(self.at(mount)).stderr(Stdio::null()).status();
        }
        for tree in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            // Fails, as it should, where another daemon has a container.
            let _removed = std::fs::remove_dir(tree.path().join("docker"));
        }
    }
}

/// What iptables knows, less its counters: of others, for ours are in a table that it does not see.
fn rules(house: &House) -> Vec<String> {
    let saved = house.shell("iptables-save 2>/dev/null; ip6tables-save 2>/dev/null");
    let counted = |line: &str| line.split(" [").next().unwrap().to_owned();
    saved.lines().filter(|line| !line.starts_with('#')).map(counted).collect()
}

/// What is in the second and not in the first.
fn added(before: &[String], after: &[String]) -> Vec<String> {
    let mut before = before.to_vec();
    let is_new = |line: &&String| match before.iter().position(|known| known == *line) {
        Some(known) => {
            before.swap_remove(known);
            false
        }
        None => true,
    };
    after.iter().filter(is_new).cloned().collect()
}

fn can_run(test: &str) -> bool {
    let missing = ["dockerd", "docker", "iptables", "iptables-save"].into_iter().find(|program| !installed(program));
    let why = match missing {
        Some(program) => format!("{program} is not installed"),
        None if !is_root() => "it takes root".to_owned(),
        None => return true,
    };
    not_run(test, &why);
    false
}

/// Our container and Docker's, each by all the ways that lead to it.
fn both_are_reached(house: &House, docker: &Docker<'_>) {
    for (port, name) in [(8080, "ours"), (9090, "dockers")] {
        assert_eq!(house.hear("127.0.0.1", port), name);
        assert_eq!(house.hear(HOST, port), name);
        assert_eq!(hear(|script| house.world(script), HOST, port), name, "from another host");
    }
    let ping = ["ping", "-c1", "-W2", WORLD];
    house.ok(&[&["exec", "ours"], &ping[..]].concat());
    house.ok(&[&["run", "--rm", "workbench"], &ping[..]].concat());
    docker.ok(&[&["exec", "dockers"], &ping[..]].concat());
    // Two networks, apart from each other.
    let (ours, dockers) = (
        house.ok(&["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "ours"]),
        docker.ok(&["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "dockers"]),
    );
    assert_ne!(ours, dockers);
    assert!(!house.output(&["exec", "ours", "ping", "-c1", "-W1", &dockers]).status.success());
    assert!(!docker.docker(&["exec", "dockers", "ping", "-c1", "-W1", &ours]).status.success());
}

fn run_ours(house: &House) {
    house.serve("ours", &["-p", "8080:80"]);
}

fn run_dockers(docker: &Docker<'_>) {
    let script = "while :; do printf dockers | nc -l -p 80; done";
    docker.ok(&["run", "-d", "--name", "dockers", "-p", "9090:80", "workbench", "sh", "-c", script]);
}

#[test]
fn beside_a_dockerd_that_was_there_before() {
    let test = "beside_a_dockerd_that_was_there_before";
    let Some(house) = can_run(test).then(|| House::new(test)).flatten() else { return };
    // As most hosts are: then Docker drops what is forwarded and not its own.
    house.shell("echo 0 > /proc/sys/net/ipv4/ip_forward");
    let docker = match Docker::start(&house) {
        Ok(docker) => docker,
        Err(why) => return not_run(test, &why),
    };
    story(&house, &docker);
}

#[test]
fn beside_a_dockerd_that_comes_and_goes_while_our_containers_run() {
    let test = "beside_a_dockerd_that_comes_and_goes_while_our_containers_run";
    let Some(house) = can_run(test).then(|| House::new(test)).flatten() else { return };
    house.shell("echo 0 > /proc/sys/net/ipv4/ip_forward");
    run_ours(&house);
    assert_eq!(hear(|script| house.world(script), HOST, 8080), "ours");
    // We have switched forwarding on, so this Docker leaves the policy alone; others do not.
    let docker = match Docker::start(&house) {
        Ok(docker) => docker,
        Err(why) => return not_run(test, &why),
    };
    house.shell("iptables -P FORWARD DROP");
    run_dockers(&docker);
    both_are_reached(&house, &docker);
    docker.ok(&["rm", "-f", "dockers"]);
    drop(docker);
    assert_eq!(hear(|script| house.world(script), HOST, 8080), "ours");
    let before = rules(&house);
    assert!(before.iter().any(|line| line.contains("kes+")), "{before:?}");
    house.ok(&["rm", "-f", "ours"]);
    eventually("nothing of ours is left with others", || !rules(&house).iter().any(|line| line.contains("kes+")));
}

/// Firewalls of other kinds: each drops what is forwarded, in its own way; and is loaded anew, as happens.
#[test]
fn beside_firewalls_that_are_loaded_anew() {
    let test = "beside_firewalls_that_are_loaded_anew";
    let Some(house) = can_run(test).then(|| House::new(test)).flatten() else { return };
    if !installed("nft") {
        return not_run(test, "nft is not installed");
    }
    let ufw = "iptables -P FORWARD DROP; iptables -N ufw-before-forward; iptables -A FORWARD -j ufw-before-forward; \
               iptables -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
    let firewalld = "nft -f - <<'E'\ntable inet firewalld {\n chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept;\n \
                     ct state established,related accept\n iifname \"lo\" accept\n reject with icmpx admin-prohibited\n }\n}\nE\n";
    for (load, unload) in
        [(ufw, "iptables -F; iptables -X; iptables -P FORWARD ACCEPT"), (firewalld, "nft delete table inet firewalld")]
    {
        let reached = |when: &str| {
            assert_eq!(hear(|script| house.world(script), HOST, 8080), "ours", "{when}: {load}");
            house.ok(&["exec", "ours", "ping", "-c1", "-W2", WORLD]);
        };
        house.shell(load);
        let before = house.shell("nft -s list ruleset");
        run_ours(&house);
        reached("there before us");
        house.shell(&format!("{unload}; {load}"));
        eventually("room is made anew", || {
            house.rules_text().contains("kes*") || rules(&house).iter().any(|l| l.contains("kes+"))
        });
        reached("loaded anew");
        house.ok(&["rm", "-f", "ours"]);
        house.is_tidy();
        eventually("theirs is as it was", || house.shell("nft -s list ruleset") == before);
        house.shell(unload);
    }
}

/// On the machine itself. Everything that is changed there is put back.
#[test]
fn beside_a_dockerd_on_this_machine() {
    let test = "beside_a_dockerd_on_this_machine";
    if !can_run(test) {
        return;
    }
    if Path::new("/sys/class/net/docker0").exists() {
        return not_run(test, "there is a bridge docker0 already, which two dockerds cannot share");
    }
    let Some(house) = House::on_the_machine(test) else { return };
    let _machine = Machine::remember(&house);
    let docker = match Docker::start(&house) {
        Ok(docker) => docker,
        Err(why) => return not_run(test, &why),
    };
    // As Docker leaves it on a host that did not forward before.
    house.shell("iptables -P FORWARD DROP");
    story(&house, &docker);
}

/// The rules of the machine as they were, and what dockerd leaves behind.
struct Machine<'a> {
    house: &'a House,
    tables: String,
    rules: String,
}

impl<'a> Machine<'a> {
    fn remember(house: &'a House) -> Self {
        Self { house, tables: house.rules(), rules: house.shell("iptables-save") }
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        let saved = self.house.sandbox.path().join("rules");
        std::fs::write(&saved, &self.rules).unwrap();
        self.house.shell(&format!(
            "iptables -P FORWARD ACCEPT; for table in filter nat; do iptables -t $table -F; done; \
             for table in filter nat; do iptables -t $table -X; done; \
             iptables-restore < {}; ip link del docker0; ip link del outside0",
            saved.display()
        ));
        for table in ["table ip filter", "table ip nat"] {
            if installed("nft") && !self.tables.contains(table) {
                self.house.shell(&format!("nft delete {table}"));
            }
        }
    }
}

fn story(house: &House, docker: &Docker<'_>) {
    let before = rules(house);
    run_ours(house);
    let accepted = added(&before, &rules(house));
    let place = "-A DOCKER-USER";
    let ours = ["-i", "-o"].map(|way| format!("{place} {way} kes+ -m comment --comment kesako -j ACCEPT"));
    // (Another engine of ours on this machine may have made room already.)
    assert!(accepted == ours || before.iter().any(|line| line.contains("kes+")), "{accepted:?}");
    assert_eq!(added(&rules(house), &before), [""; 0], "nothing of theirs has gone");
    run_dockers(docker);
    both_are_reached(house, docker);
    // A second one of ours changes nothing more, and Docker's own comings and goings do not hurt ours.
    house.ok(&["network", "create", "mine"]);
    house.ok(&["run", "-d", "--name", "second", "--network", "mine", "-p", "8081:80", "workbench", "sleep", "600"]);
    docker.ok(&["network", "create", "theirs"]);
    docker.ok(&["run", "--rm", "--network", "theirs", "workbench", "ping", "-c1", "-W2", WORLD]);
    docker.ok(&["network", "rm", "theirs"]);
    both_are_reached(house, docker);
    docker.ok(&["rm", "-f", "dockers"]);
    house.ok(&["rm", "-f", "ours", "second"]);
    house.ok(&["network", "rm", "mine"]);
    let elsewhere = house.links().lines().any(|link| link.starts_with("kes"));
    house.is_tidy();
    if !elsewhere {
        eventually("their rules are as they were", || rules(house) == before);
    }
    let forwards = house.shell("cat /proc/sys/net/ipv4/ip_forward");
    assert_eq!(forwards.trim(), "1", "Docker still needs it");
}
