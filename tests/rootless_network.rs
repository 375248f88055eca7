//! Networks of an ordinary user, end to end: the same as root's among containers, and a way to the world that takes no rights.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/house.rs"]
mod house;
mod support;

use house::{HOST, House, WORLD, hear};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;
use support::{Who, eventually};

fn house(test: &str) -> Option<House> {
    House::of(Who::Ordinary, test)
}

/// Somebody in the host (0) or the world (1) who tells this to everybody who connects.
fn says(house: &House, holder: usize, address: &str, what: &'static str) {
    let listener = house.within(holder, || TcpListener::bind(address).unwrap());
    std::thread::spawn(move || {
        for mut caller in listener.incoming().flatten() {
            // Who is gone has heard enough.
            let _heard = caller.write_all(what.as_bytes());
        }
    });
}

/// Somebody in the world who listens to the end, and then sends everything back.
fn echoes(house: &House, address: &str) {
    let listener = house.within(1, || TcpListener::bind(address).unwrap());
    std::thread::spawn(move || {
        for mut caller in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut all = Vec::new();
                caller.read_to_end(&mut all).unwrap();
                caller.write_all(&all).unwrap();
            });
        }
    });
}

/// A name server: for it, every name has this address (RFC 1035, 4.1).
fn names(socket: UdpSocket, says: [u8; 4]) {
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            let mut answer = buffer[..count].to_vec();
            let is_a = answer.get(count - 4..count - 2) == Some(&[0, 1]);
            (answer[2], answer[3]) = (0x81, 0x80);
            if is_a {
                answer[7] = 1;
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(says);
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
}

/// The address that is told for a name by who answers at this place of the host.
fn ask_for_name(house: &House, place: &str) -> Option<[u8; 4]> {
    let socket = house.within(0, || UdpSocket::bind("0.0.0.0:0").unwrap());
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let question = [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3][..], b"web", &[0, 0, 1, 0, 1]].concat();
    socket.send_to(&question, place).unwrap();
    let mut buffer = [0; 512];
    let count = socket.recv(&mut buffer).ok()?;
    buffer[..count].last_chunk().copied()
}

/// What a container hears there.
fn hear_from_container(house: &House, flags: &[&str], place: &str, port: u16) -> String {
    let listen = |script: &str| {
        let script = script.replace("busybox ", "");
        let words = [&["run", "--rm"], flags, &["workbench", "sh", "-c", &script]].concat();
        String::from_utf8(house.output(&words).stdout).unwrap()
    };
    hear(listen, place, port)
}

/// The process that speaks for the containers.
fn outside(house: &House) -> Option<u32> {
    let needle = house.sandbox.root().join("run").to_str().unwrap().to_owned();
    std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        (line.starts_with("kesako-net\0") && line.contains(&needle)).then_some(pid)
    })
}

#[test]
fn the_world_is_reached_by_tcp_and_udp_and_what_is_not_there_is_told() {
    let Some(house) = house("the_world_is_reached_by_tcp_and_udp_and_what_is_not_there_is_told") else { return };
    says(&house, 1, "0.0.0.0:7000", "the world");
    assert_eq!(hear_from_container(&house, &[], WORLD, 7000), "the world");
    // Of the world's name server, and by the container's own, which asks that one.
    names(house.within(1, || UdpSocket::bind("0.0.0.0:53").unwrap()), [203, 0, 113, 9]);
    let told = house.ok(&["run", "--rm", "workbench", "nslookup", "-type=a", "far.example", WORLD]);
    assert!(told.contains("203.0.113.9"), "{told}");
    house.ok(&["network", "create", "named"]);
    let words =
        ["run", "--rm", "--network", "named", "--dns", WORLD, "workbench", "nslookup", "-type=a", "far.example"];
    let told = house.ok(&words);
    assert!(told.contains("203.0.113.9") && told.contains("127.0.0.11"), "{told}");
    let tell = |place: &str, port: u16| {
        let script = format!("nc -w 5 {place} {port} 2>&1; true");
        house.ok(&["run", "--rm", "workbench", "sh", "-c", &script])
    };
    assert!(tell(WORLD, 7999).contains("Connection refused"));
    // Nobody is there.
    let told = tell("192.0.2.77", 80);
    assert!(told.contains("No route to host"), "{told}");
    // The host by one of its addresses; not its loopback, whatever one calls it.
    says(&house, 0, "0.0.0.0:7002", "host");
    says(&house, 0, "127.0.0.1:7003", "own");
    assert_eq!(hear_from_container(&house, &[], HOST, 7002), "host");
    assert_eq!(hear_from_container(&house, &["--add-host", "host:host-gateway"], "host", 7002), "host");
    assert_eq!(house.hear("127.0.0.1", 7003), "own");
    for place in [HOST, "192.0.0.1", "192.0.0.2", "127.0.0.1"] {
        assert!(!tell(place, 7003).contains("own"), "{place}");
    }
}

