//! The name server of a container, asked from inside it.

use super::house::within;
use super::sandbox::sandboxed;
use network::dns::{self, Names, Server, Upstream};
use network::{Links, Namespace, Sandbox};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, ResourceRecord, TYPE};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

struct Known;

impl Names for Known {
    fn addresses(&mut self, name: &str) -> Option<Vec<IpAddr>> {
        match name {
            "web" => Some(vec![IpAddr::from([10, 0, 0, 2]), IpAddr::from([10, 0, 0, 3])]),
            "many" => Some((0..250).map(|n| IpAddr::from([10, 0, 1, n])).collect()),
            _ => None,
        }
    }
    fn name_of(&mut self, _: IpAddr) -> Option<String> {
        None
    }
}

pub(super) fn question(name: &str) -> Vec<u8> {
    let mut packet = Packet::new_query(7);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(
        Name::new(name).unwrap(),
        QTYPE::TYPE(TYPE::A),
        QCLASS::CLASS(CLASS::IN),
        false,
    ));
    packet.build_bytes_vec().unwrap()
}

fn show(bytes: &[u8]) -> String {
    let packet = Packet::parse(bytes).unwrap();
    let addresses = packet.answers.iter().map(|record| match &record.rdata {
        RData::A(a) => Ipv4Addr::from_bits(a.address).to_string(),
        other => format!("{other:?}"),
    });
    let truncated = if packet.has_flags(PacketFlag::TRUNCATION) { "truncated " } else { "" };
    format!("{:?}: {truncated}{}", packet.rcode(), addresses.collect::<Vec<_>>().join(" "))
}

pub(super) fn ask(from: &Namespace, name: &str) -> String {
    within(from, || {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut buffer = [0; 65535];
        // As resolvers do: a datagram may be lost.
        for _ in 0..4 {
            socket.send_to(&question(name), (dns::ADDRESS, 53)).unwrap();
            if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                assert_eq!(from, SocketAddr::from((dns::ADDRESS, 53)));
                return show(&buffer[..length]);
            }
        }
        "silence".to_owned()
    })
}

pub(super) fn ask_by_tcp(from: &Namespace, name: &str) -> String {
    within(from, || {
        let mut stream = TcpStream::connect((dns::ADDRESS, 53)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
        let question = question(name);
        stream.write_all(&(question.len() as u16).to_be_bytes()).unwrap();
        stream.write_all(&question).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer).unwrap();
        show(&answer)
    })
}

/// A name server of the host's: one address for every name; by UDP a truncated nothing, if the name begins with `long`.
fn host_server(at: &str) -> SocketAddr {
    let (udp, tcp) = (UdpSocket::bind(at).unwrap(), TcpListener::bind(at).unwrap());
    let reply = |question: &[u8], by_tcp: bool| {
        let packet = Packet::parse(question).unwrap();
        let name = packet.questions[0].qname.clone();
        let long = name.to_string().starts_with("long") && !by_tcp;
        let mut reply = packet.clone().into_reply();
        if long {
            reply.set_flags(PacketFlag::TRUNCATION);
        } else {
            let data = RData::A(Ipv4Addr::new(192, 0, 2, 80).into());
            reply.answers.push(ResourceRecord::new(name, CLASS::IN, 60, data));
        }
        reply.build_bytes_vec().unwrap()
    };
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = udp.recv_from(&mut buffer) {
            udp.send_to(&reply(&buffer[..length], false), from).unwrap();
        }
    });
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let answer = reply(&question, true);
            stream.write_all(&(answer.len() as u16).to_be_bytes()).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    at.parse().unwrap()
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Serves as a shim does, by poll(2), while `during` lasts.
pub(super) fn served(upstreams: Vec<Upstream>, during: impl FnOnce(&Sandbox)) {
    let container = Sandbox::make().unwrap();
    let mut server = Server::open(container.namespace(), upstreams).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let mut fds = Vec::new();
                server.watch(&mut |fd, writes| {
                    use rustix::event::{PollFd, PollFlags};
                    fds.push(PollFd::from_borrowed_fd(fd, if writes { PollFlags::OUT } else { PollFlags::IN }));
                });
                let tick = rustix::event::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
                rustix::event::poll(&mut fds, Some(&tick)).unwrap();
                drop(fds);
                server.serve(&mut Known);
            }
        });
        // However it ends, the server ends with it.
        let end = End(&over);
        during(&container);
        drop(end);
    });
}

