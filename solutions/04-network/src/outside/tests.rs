//! The stack with a pair of sockets in the place of the tun device: what is sent into one end are packets, one each.

use super::packet::{Flow, Packet, Says, Segment, Writer, flag};
use super::tcp::{Connection, Fate};
use super::wire::{MTU, Wire};
use super::{HOST, Stack};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

fn pair() -> (OwnedFd, OwnedFd) {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
}

/// The same numbers each time (Knuth's generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// A container's end of one connection, and the world's.
struct Talk {
    container: OwnedFd,
    wire: Wire,
    connection: Connection,
    world: TcpStream,
    writer: Writer,
    /// As the container sends: its own side is where the packets come from.
    flow: Flow,
    next: u32,
    heard: u32,
}

impl Talk {
    /// Both sides have shaken hands.
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let (world, _) = listener.accept().unwrap();
        let (container, tun) = pair();
        let outer = Flow { inner: "10.0.0.2:4711".parse().unwrap(), outer: "198.51.100.1:80".parse().unwrap() };
        let flow = Flow { inner: outer.outer, outer: outer.inner };
        let mut writer = Writer::default();
        let syn = Says { sequence: 999, acknowledged: 0, flags: flag::SYN, window: 60000, syn: Some((1460, Some(7))) };
        let bytes = writer.segment(&flow, &syn, (&[], &[])).to_vec();
        let packet = Packet::parse(&bytes).unwrap();
        let segment = Segment::parse(&packet).unwrap();
        let mut connection = Connection::new(&segment, socket, 5000, MTU as usize);
        (connection.readable, connection.writable) = (true, true);
        let mut talk =
            Self { container, wire: Wire::new(tun, 1 << 16), connection, world, writer, flow, next: 1000, heard: 5001 };
        talk.connection.answer(&mut talk.wire);
        let answer = talk.receive().unwrap();
        assert_eq!((answer.0, answer.1), (5000, flag::SYN | flag::ACK));
        assert_eq!(talk.send(0, b"", flag::ACK), Fate::Lives);
        talk
    }

    /// A segment of the container's, `ahead` bytes beyond what it said before.
    fn send(&mut self, ahead: i32, data: &[u8], flags: u8) -> Fate {
        let sequence = self.next.wrapping_add_signed(ahead);
        let says = Says { sequence, acknowledged: self.heard, flags, window: 500, syn: None };
        let bytes = self.writer.segment(&self.flow, &says, (data, b"")).to_vec();
        let packet = Packet::parse(&bytes).unwrap();
        let fate = self.connection.take(&Segment::parse(&packet).unwrap(), &mut self.wire);
        if fate == Fate::Over { fate } else { self.connection.pump(&mut self.wire) }
    }

    /// What the container hears next: sequence, flags, acknowledged, data.
    fn receive(&mut self) -> Option<(u32, u8, u32, Vec<u8>)> {
        let mut bytes = vec![0; 70000];
        let (_, count) = rustix::net::recv(&self.container, &mut bytes[..], RecvFlags::empty()).ok()?;
        let packet = Packet::parse(&bytes[..count]).unwrap();
        let segment = Segment::parse(&packet).unwrap();
        Some((segment.sequence, segment.flags, segment.acknowledged, segment.payload.to_vec()))
    }

    fn last(&mut self) -> (u32, u8, u32, Vec<u8>) {
        std::iter::from_fn(|| self.receive()).last().unwrap()
    }
}

#[test]
fn what_comes_twice_late_or_early_is_heard_once_and_in_order() {
    let mut talk = Talk::new();
    talk.send(0, b"hello ", flag::ACK);
    assert_eq!(talk.last().2, 1006);
    // A gap: what is missing is told.
    talk.send(12, b"l", flag::ACK);
    assert_eq!(talk.last().2, 1006);
    // Half of it known.
    talk.send(3, b"lo world", flag::ACK);
    assert_eq!(talk.last().2, 1011);
    talk.send(0, b"hello ", flag::ACK);
    assert_eq!(talk.last().2, 1011);
    // On two queues, one overtakes the other.
    talk.send(12, b"?", flag::ACK);
    assert_eq!(talk.last().2, 1011);
    talk.send(11, b"!", flag::ACK);
    assert_eq!(talk.last().2, 1013);
    talk.send(13, b"", flag::ACK | flag::FIN);
    assert_eq!(talk.last().2, 1014);
    let mut heard = String::new();
    talk.world.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hello world!l");
}