#[test]
fn a_long_talk_comes_whole_both_ways() {
    let Some(house) = house("a_long_talk_comes_whole_both_ways") else { return };
    let size = 64 << 20;
    echoes(&house, "0.0.0.0:7000");
    let script = format!(
        "for i in 1 2 3; do head -c {size} /dev/urandom > /tmp/there; nc -w 20 {WORLD} 7000 < /tmp/there > /tmp/back; \
         cmp /tmp/there /tmp/back && echo same; done"
    );
    assert_eq!(house.ok(&["run", "--rm", "workbench", "sh", "-c", &script]), "same\nsame\nsame");
}

#[test]
fn published_ports_are_reached_from_the_host_and_the_world() {
    let Some(house) = house("published_ports_are_reached_from_the_host_and_the_world") else { return };
    let flags = [
        "-p",
        "8080:80",
        "-p",
        "127.0.0.1:8081:80",
        "-p",
        "8090-8091:90-91",
        "-p",
        "8053:53/udp",
        "--restart",
        "always",
    ];
    house.serve("web", &flags);
    assert_eq!(house.hear("127.0.0.1", 8080), "web");
    assert_eq!(house.hear("::1", 8080), "web");
    assert_eq!(house.hear(HOST, 8080), "web");
    assert_eq!(hear(|script| house.world(script), HOST, 8080), "web");
    assert_eq!(house.hear("127.0.0.1", 8081), "web");
    assert_eq!(house.world(&format!("busybox nc -w 1 {HOST} 8081 </dev/null 2>/dev/null")), "");
    let shown = "53/udp -> 0.0.0.0:8053\n53/udp -> [::]:8053\n80/tcp -> 0.0.0.0:8080\n80/tcp -> 127.0.0.1:8081\n80/tcp -> [::]:8080\n\
                 90/tcp -> 0.0.0.0:8090\n90/tcp -> [::]:8090\n91/tcp -> 0.0.0.0:8091\n91/tcp -> [::]:8091";
    assert_eq!(house.ok(&["port", "web"]), shown);
    let refusal = house.fails(125, &["run", "--rm", "-p", "8080:80", "workbench", "true"]);
    assert!(refusal.contains("Bind for 0.0.0.0:8080 failed: port is already allocated"), "{refusal}");
    let refusal = house.fails(125, &["run", "--rm", "-p", "80:80", "workbench", "true"]);
    assert!(refusal.contains("ip_unprivileged_port_start"), "{refusal}");
    // By itself, or by somebody's will: it begins again with the same ports.
    house.ok(&["exec", "web", "sh", "-c", "kill -9 -1; true"]);
    assert_eq!(house.hear("127.0.0.1", 8080), "web");
    house.ok(&["restart", "-t", "0", "web"]);
    assert_eq!(house.hear("127.0.0.1", 8080), "web");
    // A datagram in, and its answer out.
    let inside = house.within_container("web", || UdpSocket::bind("0.0.0.0:53").unwrap());
    names(inside, [203, 0, 113, 7]);
    eventually("a name is told", || ask_for_name(&house, "127.0.0.1:8053") == Some([203, 0, 113, 7]));
    house.ok(&["rm", "-f", "web"]);
    house.ok(&["run", "--rm", "-P", "--expose", "80", "-p", "8080:80", "workbench", "true"]);
}

