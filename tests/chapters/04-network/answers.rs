//! 4.7: what the name server answers.

use super::expect::expect;
use network::dns::{Decision, Names, Room, decide};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, TYPE};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const READ: &str = "Read: RFC 1035, 3.2.2 and 4.1; RFC 1794, on answers that take turns; RFC 3596, on AAAA";

/// `web` has three addresses of IPv4 and two of IPv6.
struct Known;

impl Names for Known {
    fn addresses(&mut self, name: &str) -> Option<Vec<IpAddr>> {
        let addresses = ["10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2", "10.0.0.3"];
        match name {
            "web" => Some(addresses.iter().map(|text| text.parse().unwrap()).collect()),
            "resting" => Some(Vec::new()),
            _ => None,
        }
    }
    fn name_of(&mut self, _: IpAddr) -> Option<String> {
        None
    }
}

fn ask(name: &str, kind: QTYPE, turn: usize) -> Vec<u8> {
    let mut packet = Packet::new_query(4711);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(Name::new(name).unwrap(), kind, QCLASS::CLASS(CLASS::IN), false));
    match decide(&packet.build_bytes_vec().unwrap(), &mut Known, turn, Room::Datagram) {
        Decision::Answer(bytes) => bytes,
        other => panic!("{name} is answered by {other:?}"),
    }
}

fn address(data: &RData<'_>) -> String {
    match data {
        RData::A(a) => Ipv4Addr::from_bits(a.address).to_string(),
        RData::AAAA(a) => Ipv6Addr::from_bits(a.address).to_string(),
        other => format!("{other:?}"),
    }
}

fn addresses(name: &str, kind: QTYPE, turn: usize) -> String {
    let bytes = ask(name, kind, turn);
    let packet = Packet::parse(&bytes).unwrap();
    packet.answers.iter().map(|record| address(&record.rdata)).collect::<Vec<_>>().join(" ")
}

/// As dig(1) shows it.
fn dig(bytes: &[u8]) -> String {
    let packet = Packet::parse(bytes).unwrap();
    let mut out = format!("{:?}, id {}, {} bytes\nquestion\n", packet.rcode(), packet.id(), bytes.len());
    for question in &packet.questions {
        out += &format!("  {}.  {:?}\n", question.qname, question.qtype);
    }
    out += "answer\n";
    for record in &packet.answers {
        let kind = if matches!(record.rdata, RData::A(_)) { "A" } else { "AAAA" };
        out += &format!("  {}.  {} s  IN {kind}  {}\n", record.name, record.ttl, address(&record.rdata));
    }
    out
}

const A: QTYPE = QTYPE::TYPE(TYPE::A);
const AAAA: QTYPE = QTYPE::TYPE(TYPE::AAAA);

#[test]
fn the_message_as_dig_shows_it() {
    insta::with_settings!({ omit_expression => true, description => format!("(-: expected, +: yours) The answer to `ANY web`, where web has five addresses. {READ}") }, {
        insta::assert_snapshot!(dig(&ask("web", QTYPE::ANY, 0)));
    });
}

#[test]
fn each_kind_of_question_has_its_records() {
    let is = |kind, expected: &str, what: &str| {
        expect(addresses("web", kind, 0), expected.to_owned(), &format!("{what} {READ}"));
    };
    is(A, "10.0.0.1 10.0.0.2 10.0.0.3", "A asks for the addresses of IPv4.");
    is(AAAA, "fd00::1 fd00::2", "AAAA asks for those of IPv6.");
    is(QTYPE::ANY, "10.0.0.1 fd00::1 10.0.0.2 fd00::2 10.0.0.3", "ANY asks for both.");
    is(
        QTYPE::TYPE(TYPE::MX),
        "",
        "MX asks who takes mail for web. It is there, and has no such record: an answer without one.",
    );
}

#[test]
fn each_turn_another_one_is_first() {
    for (turn, expected) in [
        (0, "10.0.0.1 10.0.0.2 10.0.0.3"),
        (1, "10.0.0.2 10.0.0.3 10.0.0.1"),
        (2, "10.0.0.3 10.0.0.1 10.0.0.2"),
        (3, "10.0.0.1 10.0.0.2 10.0.0.3"),
        (usize::MAX, "10.0.0.1 10.0.0.2 10.0.0.3"),
    ] {
        let why = format!("Turn {turn}, of three records: all of them, and the one that is first goes round. {READ}");
        expect(addresses("web", A, turn), expected.to_owned(), &why);
    }
    let why = format!("Turn 2, of the *two* records of IPv6: the first of them is first again. {READ}");
    expect(addresses("web", AAAA, 2), "fd00::1 fd00::2".to_owned(), &why);
}

#[test]
fn a_name_without_addresses_is_answered_too() {
    let why =
        format!("`resting` is known, and has no address: an answer without a record, whichever turn it is. {READ}");
    for turn in [0, 1, 7] {
        expect(addresses("resting", A, turn), String::new(), &why);
    }
}
