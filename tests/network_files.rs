//! What a container's `/etc/hosts` and `/etc/resolv.conf` say for each flag that is about them, on each kind of network; and that it is
//! what Docker's say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/house.rs"]
mod house;
mod support;

use house::House;
use std::process::{Command, Output, Stdio};
use support::{eventually, installed, not_run};

/// Networks of the house: the default one, one with names, and none; and the host's.
const NETWORKS: [&str; 4] = ["default", "named", "none", "host"];

const FLAGS: [&str; 15] = [
    "",
    "--dns 192.0.2.53",
    "--dns 192.0.2.53 --dns 192.0.2.54",
    "--dns-search lan --dns-search corp.example.",
    "--dns-search .",
    "--dns-search -lan",
    "--dns-search 1.2",
    "--dns-option ndots:2 --dns-option timeout:1",
    "--dns-opt use-vc --dns 192.0.2.53 --dns-search lan",
    "--dns 300.1.1.1",
    "--add-host a:192.0.2.9 --add-host b=192.0.2.10",
    "--add-host six:2001:db8::1 --add-host seven=[2001:db8::2]",
    "--add-host nocolon",
    "--add-host x:999.1.1.1",
    "--domainname lan.example",
];

fn words<'a>(network: &'a str, flags: &'a str) -> Vec<&'a str> {
    let mut words = vec!["run", "--rm", "--hostname", "me"];
    if network != "default" {
        words.extend(["--network", network]);
    }
    words.extend(flags.split_whitespace());
    words.extend([
        "workbench",
        "sh",
        "-c",
        "cat /etc/hosts; echo --; cat /etc/resolv.conf; echo --; cat /etc/hostname",
    ]);
    words
}

/// What was printed, as far as both mean the same by it.
fn shown(output: &Output) -> String {
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).replace("docker", "kesako");
        return format!("{}: {}", output.status.code().unwrap(), text.lines().next().unwrap_or_default());
    }
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    // The two engines' default networks are not the same. Old Docker writes fe00::0, and the search domains first.
    let text = text.replace("172.18.", "172.17.").replace("fe00::0\t", "fe00::\t").replace("ff00::0\t", "ff00::\t");
    let (hosts, rest) = text.split_once("--\n").unwrap();
    let (resolv_conf, hostname) = rest.split_once("--\n").unwrap();
    let mut resolv_conf: Vec<_> =
        resolv_conf.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    resolv_conf.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
    format!("{hosts}--\n{}\n--\n{hostname}", resolv_conf.join("\n"))
}

#[test]
fn hosts_and_resolv_conf_say_what_dockers_say() {
    let test = "hosts_and_resolv_conf_say_what_dockers_say";
    let Some(house) = House::new(test) else { return };
    // (Of two networks with the same subnet, Docker does not mind to make the second.)
    house.ok(&["network", "create", "--subnet", "10.66.0.0/24", "named"]);
    let Some(docker) = Docker::start(&house, test) else { return };
    let mut different = String::new();
    for network in NETWORKS {
        for flags in FLAGS {
            let words = words(network, flags);
            let (ours, theirs) =
                (shown(&house.output(&words)), shown(&docker.command(&house, &words).output().unwrap()));
            if ours != theirs {
                different += &format!("\n{network}, {flags}\n-- ours\n{ours}-- docker's\n{theirs}");
            }
        }
    }
    assert!(different.is_empty(), "{different}");
}

/// Where we differ from Docker, on purpose: its `host-gateway` is its own default bridge, which from another network is a wall.
#[test]
fn the_host_has_a_name_where_it_can_be_reached() {
    let Some(house) = House::new("the_host_has_a_name_where_it_can_be_reached") else { return };
    house.ok(&["network", "create", "--subnet", "10.66.0.0/24", "named"]);
    let page = tempfile::tempdir().unwrap();
    std::fs::write(page.path().join("who"), "host\n").unwrap();
    let folder = page.path().display().to_string();
    let mut server = house.command(0, &["busybox", "httpd", "-f", "-p", "7777", "-h", &folder]);
    let _server = Ended(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    for network in ["bridge", "named", "host"] {
        let words = ["run", "--rm", "--network", network, "--add-host", "here:host-gateway", "workbench", "sh", "-c"];
        let script = "for i in 1 2 3 4 5 6; do wget -q -O - http://here:7777/who && break; sleep 0.2; done";
        let heard = house.output(&[&words[..], &[script]].concat());
        assert_eq!(String::from_utf8_lossy(&heard.stdout), "host\n", "{network}: {heard:?}");
    }
    let refused =
        house.fails(125, &["run", "--rm", "--network", "none", "--add-host", "here:host-gateway", "workbench", "true"]);
    assert!(refused.contains("host-gateway"), "{refused}");
}

/// `--ip6`: the address that was wished for, where a network has such addresses.
#[test]
fn an_address_of_ipv6_is_given_as_wished() {
    let Some(house) = House::new("an_address_of_ipv6_is_given_as_wished") else { return };
    house.ok(&["network", "create", "--ipv6", "--subnet", "10.66.0.0/24", "--subnet", "fd00:66::/64", "six"]);
    let run = |address, script| {
        house.output(&[
            "run",
            "--rm",
            "--network",
            "six",
            "--ip6",
            address,
            "--hostname",
            "me",
            "workbench",
            "sh",
            "-c",
            script,
        ])
    };
    let given = run("fd00:66::99", "ip -6 -o addr show eth0; cat /etc/hosts; ping6 -c1 -W2 fd00:66::1");
    let text = String::from_utf8_lossy(&given.stdout);
    assert!(
        given.status.success() && text.contains("inet6 fd00:66::99/64") && text.contains("fd00:66::99\tme"),
        "{given:?}"
    );
    for (address, words) in [
        ("fd00:77::1", "no configured subnet contains IP address fd00:77::1"),
        ("fd00:66::1", "Address already in use"),
        ("10.66.0.9", "10.66.0.9"),
    ] {
        let refused = run(address, "true");
        assert_eq!(refused.status.code(), Some(125));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(words), "{address}: {refused:?}");
    }
}