#[test]
fn networks_have_names_and_keep_apart_and_containers_come_and_go() {
    let Some(house) = house("networks_have_names_and_keep_apart_and_containers_come_and_go") else { return };
    for n in ["1", "2"] {
        let (network, server) = (format!("net-{n}"), format!("server-{n}"));
        house.ok(&["network", "create", &network]);
        house.serve(&server, &["--network", &network, "--network-alias", "node"]);
    }
    for n in ["1", "2"] {
        let network = format!("net-{n}");
        assert_eq!(hear_from_container(&house, &["--network", &network], "node", 80), format!("server-{n}"));
    }
    let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let other = house.ok(&["inspect", "-f", address, "server-2"]);
    let silent = house.output(&["run", "--rm", "--network", "net-1", "workbench", "ping", "-c1", "-W1", &other]);
    assert!(!silent.status.success(), "{silent:?}");
    // Until it is on both.
    house.ok(&["network", "connect", "--alias", "second", "net-1", "server-2"]);
    assert_eq!(hear_from_container(&house, &["--network", "net-1"], "second", 80), "server-2");
    house.ok(&["network", "disconnect", "net-1", "server-2"]);
    let shared = ["--network", "container:server-1"];
    assert_eq!(hear_from_container(&house, &shared, "127.0.0.1", 80), "server-1");
    let used = house.fails(1, &["network", "rm", "net-1"]);
    assert!(used.contains("network net-1 has active endpoints"), "{used}");
    house.ok(&["rm", "-f", "server-1", "server-2"]);
    house.ok(&["network", "rm", "net-1", "net-2"]);
}

/// Each of many that start at once, where nothing is there yet, finds the same network.
#[test]
fn many_that_start_at_once_are_on_one_network() {
    let Some(house) = house("many_that_start_at_once_are_on_one_network") else { return };
    let started: Vec<_> = (0..8)
        .map(|n| {
            house.kesako(&["run", "-d", "--name", &format!("web{n}"), "workbench", "sleep", "600"]).spawn().unwrap()
        })
        .collect();
    for mut one in started {
        assert!(one.wait().unwrap().success());
    }
    let address = "{{.NetworkSettings.IPAddress}}";
    for n in 1..8 {
        let place = house.ok(&["inspect", "-f", address, &format!("web{n}")]);
        house.ok(&["exec", "web0", "ping", "-c1", "-W2", &place]);
    }
}