#[test]
fn what_the_container_does_not_acknowledge_is_said_again_and_the_end_too() {
    let mut talk = Talk::new();
    talk.world.write_all(&[7; 3000]).unwrap();
    talk.world.shutdown(std::net::Shutdown::Write).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    // (As an event would tell.)
    talk.connection.readable = true;
    talk.connection.pump(&mut talk.wire);
    let first: Vec<_> = std::iter::from_fn(|| talk.receive()).collect();
    assert_eq!(first.iter().map(|segment| segment.3.len()).sum::<usize>(), 3000);
    assert_eq!(first.last().unwrap().1 & flag::FIN, flag::FIN);
    // All of it is lost.
    assert_eq!(talk.connection.tick(Instant::now() + Duration::from_secs(1), &mut talk.wire), Fate::Lives);
    let again: Vec<_> = std::iter::from_fn(|| talk.receive()).collect();
    assert_eq!((again[0].0, again[0].3.len()), (5001, 1460));
    assert_eq!(again.last().unwrap().1 & flag::FIN, flag::FIN);
    talk.heard = 5001 + 3001;
    assert_eq!(talk.send(0, b"", flag::ACK), Fate::Lives);
    assert_eq!(talk.send(0, b"", flag::ACK | flag::FIN), Fate::Over);
    // Who never answers is given up.
    let mut talk = Talk::new();
    talk.world.write_all(b"x").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    // (As an event would tell.)
    talk.connection.readable = true;
    talk.connection.pump(&mut talk.wire);
    let mut now = Instant::now();
    let gives_up = (0..100).any(|_| {
        now += Duration::from_secs(20);
        talk.connection.tick(now, &mut talk.wire) == Fate::Over
    });
    assert!(gives_up);
}

#[test]
fn whoever_does_not_read_stops_the_other_and_holds_little() {
    let mut talk = Talk::new();
    let block = [1; 1400];
    let mut acknowledged = talk.next;
    for _ in 0..20_000 {
        assert_eq!(talk.send(0, &block, flag::ACK), Fate::Lives);
        acknowledged = talk.last().2;
        talk.next = acknowledged;
    }
    assert!(talk.connection.held() <= 2 << 16, "{}", talk.connection.held());
    let taken = (acknowledged - 1000) as usize;
    // With the connection goes what waited in it.
    let Talk { connection, mut world, .. } = talk;
    drop(connection);
    let mut all = Vec::new();
    let heard = world.read_to_end(&mut all);
    assert!(heard.is_ok() && all.len() <= taken, "{heard:?}");
}

/// Garbage, and packets with some bytes changed: the stack goes on, answers, and holds no more than it may.
#[test]
fn garbage_does_no_harm() {
    let (container, tun) = pair();
    let stack = Stack::new(tun).unwrap();
    let serving = std::thread::spawn(move || stack.serve());
    let mut dice = Dice(1);
    let mut writer = Writer::default();
    let outer = |dice: &mut Dice| -> Flow {
        let address = |dice: &mut Dice| format!("127.0.0.{}:{}", dice.roll(4), dice.roll(3));
        Flow { inner: address(dice).parse().unwrap(), outer: address(dice).parse().unwrap() }
    };
    for _ in 0..60_000 {
        let flow = outer(&mut dice);
        let says = Says {
            sequence: dice.roll(9) as u32,
            acknowledged: dice.roll(9) as u32,
            flags: dice.roll(256) as u8,
            window: dice.roll(9) as u16,
            syn: (dice.roll(2) == 0).then_some((dice.roll(9) as u16, Some(dice.roll(256) as u8))),
        };
        let mut bytes = match dice.roll(3) {
            0 => writer.segment(&flow, &says, (b"data", b"")).to_vec(),
            1 => writer.datagram(&flow, b"data").to_vec(),
            _ => (0..dice.roll(60)).map(|_| dice.roll(256) as u8).collect(),
        };
        for _ in 0..dice.roll(4) {
            if !bytes.is_empty() {
                let at = dice.roll(bytes.len());
                bytes[at] = dice.roll(256) as u8;
            }
        }
        // (No destination but nobody's: a test is not to call the world.)
        if let Some(address) = bytes.get_mut(16..20) {
            address[0] = 127;
        }
        let _full = rustix::net::send(&container, &bytes, SendFlags::NOSIGNAL);
        let _drained = rustix::net::recv(&container, &mut [0; 2000][..], RecvFlags::empty());
    }
    // It still answers a ping.
    let end = Instant::now() + Duration::from_secs(20);
    let mut ping = writer.unreachable("10.0.0.2".parse().unwrap(), HOST, 0, b"ping").to_vec();
    ping[20] = 8;
    let answered = std::iter::from_fn(|| {
        let _full = rustix::net::send(&container, &ping, SendFlags::NOSIGNAL);
        std::thread::sleep(Duration::from_millis(1));
        let mut bytes = [0; 2000];
        let come = rustix::net::recv(&container, &mut bytes[..], RecvFlags::empty());
        let is_answer =
            come.is_ok_and(|(_, count)| bytes[..count].get(20) == Some(&0) && bytes[12..16] == HOST.octets());
        (Instant::now() < end).then_some(is_answer)
    });
    assert!({ answered }.any(|answer| answer));
    drop(container);
    assert!(serving.join().unwrap().is_ok());
}
