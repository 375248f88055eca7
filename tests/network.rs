//! Networks, end to end: the binary in a network namespace of its own, with a cable to a "world" outside, so that nothing here
//! depends on the host's network or harms it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/house.rs"]
mod house;
mod support;

use house::{HOST, House, WORLD, hear};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use support::eventually;

fn in_container<'a>(house: &'a House, name: &'a str) -> impl Fn(&str) -> String + 'a {
    move |script| {
        let output = house.output(&["exec", name, "sh", "-c", &script.replace("busybox ", "")]);
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The bytes of `name` asked inside a container, sorted.
fn addresses(house: &House, container: &str, name: &str) -> Vec<String> {
    let answer = house.output(&["exec", container, "nslookup", name]);
    let text = String::from_utf8(answer.stdout).unwrap();
    let found =
        text.lines().skip_while(|line| !line.starts_with("Name:")).filter_map(|line| line.strip_prefix("Address"));
    let mut found: Vec<String> =
        found.map(|rest| rest.trim_start_matches(|c: char| !c.is_alphanumeric()).trim().to_owned()).collect();
    found.iter_mut().for_each(|line| *line = line.split(' ').next_back().unwrap_or_default().to_owned());
    found.sort();
    found
}

#[test]
fn a_container_on_the_default_network_reaches_the_world_and_has_no_names() {
    let Some(house) = House::new("a_container_on_the_default_network_reaches_the_world_and_has_no_names") else {
        return;
    };
    let hosts = house.ok(&["run", "--rm", "--hostname", "me", "workbench", "cat", "/etc/hosts"]);
    assert!(hosts.contains("172.17.0.2\tme"), "{hosts}");
    house.ok(&["run", "--rm", "workbench", "ping", "-c1", "-W2", WORLD]);
    assert!(!house.ok(&["run", "--rm", "workbench", "cat", "/etc/resolv.conf"]).contains("127.0.0.11"));
    house.serve("web", &[]);
    assert_eq!(hear(in_container(&house, "web"), "127.0.0.1", 80), "web");
    let own = house.ok(&[
        "inspect",
        "-f",
        "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Networks.bridge.Gateway}}",
        "web",
    ]);
    assert_eq!(own, "172.17.0.2 172.17.0.1");
    assert_eq!(house.hear("172.17.0.2", 80), "web");
    // No names there, as in Docker.
    let asked = house.output(&["run", "--rm", "workbench", "ping", "-c1", "-W1", "web"]);
    assert!(!asked.status.success());
    house.ok(&["rm", "-f", "web"]);
    house.is_tidy();
}

/// The lesson: two servers and two pingers, the same alias, two networks; each pinger finds its own server.
#[test]
fn the_same_alias_on_two_networks_is_two_servers() {
    let Some(house) = House::new("the_same_alias_on_two_networks_is_two_servers") else { return };
    for n in ["1", "2"] {
        let (network, server, pinger) = (format!("test-network-{n}"), format!("server-{n}"), format!("pinger-{n}"));
        house.ok(&["network", "create", &network]);
        house.serve(&server, &["--network", &network, "--network-alias", "test-server-node"]);
        house.ok(&["run", "-d", "--name", &pinger, "--network", &network, "workbench", "ping", "test-server-node"]);
    }
    for n in ["1", "2"] {
        let (network, server, pinger) = (format!("test-network-{n}"), format!("server-{n}"), format!("pinger-{n}"));
        let format = format!("{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}");
        let address = house.ok(&["inspect", "-f", &format, &server]);
        assert_eq!(addresses(&house, &pinger, "test-server-node"), [address.as_str()]);
        assert_eq!(hear(in_container(&house, &pinger), "test-server-node", 80), server);
        eventually("the ping is answered", || {
            house.ok(&["logs", &pinger]).contains(&format!("64 bytes from {address}"))
        });
        let other = if n == "1" { "server-2" } else { "server-1" };
        assert_eq!(addresses(&house, &pinger, other), [""; 0]);
    }
    // Not even by address.
    let other =
        house.ok(&["inspect", "-f", "{{(index .NetworkSettings.Networks \"test-network-2\").IPAddress}}", "server-2"]);
    let silent = house.output(&["exec", "pinger-1", "ping", "-c1", "-W1", &other]);
    assert!(!silent.status.success());
}

#[test]
fn an_alias_of_several_is_all_of_them_and_names_follow_who_comes_and_goes() {
    let Some(house) = House::new("an_alias_of_several_is_all_of_them_and_names_follow_who_comes_and_goes") else {
        return;
    };
    house.ok(&["network", "create", "--subnet", "10.88.0.0/24", "app"]);
    for name in ["one", "two"] {
        house.serve(name, &["--network", "app", "--network-alias", "node"]);
    }
    house.ok(&["run", "-d", "--name", "asks", "--network", "app", "workbench", "sleep", "600"]);
    assert_eq!(addresses(&house, "asks", "node"), ["10.88.0.2", "10.88.0.3"]);
    assert_eq!(addresses(&house, "asks", "two.app"), ["10.88.0.3"]);
    house.ok(&["rm", "-f", "one"]);
    assert_eq!(addresses(&house, "asks", "node"), ["10.88.0.3"]);
    house.ok(&["rename", "two", "second"]);
    assert_eq!(addresses(&house, "asks", "second"), ["10.88.0.3"]);
    assert_eq!(addresses(&house, "asks", "two"), [""; 0]);
    let reverse = house.ok(&["exec", "asks", "nslookup", "10.88.0.3"]);
    assert!(reverse.contains("second.app"), "{reverse}");
}

#[test]
fn published_ports_are_reached_and_in_use_they_are_dockers_error() {
    let Some(house) = House::new("published_ports_are_reached_and_in_use_they_are_dockers_error") else { return };
    house.serve("web", &["-p", "8080:80", "-p", "127.0.0.1:8081:80", "--expose", "9000"]);
    assert_eq!(house.hear("127.0.0.1", 8080), "web");
    assert_eq!(house.hear(HOST, 8080), "web");
    assert_eq!(hear(|script| house.world(script), HOST, 8080), "web");
    assert_eq!(house.hear("127.0.0.1", 8081), "web");
    assert_eq!(house.hear("::1", 8080), "web");
    assert_eq!(house.world(&format!("busybox nc -w 1 {HOST} 8081 </dev/null 2>/dev/null")), "");
    assert_eq!(house.ok(&["port", "web"]), "80/tcp -> 0.0.0.0:8080\n80/tcp -> 127.0.0.1:8081\n80/tcp -> [::]:8080");
    assert_eq!(house.ok(&["port", "web", "80"]), "0.0.0.0:8080\n127.0.0.1:8081\n[::]:8080");
    let shown = house.ok(&["ps", "--format", "{{.Ports}}"]);
    assert_eq!(shown, "9000/tcp, 0.0.0.0:8080->80/tcp, 127.0.0.1:8081->80/tcp, [::]:8080->80/tcp");
    let refusal = house.fails(125, &["run", "--name", "late", "-p", "8080:80", "workbench", "true"]);
    assert!(refusal.contains("Bind for 0.0.0.0:8080 failed: port is already allocated"), "{refusal}");
    house.ok(&["rm", "-f", "web"]);
    // The one that could not start can now.
    house.ok(&["start", "-a", "late"]);
    let any = house.ok(&["run", "-d", "--name", "any", "-P", "--expose", "80", "workbench", "sleep", "600"]);
    assert_eq!(any.len(), 64);
    let port: u16 = house.ok(&["port", "any", "80"]).rsplit(':').next().unwrap().parse().unwrap();
    assert!(port >= 32768);
    let refusal = house.fails(125, &["run", "-p", "8000-8001:80-82", "workbench", "true"]);
    assert!(
        refusal.contains("invalid ranges specified for container and host Ports: 80-82 and 8000-8001"),
        "{refusal}"
    );
}

#[test]
fn a_running_container_is_connected_and_disconnected() {
    let Some(house) = House::new("a_running_container_is_connected_and_disconnected") else { return };
    house.ok(&["network", "create", "--subnet", "10.88.0.0/24", "red"]);
    house.ok(&["network", "create", "--subnet", "10.99.0.0/24", "blue"]);
    house.serve("web", &["--network", "red", "--ip", "10.88.0.80"]);
    house.ok(&["run", "-d", "--name", "asks", "--network", "blue", "workbench", "sleep", "600"]);
    assert_eq!(addresses(&house, "asks", "web"), [""; 0]);
    house.ok(&["network", "connect", "--alias", "site", "--ip", "10.99.0.80", "blue", "web"]);
    assert_eq!(addresses(&house, "asks", "site"), ["10.99.0.80"]);
    assert_eq!(hear(in_container(&house, "asks"), "web", 80), "web");
    let again = house.fails(1, &["network", "connect", "blue", "web"]);
    assert!(again.contains("endpoint with name web already exists in network blue"), "{again}");
    let used = house.fails(1, &["network", "rm", "blue"]);
    assert!(used.contains("network blue has active endpoints"), "{used}");
    house.ok(&["network", "disconnect", "blue", "web"]);
    assert_eq!(addresses(&house, "asks", "web"), [""; 0]);
    let not_on = house.fails(1, &["network", "disconnect", "blue", "web"]);
    assert!(not_on.contains("is not connected to network blue"), "{not_on}");
    // A restart keeps the address that was asked for.
    house.ok(&["restart", "-t", "0", "web"]);
    assert_eq!(house.hear("10.88.0.80", 80), "web");
    // A container that does not run is connected for its next start.
    house.ok(&["stop", "-t", "0", "web"]);
    house.ok(&["network", "connect", "blue", "web"]);
    house.ok(&["start", "web"]);
    assert_eq!(addresses(&house, "asks", "web").len(), 1);
}

#[test]
fn subnets_and_addresses_in_use_are_refused() {
    let Some(house) = House::new("subnets_and_addresses_in_use_are_refused") else { return };
    let tell = |words: &[&str]| house.fails(1, words).trim().to_owned();
    house.ok(&["network", "create", "--subnet", "10.88.0.0/30", "small"]);
    let overlap = tell(&["network", "create", "--subnet", "10.88.0.0/16", "other"]);
    assert_eq!(
        overlap,
        "Error response from daemon: invalid pool request: Pool overlaps with other one on this address space"
    );
    assert!(tell(&["network", "create", "small"]).contains("network with name small already exists"));
    assert!(tell(&["network", "create", "bridge"]).contains("operation is not permitted on predefined bridge network"));
    assert!(tell(&["network", "create", "a b"]).contains("invalid network name"));
    assert!(tell(&["network", "create", "--subnet", "10.1.0.1/24", "odd"]).contains("it should be 10.1.0.0/24"));
    assert!(tell(&["network", "rm", "nope"]).contains("network nope not found"));
    assert!(tell(&["network", "rm", "host"]).contains("host is a pre-defined network and cannot be removed"));
    house.ok(&["run", "-d", "--name", "only", "--network", "small", "workbench", "sleep", "600"]);
    let full = house.fails(125, &["run", "--rm", "--network", "small", "workbench", "true"]);
    assert!(full.contains("no available IPv4 addresses on this network's address pools: small"), "{full}");
    let taken = house.fails(125, &["run", "--rm", "--network", "small", "--ip", "10.88.0.2", "workbench", "true"]);
    assert!(taken.contains("Address already in use"), "{taken}");
    let outside = house.fails(125, &["run", "--rm", "--network", "small", "--ip", "10.1.0.2", "workbench", "true"]);
    assert!(outside.contains("no configured subnet contains IP address 10.1.0.2"), "{outside}");
    assert!(
        house.fails(125, &["run", "--rm", "--network", "nope", "workbench", "true"]).contains("network nope not found")
    );
    // A network is looked for when the container starts, and may be made until then.
    house.ok(&[
        "create",
        "--name",
        "early",
        "--network",
        "late",
        "--network-alias",
        "bird",
        "workbench",
        "sleep",
        "600",
    ]);
    let missing = house.fails(1, &["start", "early"]);
    assert!(missing.contains("failed to set up container networking: network late not found"), "{missing}");
    let id = house.ok(&["network", "create", "late"]);
    house.ok(&["start", "early"]);
    let on = house.ok(&["inspect", "-f", "{{.NetworkSettings.Networks.late.NetworkID}}", "early"]);
    assert_eq!(on, id);
    assert_eq!(house.ok(&["exec", "early", "sh", "-c", "nslookup bird >/dev/null && echo sings"]), "sings");
    let default = house.fails(125, &["run", "--rm", "--ip", "172.17.0.9", "workbench", "true"]);
    assert!(default.contains("user-specified IP address is supported on user-defined networks only"), "{default}");
}

#[test]
fn modes_other_than_a_bridge() {
    let Some(house) = House::new("modes_other_than_a_bridge") else { return };
    let links = |mode: &str| house.ok(&["run", "--rm", "--network", mode, "workbench", "ls", "/sys/class/net"]);
    assert_eq!(links("none"), "lo");
    assert!(links("host").contains("eth0"));
    house.serve("web", &["--hostname", "web-host"]);
    assert_eq!(
        hear(
            |script| house.ok(&[
                "run",
                "--rm",
                "--network",
                "container:web",
                "workbench",
                "sh",
                "-c",
                &script.replace("busybox ", "")
            ]),
            "127.0.0.1",
            80
        ),
        "web"
    );
    let names = ["run", "--rm", "--network", "container:web", "workbench", "sh", "-c", "hostname; echo $HOSTNAME"];
    assert_eq!(house.ok(&names), "web-host\nweb-host");
    let conflict = house.fails(125, &["run", "--rm", "--network", "container:web", "-p", "80:80", "workbench", "true"]);
    assert!(conflict.contains("port publishing and the container type network mode"), "{conflict}");
}

/// Who shares a network is left with nothing of it when its owner ends: the address may be another's next.
#[test]
fn a_guest_in_a_network_does_not_keep_the_address_of_its_host() {
    let Some(house) = House::new("a_guest_in_a_network_does_not_keep_the_address_of_its_host") else { return };
    for end in [&["stop", "-t", "0", "owner"][..], &["rm", "-f", "owner"]] {
        house.output(&["run", "-d", "--name", "owner", "workbench", "sleep", "600"]);
        house.output(&["start", "owner"]);
        house.ok(&["run", "-d", "--name", "guest", "--network", "container:owner", "workbench", "sleep", "600"]);
        assert!(house.ok(&["exec", "guest", "ip", "-o", "-4", "addr"]).contains("172.17.0.2/"));
        house.ok(end);
        let addresses = house.ok(&["exec", "guest", "ip", "-o", "-4", "addr"]);
        assert!(!addresses.contains("172.17"), "{addresses}");
        house.is_tidy();
        house.ok(&["rm", "-f", "guest"]);
    }
}

#[test]
fn files_flags_and_several_networks() {
    let Some(house) = House::new("files_flags_and_several_networks") else { return };
    house.ok(&["network", "create", "--subnet", "10.88.0.0/24", "--internal", "inner"]);
    house.ok(&["network", "create", "--subnet", "10.99.0.0/24", "--ipv6", "outer"]);
    let script = "cat /etc/hosts /etc/resolv.conf; ip -o addr; ip route";
    let shown = house.ok(&[
        "run",
        "--rm",
        "--network",
        "inner",
        "--network",
        "name=outer,ip=10.99.0.50",
        "--add-host",
        "far:192.0.2.9",
        "--add-host",
        "host.kesako:host-gateway",
        "--mac-address",
        "02:42:00:00:00:99",
        "--dns-search",
        "lan",
        "--hostname",
        "me",
        "workbench",
        "sh",
        "-c",
        script,
    ]);
    for part in [
        "192.0.2.9\tfar",
        "10.99.0.1\thost.kesako",
        "10.88.0.2\tme",
        "10.99.0.50\tme",
        "nameserver 127.0.0.11",
        "search lan",
        "options ndots:0",
        "default via 10.99.0.1",
        " fd",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
    let shut = house.output(&["run", "--rm", "--network", "inner", "workbench", "ping", "-c1", "-W1", WORLD]);
    assert!(!shut.status.success());
    house.ok(&["run", "--rm", "--network", "outer", "workbench", "ping", "-c1", "-W2", WORLD]);
}

/// What a killed shim leaves is given back by the next command.
#[test]
fn a_killed_shim_leaves_no_address_no_port_and_no_link() {
    let Some(house) = House::new("a_killed_shim_leaves_no_address_no_port_and_no_link") else { return };
    for _ in 0..5 {
        house.serve("web", &["-p", "8080:80"]);
        // The parent of its first process (proc_pid_stat(5), field 4).
        let pid = house.ok(&["inspect", "-f", "{{.State.Pid}}", "web"]);
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let shim = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap();
        assert!(Command::new("kill").args(["-9", shim]).status().unwrap().success());
        eventually("it is seen to be dead", || house.ok(&["ps", "-q"]).is_empty());
        house.ok(&["ps"]);
        house.is_tidy();
        let address = house.ok(&["run", "--rm", "-p", "8080:80", "workbench", "sh", "-c", "ip -o -4 addr show eth0"]);
        assert!(address.contains("172.17.0.2/"), "{address}");
        house.ok(&["rm", "-f", "web"]);
    }
}

/// (`KESAKO_MANY=100` starts more than a quick run does.)
#[test]
fn many_start_at_once_each_with_its_own_address() {
    let Some(house) = House::new("many_start_at_once_each_with_its_own_address") else { return };
    house.ok(&["network", "create", "--subnet", "10.88.0.0/24", "app"]);
    let binary = env!("CARGO_BIN_EXE_kesako");
    let many = std::env::var("KESAKO_MANY").map_or(20, |many| many.parse().unwrap());
    let started: Vec<_> = (0..many)
        .map(|_| {
            house
                .command(0, &[binary, "run", "-d", "--network", "app", "workbench", "sleep", "600"])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for one in started {
        assert!(one.wait_with_output().unwrap().status.success());
    }
    let shown = house.ok(&["network", "inspect", "-f", "{{range .Containers}}{{.IPv4Address}} {{end}}", "app"]);
    let mut all: Vec<Ipv4Addr> =
        shown.split_whitespace().map(|text| text.split('/').next().unwrap().parse().unwrap()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), many, "{shown}");
}

#[test]
fn the_last_container_takes_the_default_network_along() {
    let Some(house) = House::new("the_last_container_takes_the_default_network_along") else { return };
    for _ in 0..3 {
        house.ok(&["run", "--rm", "workbench", "true"]);
    }
    house.is_tidy();
    house.fails(127, &["run", "--rm", "workbench", "no-such-command"]);
    house.is_tidy();
}

/// `--link`: a line in /etc/hosts and variables on the default network, where nothing has a name; a name that only one hears on
/// another.
#[test]
fn a_link_is_a_name_for_one_container_alone() {
    let Some(house) = House::new("a_link_is_a_name_for_one_container_alone") else { return };
    house.ok(&["run", "-d", "--name", "db", "--expose", "80", "-e", "A=1", "workbench", "sleep", "1000"]);
    let start = ["run", "-d", "--name", "web", "--link", "db:my-base", "workbench", "sleep", "1000"];
    house.ok(&start);
    let id = house.ok(&["inspect", "-f", "{{slice .Id 0 12}}", "db"]);
    let told = in_container(&house, "web")("env; cat /etc/hosts");
    for line in ["MY_BASE_PORT_80_TCP=tcp://172.17.0.2:80", "MY_BASE_NAME=/web/my-base", "MY_BASE_ENV_A=1"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(told.contains(&format!("172.17.0.2\tmy-base {id} db\n")), "{told}");
    assert_eq!(house.ok(&["inspect", "-f", "{{json .HostConfig.Links}}", "web"]), r#"["/db:/web/my-base"]"#);
    assert_eq!(house.ok(&["ps", "--no-trunc", "--filter", "name=db", "--format", "{{.Names}}"]), "db,web/my-base");

    // Started again with another address, it is found all the same.
    house.ok(&["stop", "-t", "0", "db"]);
    house.ok(&["run", "-d", "--name", "squatter", "workbench", "sleep", "1000"]);
    house.ok(&["start", "db"]);
    let address = house.ok(&["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "db"]);
    assert_ne!(address, "172.17.0.2");
    let hosts = || in_container(&house, "web")("cat /etc/hosts");
    eventually("the new address is in its hosts", || hosts().contains(&format!("{address}\tmy-base")));
    house.ok(&["stop", "-t", "0", "db", "web"]);
    let refused = house.output(&["start", "web"]);
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("Cannot link to a non running container: /db AS /web/my-base"), "{words}");
    house.ok(&["rm", "--link", "web/my-base"]);
    house.ok(&["start", "web"]);
    assert!(!hosts().contains("my-base"));
    for (flags, why) in [
        (&["--link", "nope:x"][..], "could not get container for nope: No such container: nope"),
        (&["--network", "host", "--link", "web"], "host type networking can't be used with links"),
        (&["--link", "a:b:c"], "bad format for links: a:b:c"),
    ] {
        let refused = house.output(&[&["run", "--rm"], flags, &["workbench", "true"]].concat());
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{refused:?}");
    }

    house.ok(&["network", "create", "own"]);
    house.ok(&["run", "-d", "--network", "own", "--name", "server", "workbench", "sleep", "1000"]);
    house.ok(&[
        "run",
        "-d",
        "--network",
        "own",
        "--link",
        "server:mine",
        "--name",
        "near",
        "workbench",
        "sleep",
        "1000",
    ]);
    house.ok(&["run", "-d", "--network", "own", "--name", "far", "workbench", "sleep", "1000"]);
    assert_eq!(addresses(&house, "near", "mine"), addresses(&house, "near", "server"));
    assert_eq!(addresses(&house, "near", "mine").len(), 1);
    assert_eq!(addresses(&house, "far", "mine").len(), 0);
    house.ok(&["network", "connect", "--link", "server:late", "own", "web"]);
    let late = in_container(&house, "web")("nslookup late 127.0.0.11");
    assert!(late.contains(&addresses(&house, "far", "server")[0]), "{late}");
    // As compose does it: the same links on every network of the container, whoever is on them.
    house.ok(&["network", "create", "lonely"]);
    house.ok(&["run", "-d", "--network", "lonely", "--link", "server", "--name", "both", "workbench", "sleep", "1000"]);
    house.ok(&["network", "connect", "--link", "server", "own", "both"]);
    assert_eq!(addresses(&house, "both", "server"), addresses(&house, "far", "server"));
    house.ok(&["rm", "-f", "db", "web", "squatter", "server", "near", "far", "both"]);
    house.ok(&["network", "rm", "own", "lonely"]);
    house.is_tidy();
}