/// kill -9 of the process that speaks for the containers: they reach each other all the same, are told that there is no way to the
/// world, and the next command makes one.
#[test]
fn without_the_outside_containers_are_told_and_the_next_command_makes_it_anew() {
    let Some(house) = house("without_the_outside_containers_are_told_and_the_next_command_makes_it_anew") else {
        return;
    };
    says(&house, 1, "0.0.0.0:7000", "the world");
    house.serve("web", &["-p", "8080:80"]);
    house.ok(&["run", "-d", "--name", "asks", "workbench", "sleep", "600"]);
    for _ in 0..3 {
        let pid = outside(&house).unwrap();
        assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
        eventually("it is gone", || outside(&house).is_none());
        assert_eq!(house.hear("127.0.0.1", 8080), "web");
        house.ok(&["ps"]);
        eventually("it is there again", || outside(&house).is_some());
        let listen = |script: &str| {
            let script = script.replace("busybox ", "");
            String::from_utf8(house.output(&["exec", "asks", "sh", "-c", &script]).stdout).unwrap()
        };
        assert_eq!(hear(listen, WORLD, 7000), "the world");
        let web = house.ok(&["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "web"]);
        assert_eq!(hear(listen, &web, 80), "web");
    }
    house.ok(&["rm", "-f", "web", "asks"]);
    eventually("it goes when nobody needs it", || outside(&house).is_none());
}

#[test]
fn a_command_of_a_build_is_on_the_default_network() {
    let Some(house) = house("a_command_of_a_build_is_on_the_default_network") else { return };
    says(&house, 1, "0.0.0.0:7000", "the world");
    let folder = house.sandbox.path().join("context");
    std::fs::create_dir(&folder).unwrap();
    let script = format!(
        "FROM workbench\nRUN for i in 1 2 3 4 5; do nc -w 2 {WORLD} 7000 > /heard; test -s /heard && exit; sleep 1; done\n"
    );
    std::fs::write(folder.join("Dockerfile"), script).unwrap();
    house.ok(&["build", "-q", "-t", "heard", folder.to_str().unwrap()]);
    assert_eq!(house.ok(&["run", "--rm", "heard", "cat", "/heard"]), "the world");
}

/// Whatever a container does to the way out, others still have it.
#[test]
fn floods_and_garbage_do_not_close_the_way_out() {
    let Some(house) = house("floods_and_garbage_do_not_close_the_way_out") else { return };
    says(&house, 1, "0.0.0.0:7000", "the world");
    house.ok(&["run", "-d", "--name", "flood", "workbench", "sleep", "600"]);
    let before = outside(&house).unwrap();
    // Connections to nobody, by hundreds; datagrams to as many ports; questions for names.
    let script = format!(
        "for i in $(seq 300); do nc -w 3 192.0.2.$((i % 200 + 50)) 80 & done 2>/dev/null >/dev/null; \
         for i in $(seq 400); do nslookup x$i {WORLD} & done 2>/dev/null >/dev/null; wait; true"
    );
    house.ok(&["exec", "flood", "sh", "-c", &script]);
    assert_eq!(hear_from_container(&house, &[], WORLD, 7000), "the world");
    assert_eq!(outside(&house), Some(before));
    let status = std::fs::read_to_string(format!("/proc/{before}/status")).unwrap();
    let held: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap();
    assert!(held < 100_000, "{held} kB");
}

/// The container ends in the middle: whoever it spoke with hears of it.
#[test]
fn a_killed_container_leaves_nobody_waiting() {
    let Some(house) = house("a_killed_container_leaves_nobody_waiting") else { return };
    house.ok(&["run", "-d", "--name", "web", "-p", "8080:80", "workbench", "sh", "-c", "nc -l -p 80 -e cat"]);
    let mut byte = [0];
    let mut caller = None;
    eventually("it echoes", || {
        let mut stream = house.within(0, || TcpStream::connect("127.0.0.1:8080").unwrap());
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let echoed = stream.write_all(b"x").is_ok() && stream.read(&mut byte).is_ok_and(|count| count == 1);
        caller = echoed.then_some(stream);
        echoed
    });
    house.ok(&["rm", "-f", "web"]);
    let heard = caller.unwrap().read(&mut byte);
    let waited = heard.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!waited, "{heard:?}");
}

/// kill -9 of whoever is at work, at any moment: the next command finds its way.
#[test]
fn killed_at_any_moment_the_next_command_has_a_network() {
    let Some(house) = house("killed_at_any_moment_the_next_command_has_a_network") else { return };
    house.ok(&["run", "--rm", "workbench", "true"]);
    for round in 0..12_u64 {
        let mut starting = house.spawn(&["run", "-d", "-p", "8080:80", "workbench", "sleep", "600"]);
        std::thread::sleep(Duration::from_millis(round * 7 % 60));
        let victim = if round % 2 == 0 { Some(starting.id()) } else { outside(&house) };
        if let Some(victim) = victim {
            // It may have ended in this very moment.
            let _ended = Command::new("kill").args(["-9", &victim.to_string()]).output();
        }
        starting.wait().unwrap();
        house.ok(&["run", "--rm", "-p", "9090:80", "workbench", "ping", "-c1", "-W2", "192.0.0.1"]);
        let all = house.ok(&["ps", "-aq"]);
        let ids: Vec<_> = ["rm", "-f"].into_iter().chain(all.split_whitespace()).collect();
        if ids.len() > 2 {
            house.ok(&ids);
        }
    }
    eventually("nobody is left", || outside(&house).is_none());
}