sandboxed! {
    fn names_of_neighbours_are_answered_in_turns() {
        served(Vec::new(), |container| {
            let inside = container.namespace();
            let answers = [ask(inside, "web"), ask(inside, "web")];
            assert!(answers.contains(&"NoError: 10.0.0.2 10.0.0.3".to_owned()), "{answers:?}");
            assert!(answers.contains(&"NoError: 10.0.0.3 10.0.0.2".to_owned()), "{answers:?}");
            assert_eq!(ask_by_tcp(inside, "Web").split(' ').count(), 3);
            assert!(ask(inside, "many").contains("truncated"));
            assert_eq!(ask_by_tcp(inside, "many").split(' ').count(), 251);
            // There is nobody to ask.
            assert_eq!(ask(inside, "example.com"), "ServerFailure: ");
            assert_eq!(ask_by_tcp(inside, "example.com"), "ServerFailure: ");
        });
    }

    fn a_container_may_have_a_name_server_of_its_own() {
        served(Vec::new(), |container| {
            within(container.namespace(), || {
                UdpSocket::bind("0.0.0.0:53").unwrap();
                TcpListener::bind("0.0.0.0:53").unwrap();
            });
        });
    }

    fn other_names_are_asked_of_the_hosts_servers() {
        Links::open().unwrap().up("lo").unwrap();
        // On the host's own loopback, as systemd-resolved is.
        let server = Upstream { address: host_server("127.0.0.53:53"), from_inside: false };
        served(vec![server], |container| {
            let inside = container.namespace();
            assert_eq!(ask(inside, "example.com"), "NoError: 192.0.2.80");
            assert_eq!(ask_by_tcp(inside, "example.com"), "NoError: 192.0.2.80");
            assert_eq!(ask(inside, "long.example.com"), "NoError: truncated ");
            assert_eq!(ask_by_tcp(inside, "long.example.com"), "NoError: 192.0.2.80");
        });
    }

    fn a_server_that_refuses_is_followed_by_the_next() {
        Links::open().unwrap().up("lo").unwrap();
        let dead = Upstream { address: "127.0.0.52:53".parse().unwrap(), from_inside: false };
        let alive = Upstream { address: host_server("127.0.0.53:53"), from_inside: false };
        served(vec![dead, alive], |container| {
            let start = Instant::now();
            assert_eq!(ask(container.namespace(), "example.com"), "NoError: 192.0.2.80");
            assert_eq!(ask_by_tcp(container.namespace(), "example.com"), "NoError: 192.0.2.80");
            assert!(start.elapsed() < Duration::from_secs(2), "a refusal is heard at once");
        });
    }

    fn a_server_may_be_asked_from_inside() {
        Links::open().unwrap().up("lo").unwrap();
        host_server("127.0.0.53:53");
        // The container's own loopback is not the host's.
        let inside = Upstream { address: "127.0.0.53:53".parse().unwrap(), from_inside: true };
        served(vec![inside], |container| assert_eq!(ask(container.namespace(), "example.com"), "ServerFailure: "));
    }

    fn a_flood_of_nonsense_is_survived() {
        served(Vec::new(), |container| {
            let inside = container.namespace();
            within(inside, || {
                let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
                for n in 0..20_000u32 {
                    let bytes = n.to_be_bytes().repeat(usize::from(n as u8 % 16));
                    // Some are lost: so is a flood's nature.
                    let _lost = socket.send_to(&bytes, (dns::ADDRESS, 53));
                }
                let idle: Vec<_> = (0..80)
                    .filter_map(|_| TcpStream::connect_timeout(&(dns::ADDRESS, 53).into(), super::house::PATIENCE).ok()).collect();
                assert!(idle.len() >= 60);
            });
            assert!(ask(inside, "web").starts_with("NoError: 10.0.0."));
        });
    }
}
