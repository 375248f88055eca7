//! Published ports, where they are not simply TCP by IPv4.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/house.rs"]
mod house;
mod support;

use house::{HOST, House};
use std::io::Read;
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;
use support::{installed, not_run};

/// A container, at whose port 53 everybody who sends a datagram is told its name, for as long as it runs.
fn serve_datagrams(house: &House, name: &'static str, flags: &[&str]) {
    house.ok(&[&["run", "-d", "--name", name], flags, &["workbench", "sleep", "600"]].concat());
    let server = house.within_container(name, || UdpSocket::bind("0.0.0.0:53").unwrap());
    server.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let process = format!("/proc/{}", house.ok(&["inspect", "-f", "{{.State.Pid}}", name]));
    std::thread::spawn(move || {
        let mut question = [0; 100];
        while std::path::Path::new(&process).exists() {
            if let Ok((_, from)) = server.recv_from(&mut question) {
                // Who asks may be gone.
                let _gone = server.send_to(name.as_bytes(), from);
            }
        }
    });
}

/// Asks again and again from one and the same port; what is heard in the end.
fn heard(client: &UdpSocket) -> String {
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut answer = [0; 100];
    for _ in 0..50 {
        // Nobody may be there: then the answer to the last one is an error.
        let _refused = client.send(b"anybody?\n");
        if let Ok(length) = client.recv(&mut answer) {
            return String::from_utf8_lossy(&answer[..length]).trim().to_owned();
        }
    }
    "nobody".to_owned()
}

#[test]
fn who_sent_datagrams_before_the_container_started_reaches_it_afterwards() {
    let Some(house) = House::new("who_sent_datagrams_before_the_container_started_reaches_it_afterwards") else {
        return;
    };
    let client = |holder: usize, to: &str| {
        house.within(holder, || {
            let client = UdpSocket::bind("0.0.0.0:0").unwrap();
            client.connect((to, 5353)).unwrap();
            client
        })
    };
    // (Flows are followed only where there are rules about them.)
    house.serve("other", &["-p", "8080:80"]);
    let clients = [client(0, "127.0.0.1"), client(0, HOST), client(1, HOST)];
    let ask_in_vain = || {
        for client in &clients {
            let _refused = client.send(b"anybody?\n");
            std::thread::sleep(Duration::from_millis(20));
            let _refused = client.send(b"anybody?\n");
        }
    };
    for name in ["first", "second", "third"] {
        ask_in_vain();
        // Another address each time.
        house.ok(&["run", "-d", "--name", &format!("before-{name}"), "workbench", "sleep", "600"]);
        serve_datagrams(&house, name, &["-p", "5353:53/udp"]);
        for client in &clients {
            assert_eq!(heard(client), name, "{client:?}");
        }
        house.ok(&["rm", "-f", name]);
    }
}

/// What is heard by TCP at this place; a server in a shell loop is away for a moment between two callers.
fn read_from(house: &House, to: &str) -> String {
    for _ in 0..50 {
        let mut heard = String::new();
        let read = house.within(0, || {
            let mut stream = TcpStream::connect(to)?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.read_to_string(&mut heard)
        });
        if read.is_ok() && !heard.is_empty() {
            return heard;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    "nobody".to_owned()
}

/// No rule can turn IPv6 into IPv4: these are passed on by hand, as Docker does.
#[test]
fn a_port_of_ipv6_leads_to_a_container_that_has_none() {
    let Some(house) = House::new("a_port_of_ipv6_leads_to_a_container_that_has_none") else { return };
    if !Path::new("/proc/net/if_inet6").exists() {
        return not_run("a_port_of_ipv6_leads_to_a_container_that_has_none", "this kernel has no IPv6");
    }
    house.serve("web", &["-p", "[::1]:8081:80", "-p", "[::]:8082:80", "-p", "8083:80"]);
    for (to, heard) in [("[::1]:8081", "web"), ("[::1]:8082", "web"), ("127.0.0.1:8083", "web"), ("[::1]:8083", "web")]
    {
        assert_eq!(read_from(&house, to), heard, "{to}");
    }
    assert!(house.within(0, || TcpStream::connect("127.0.0.1:8081").is_err()), "that is another address");
    // Who says no address gets both kinds.
    let ports = "80/tcp -> 0.0.0.0:8083\n80/tcp -> [::1]:8081\n80/tcp -> [::]:8082\n80/tcp -> [::]:8083";
    assert_eq!(house.ok(&["port", "web"]), ports);
    let refusal = house.fails(125, &["run", "--rm", "-p", "[::1]:8081:80", "workbench", "true"]);
    assert!(refusal.contains("port is already allocated"), "{refusal}");

    serve_datagrams(&house, "names", &["-p", "[::1]:5353:53/udp"]);
    let client = house.within(0, || {
        let client = UdpSocket::bind("[::1]:0").unwrap();
        client.connect("[::1]:5353").unwrap();
        client
    });
    assert_eq!(heard(&client), "names");
    // On another network it has another address.
    house.ok(&["network", "create", "apart"]);
    house.ok(&["network", "connect", "apart", "web"]);
    assert_eq!(read_from(&house, "[::1]:8081"), "web");
    house.ok(&["network", "disconnect", "bridge", "web"]);
    assert_eq!(read_from(&house, "[::1]:8081"), "web");
    house.ok(&["rm", "-f", "web", "names"]);
    assert!(house.within(0, || TcpStream::connect("[::1]:8081").is_err()));
}

#[test]
fn ports_are_discarded_on_the_hosts_network_and_the_user_is_told() {
    let Some(house) = House::new("ports_are_discarded_on_the_hosts_network_and_the_user_is_told") else { return };
    let output = house.output(&["run", "--rm", "--network", "host", "-p", "8080:80", "workbench", "true"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("WARNING: Published ports are discarded when using host network mode"), "{told}");
    assert!(output.status.success());
}

#[test]
fn rules_of_iptables_legacy_are_told_to_the_user() {
    let test = "rules_of_iptables_legacy_are_told_to_the_user";
    let Some(house) = House::new(test) else { return };
    if !installed("iptables-legacy")
        || !house.command(0, &["iptables-legacy", "-P", "FORWARD", "DROP"]).status().unwrap().success()
    {
        return not_run(test, "it takes iptables-legacy, and a kernel that has it");
    }
    // Not only where this process makes a network itself, but also where the shim does.
    for words in [&["run", "--rm", "workbench", "true"][..], &["network", "create", "mine"]] {
        let output = house.output(words);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && told.contains("there are rules of iptables-legacy on this host"), "{told}");
    }
    // Where there are none, nobody is told anything.
    assert!(house.command(0, &["iptables-legacy", "-P", "FORWARD", "ACCEPT"]).status().unwrap().success());
    house.ok(&["network", "rm", "mine"]);
}
