//! What a question deserves: an answer, to be asked of others, or silence.

use super::Names;
use simple_dns::rdata::{A, AAAA, PTR, RData};
use simple_dns::{CLASS, Name, OPCODE, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Seconds for which an answer may be remembered; Docker's.
const TTL: u32 = 600;
/// What a datagram holds if its reader says nothing else (RFC 1035, 4.2.1).
const DATAGRAM: usize = 512;
/// The header: nothing shorter is DNS.
const HEADER: usize = 12;

/// What is done with a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Answer(Vec<u8>),
    /// It is not ours to answer.
    Forward,
    /// It is no question.
    Ignore,
}

/// How long an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// What a datagram holds, by what the question says of that.
    Datagram,
    /// By TCP: as long as its length can be told in two bytes.
    Stream,
}

/// Decides. Of several addresses another one is first each `turn`, so that those who take the first are spread over
/// all of them.
pub fn decide(question: &[u8], names: &mut dyn Names, turn: usize, room: Room) -> Decision {
    // Answers are never answered: two servers would talk for ever.
    if question.len() < HEADER || question[2] & 0x80 != 0 {
        return Decision::Ignore;
    }
    let packet = match Packet::parse(question) {
        Ok(packet) if packet.questions.len() == 1 => packet,
        _ => return Decision::Answer(refusal(question, RCODE::FormatError)),
    };
    if packet.opcode() != OPCODE::StandardQuery {
        return Decision::Answer(refusal(question, RCODE::NotImplemented));
    }
    let asked = &packet.questions[0];
    let name = asked.qname.to_string().to_ascii_lowercase();
    let records = match asked.qtype {
        QTYPE::TYPE(TYPE::PTR) => match address_in(&name).and_then(|address| names.name_of(address)) {
            Some(found) => vec![RData::PTR(PTR(Name::new_unchecked(&found).into_owned()))],
            None => return Decision::Forward,
        },
        kind => match names.addresses(&name) {
            Some(addresses) => records(&addresses, kind, turn),
            None => return Decision::Forward,
        },
    };
    let limit = match room {
        Room::Datagram => packet.opt().map_or(DATAGRAM, |opt| usize::from(opt.udp_packet_size).max(DATAGRAM)),
        Room::Stream => usize::from(u16::MAX),
    };
    let bytes = answer(&packet, records, limit);
    // A name that is too long for a message: it can be had of a container, but not by this way.
    Decision::Answer(if bytes.is_empty() { refusal(question, RCODE::ServerFailure) } else { bytes })
}

/// The records that answer a question about a name with these addresses.
///
/// The question says of which `kind` they are to be: `QTYPE::TYPE(TYPE::A)` wants the addresses of IPv4, `QTYPE::TYPE(TYPE::AAAA)` those
/// of IPv6, `QTYPE::ANY` both, and all other kinds none. No record at all is an answer, too ("the name is there, but has nothing of
/// this kind"), and not the same as that there is no such name.
///
/// Several containers may have the same alias. Then *all* of their addresses are the answer, and most programs take the first. So
/// each `turn`, which counts up from one answer to the next, begins with another of the records and goes round: with three,
/// turn 0 is 1 2 3, turn 1 is 2 3 1, and turn 3 is 1 2 3 again. That spreads the callers over all of them.
///
/// A record is `RData::A(A { address })` with the address as a number (`to_bits()`), or `RData::AAAA(AAAA { address })` likewise.
fn records(addresses: &[IpAddr], kind: QTYPE, turn: usize) -> Vec<RData<'static>> {
    // exercise: 4.7 records: all addresses, each time another one first
    todo!("exercise 4.7, records: all addresses, each time another one first")
    // end exercise
}

fn answer(question: &Packet<'_>, records: Vec<RData<'_>>, limit: usize) -> Vec<u8> {
    let mut reply = question.clone().into_reply();
    let wanted = question.has_flags(PacketFlag::RECURSION_DESIRED);
    reply.set_flags(PacketFlag::RECURSION_AVAILABLE | PacketFlag::AUTHORITATIVE_ANSWER);
    if wanted {
        reply.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    reply.answers.clear();
    reply.name_servers.clear();
    reply.additional_records.clear();
    let name = question.questions[0].qname.clone();
    for data in records {
        reply.answers.push(ResourceRecord::new(name.clone(), CLASS::IN, TTL, data));
    }
    loop {
        // Empty if it cannot be written.
        let bytes = reply.build_bytes_vec_compressed().unwrap_or_default();
        if bytes.len() <= limit || reply.answers.is_empty() {
            return bytes;
        }
        // As many as there is room for, and the flag that says: ask again by TCP.
        let keep = reply.answers.len() * limit / bytes.len();
        reply.answers.truncate(keep.min(reply.answers.len() - 1));
        reply.set_flags(PacketFlag::TRUNCATION);
    }
}

/// The question's header, made an answer that says only this code; the question itself if it can be understood.
pub(super) fn refusal(question: &[u8], code: RCODE) -> Vec<u8> {
    let mut reply = question.get(..HEADER).unwrap_or_default().to_vec();
    reply.resize(HEADER, 0);
    // QR, the opcode and RD as they were; RA and the code; no records.
    reply[2] = 0x80 | (reply[2] & 0x79);
    reply[3] = 0x80 | (code as u8 & 0x0f);
    reply[4..HEADER].fill(0);
    if let Ok(packet) = Packet::parse(question)
        && packet.questions.len() == 1
        && let Some(end) = end_of_name(question).map(|end| end + 4)
        && let Some(asked) = question.get(HEADER..end)
    {
        reply[5] = 1;
        reply.extend_from_slice(asked);
    }
    reply
}

/// Where the name of the first question ends, if it is written out in full.
fn end_of_name(question: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        match *question.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += usize::from(length) + 1,
            _ => return None,
        }
    }
}

/// The address that a reverse question is about: `2.0.17.172.in-addr.arpa`.
fn address_in(name: &str) -> Option<IpAddr> {
    if let Some(parts) = name.strip_suffix(".in-addr.arpa") {
        let parts: Vec<u8> = parts.rsplit('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        return Some(Ipv4Addr::from(<[u8; 4]>::try_from(parts).ok()?).into());
    }
    let digits = name.strip_suffix(".ip6.arpa")?.rsplit('.');
    let digits: Vec<u128> = digits
        .map(|digit| (digit.len() == 1).then(|| u128::from_str_radix(digit, 16).ok()).flatten())
        .collect::<Option<_>>()?;
    (digits.len() == 32).then(|| Ipv6Addr::from_bits(digits.iter().fold(0, |all, digit| all << 4 | digit)).into())
}
