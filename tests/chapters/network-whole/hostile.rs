//! A name server that is asked by somebody who means no good: whatever comes, others are answered, and no memory is
//! taken that is not given back.

use super::house::within;
use super::names::{ask, ask_by_tcp, question, served};
use super::sandbox::sandboxed;
use network::dns::{self, Decision, Names, Room, Upstream, decide};
use proptest::prelude::*;
use simple_dns::Packet;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Everybody is known, and has many addresses.
struct All;

impl Names for All {
    fn addresses(&mut self, name: &str) -> Option<Vec<IpAddr>> {
        (!name.starts_with("far")).then(|| (0..40).map(|n| IpAddr::from([10, 0, 1, n])).collect())
    }
    fn name_of(&mut self, address: IpAddr) -> Option<String> {
        // Containers may be called so; messages cannot say it.
        Some(if address.is_ipv4() { "x".repeat(300) } else { "web.mine".to_owned() })
    }
}

/// Bytes of which a message is made: often those that mean something.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling =
        prop_oneof![Just(0_u8), Just(1), Just(12), Just(28), Just(41), Just(63), Just(0xc0), Just(0xff), any::<u8>()];
    prop::collection::vec(telling, 0..600)
}

/// A question that is one, changed in some places.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let places = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop_oneof![Just("web"), Just("far"), Just("2.0.0.10.in-addr.arpa"), Just("a.b.c.d.e")], places, 0..64_usize)
        .prop_map(|(name, places, cut)| {
            let mut message = question(name);
            places.iter().for_each(|(place, byte)| *place.get_mut(&mut message) = *byte);
            message.truncate(message.len() - cut.min(message.len()));
            message
        })
}

fn is_decent(message: &[u8]) -> Result<(), TestCaseError> {
    for room in [Room::Datagram, Room::Stream] {
        if let Decision::Answer(answer) = decide(message, &mut All, 7, room) {
            prop_assert!(answer.len() >= 12 && answer[..2] == message[..2] && answer[2] & 0x80 != 0, "{answer:?}");
            prop_assert!(answer.len() <= 65535);
            prop_assert!(Packet::parse(&answer).is_ok(), "nobody understands {answer:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn no_bytes_do_harm(message in bytes()) {
        is_decent(&message)?;
    }

    #[test]
    fn no_spoilt_question_does_harm(message in spoilt()) {
        is_decent(&message)?;
    }
}

/// The memory of this process, in bytes (proc_pid_statm(5)).
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// The server answers within this time, whatever else it has to do.
fn is_answered(inside: &network::Namespace) {
    let start = Instant::now();
    assert!(ask(inside, "web").starts_with("NoError: 10.0.0."));
    assert_eq!(ask_by_tcp(inside, "web").split(' ').count(), 3);
    assert!(start.elapsed() < Duration::from_secs(3), "others wait: {:?}", start.elapsed());
}

fn connect() -> TcpStream {
    let stream = TcpStream::connect((dns::ADDRESS, 53)).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}

sandboxed! {
    fn who_sends_a_byte_now_and_then_keeps_nobody_out() {
        served(Vec::new(), |container| {
            let inside = container.namespace();
            let mut slow: Vec<TcpStream> = within(inside, || (0..300).map(|_| connect()).collect());
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(12) {
                // They say that they have much to ask, and never come to it. (Those that had to go cannot any more.)
                slow.iter_mut().for_each(|stream| drop(stream.write(&[0])));
                is_answered(inside);
                std::thread::sleep(Duration::from_millis(300));
            }
            let still = slow.iter_mut().filter_map(|stream| stream.read(&mut [0]).err());
            let still = still.filter(|error| error.kind() == std::io::ErrorKind::WouldBlock).count();
            assert_eq!(still, 0, "not one has asked anything within ten seconds");
        });
    }

    fn who_asks_and_never_reads_takes_no_memory() {
        served(Vec::new(), |container| {
            let inside = container.namespace();
            let before = memory();
            let mut deaf: Vec<TcpStream> = within(inside, || (0..50).map(|_| connect()).collect());
            let one = question("many");
            let message = [&(one.len() as u16).to_be_bytes(), &one[..]].concat().repeat(500);
            for _ in 0..100 {
                deaf.iter_mut().for_each(|stream| drop(stream.write(&message)));
            }
            is_answered(inside);
            // Fifty times what one may have unread, and what one may have asked; not what a hundred thousand answers are.
            let more = memory().saturating_sub(before);
            assert!(more < 40 << 20, "{more} bytes more");
        });
    }

    fn a_flood_of_questions_leaves_room_for_others() {
        network::Links::open().unwrap().up("lo").unwrap();
        // Somebody who never answers.
        let silent = UdpSocket::bind("127.0.0.53:53").unwrap();
        let upstream = Upstream { address: silent.local_addr().unwrap(), from_inside: false };
        served(vec![upstream], |container| {
            let inside = container.namespace();
            let flood: UdpSocket = within(inside, || UdpSocket::bind("0.0.0.0:0").unwrap());
            let before = memory();
            let over = std::sync::atomic::AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let messages = [question("far.example.com"), question("web"), vec![0xc0; 512], vec![0; 12]];
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        // As fast as it goes, for as long as the queue of the server takes it.
                        for message in &messages {
                            let _full = flood.send_to(message, (dns::ADDRESS, 53));
                        }
                        std::thread::sleep(Duration::from_micros(20));
                    }
                });
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_secs(2) {
                    assert_eq!(ask_by_tcp(inside, "web").split(' ').count(), 3);
                }
                over.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            is_answered(inside);
            let more = memory().saturating_sub(before);
            assert!(more < 30 << 20, "{more} bytes more");
        });
    }
}