/// On a network where containers are to be kept apart they are, also where the kernel asks no rule about what stays on a bridge.
#[test]
fn containers_are_kept_apart_without_br_netfilter() {
    let Some(house) = House::new("containers_are_kept_apart_without_br_netfilter") else { return };
    house.shell("for file in /proc/sys/net/bridge/bridge-nf-call-ip*; do [ ! -e $file ] || echo 0 >$file; done");
    house.ok(&["network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "shy"]);
    house.serve("web", &["--network", "shy", "-p", "8080:80"]);
    assert_eq!(house.hear("127.0.0.1", 8080), "web");
    let address = house.ok(&["inspect", "-f", "{{.NetworkSettings.Networks.shy.IPAddress}}", "web"]);
    let reach = |network| {
        house
            .output(&["run", "--rm", "--network", network, "workbench", "ping", "-c1", "-W1", &address])
            .status
            .success()
    };
    assert!(!reach("shy"), "containers of this network reach each other");
    house.ok(&["network", "create", "open"]);
    house.ok(&["network", "connect", "open", "web"]);
    let address = house.ok(&["inspect", "-f", "{{.NetworkSettings.Networks.open.IPAddress}}", "web"]);
    assert!(
        house
            .output(&["run", "--rm", "--network", "open", "workbench", "ping", "-c1", "-W2", &address])
            .status
            .success()
    );
    house.ok(&["rm", "-f", "web"]);
}

struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may be over already.
        let _over = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// A dockerd in the network of a house, with networks of its own.
struct Docker {
    process: std::process::Child,
    folder: tempfile::TempDir,
}

impl Docker {
    fn start(house: &House, test: &str) -> Option<Self> {
        if !installed("dockerd") || !installed("docker") || !installed("iptables") {
            not_run(test, "it takes docker, dockerd and iptables");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("kesako-dockerd-").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let socket = format!("unix://{}", at("d.sock"));
        let (data, exec, pid) = (at("data"), at("exec"), at("pid"));
        // What it mounts on /run/docker is nobody else's.
        let words = [
            "unshare",
            "--mount",
            "dockerd",
            "--host",
            &socket,
            "--data-root",
            &data,
            "--exec-root",
            &exec,
            "--pidfile",
            &pid,
        ];
        let log = std::fs::File::create(at("log")).unwrap();
        let mut command = house.command(0, &[&words[..], &["--bip", "172.17.0.1/16"]].concat());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let docker = Self { process, folder };
        eventually("dockerd answers", || docker.command(house, &["version"]).output().unwrap().status.success());
        house.ok(&["run", "--rm", "--network", "none", "workbench", "true"]);
        let archive = docker.folder.path().join("workbench.tar").display().to_string();
        house.ok(&["save", "-o", &archive, "workbench"]);
        for words in [&["load", "-qi", &archive][..], &["network", "create", "--subnet", "10.66.0.0/24", "named"]] {
            let output = docker.command(house, words).output().unwrap();
            assert!(output.status.success(), "docker {words:?}: {output:?}");
        }
        Some(docker)
    }

    fn command(&self, house: &House, words: &[&str]) -> Command {
        let socket = format!("unix://{}", self.folder.path().join("d.sock").display());
        house.command(0, &[&["docker", "-H", &socket][..], words].concat())
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // SIGTERM: it ends its containers and its containerd.
        let _over = Command::new("kill").arg(self.process.id().to_string()).status();
        self.process.wait().unwrap();
    }
}
