//! Packets as they come from containers, and as they go back: IPv4 (RFC 791), TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792).
//!
//! Whoever is root in a container can send any bytes. What is no whole packet is None here, and forgotten. Checksums are not
//! looked at: the way here is memory, and a container that writes wrong ones on purpose fools nobody but itself.

use std::net::{Ipv4Addr, SocketAddrV4};

pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

const IP_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

/// Why nothing gets there, as the codes of ICMP's message 3.
pub(super) mod unreachable {
    pub(crate) const HOST: u8 = 1;
    pub(crate) const PROTOCOL: u8 = 2;
    pub(crate) const PORT: u8 = 3;
    pub(crate) const PROHIBITED: u8 = 13;
}

/// Who speaks with whom: the container's side first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flow {
    pub inner: SocketAddrV4,
    pub outer: SocketAddrV4,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    pub protocol: u8,
    pub payload: &'a [u8],
    /// As much of it as an error message quotes: the header and eight bytes.
    pub quote: &'a [u8],
}

impl<'a> Packet<'a> {
    /// A whole packet of IPv4. (The pieces of one that was cut on the way are None: links here are wide enough for any.)
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..IP_HEADER)?;
        let header_length = usize::from(header[0] & 0xf) * 4;
        let total = usize::from(u16_at(header, 2)?);
        let more_or_offset = u16_at(header, 6)? & 0x3fff;
        if header[0] >> 4 != 4 || header_length < IP_HEADER || more_or_offset != 0 {
            return None;
        }
        let whole = bytes.get(..total)?;
        let payload = whole.get(header_length..)?;
        Some(Self {
            source: address_at(header, 12)?,
            destination: address_at(header, 16)?,
            protocol: header[9],
            payload,
            quote: whole.get(..header_length + 8).unwrap_or(whole),
        })
    }

    fn flow(&self, source: u16, destination: u16) -> Flow {
        Flow { inner: SocketAddrV4::new(self.source, source), outer: SocketAddrV4::new(self.destination, destination) }
    }
}

/// The flags of TCP.
pub(super) mod flag {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
    pub(crate) const PSH: u8 = 8;
    pub(crate) const ACK: u8 = 16;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub flow: Flow,
    pub sequence: u32,
    pub acknowledged: u32,
    pub flags: u8,
    pub window: u16,
    /// Of a SYN: how much fits into a segment, and by how many bits windows are shifted.
    pub largest: Option<u16>,
    pub scale: Option<u8>,
    pub payload: &'a [u8],
}

impl<'a> Segment<'a> {
    pub(super) fn parse(packet: &Packet<'a>) -> Option<Self> {
        let header = packet.payload.get(..TCP_HEADER)?;
        let length = usize::from(header[12] >> 4) * 4;
        let options = packet.payload.get(TCP_HEADER..length)?;
        let mut segment = Self {
            flow: packet.flow(u16_at(header, 0)?, u16_at(header, 2)?),
            sequence: u32_at(header, 4)?,
            acknowledged: u32_at(header, 8)?,
            flags: header[13],
            window: u16_at(header, 14)?,
            largest: None,
            scale: None,
            payload: packet.payload.get(length..)?,
        };
        segment.take_options(options);
        Some(segment)
    }

    fn take_options(&mut self, mut options: &[u8]) {
        while let Some((&kind, rest)) = options.split_first() {
            let length = match (kind, rest.first()) {
                (0, _) | (_, None) => return,
                (1, _) => 1,
                (_, Some(&length)) => usize::from(length),
            };
            let Some((option, after)) = options.split_at_checked(length.max(1)) else { return };
            match (kind, option.len()) {
                (2, 4) => self.largest = u16_at(option, 2),
                // RFC 7323: more than 14 is 14.
                (3, 3) => self.scale = Some(option[2].min(14)),
                _ => {}
            }
            options = after;
        }
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// How far it takes the sequence: SYN and FIN count as a byte each.
    pub(super) fn length(&self) -> u32 {
        self.payload.len() as u32 + u32::from(self.has(flag::SYN)) + u32::from(self.has(flag::FIN))
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    pub flow: Flow,
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    pub(super) fn parse(packet: &Packet<'a>) -> Option<Self> {
        let header = packet.payload.get(..UDP_HEADER)?;
        let payload = packet.payload.get(UDP_HEADER..usize::from(u16_at(header, 4)?))?;
        Some(Self { flow: packet.flow(u16_at(header, 0)?, u16_at(header, 2)?), payload })
    }
}

/// The question of ping(8). Its number stands where others have the port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Echo<'a> {
    pub flow: Flow,
    pub message: &'a [u8],
}

impl<'a> Echo<'a> {
    pub(super) fn parse(packet: &Packet<'a>) -> Option<Self> {
        let header = packet.payload.get(..8)?;
        let is_request = header[0] == 8 && header[1] == 0;
        is_request.then_some(())?;
        Some(Self { flow: packet.flow(u16_at(header, 4)?, 0), message: packet.payload })
    }
}

/// Puts packets together, in one buffer that is used again and again.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    count: u16,
}

/// What a segment says besides its data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Says {
    pub sequence: u32,
    pub acknowledged: u32,
    pub flags: u8,
    pub window: u16,
    /// The options of a SYN, if it is one.
    pub syn: Option<(u16, Option<u8>)>,
}

impl Writer {
    /// A segment to the container. Its data may be in two pieces.
    pub(super) fn segment(&mut self, flow: &Flow, says: &Says, data: (&[u8], &[u8])) -> &[u8] {
        let mut options: Vec<u8> = Vec::new();
        if let Some((largest, scale)) = says.syn {
            options.extend([2, 4]);
            options.extend(largest.to_be_bytes());
            if let Some(scale) = scale {
                options.extend([1, 3, 3, scale]);
            }
        }
        let length = TCP_HEADER + options.len() + data.0.len() + data.1.len();
        self.begin(TCP, *flow.outer.ip(), *flow.inner.ip(), length);
        self.bytes.extend(flow.outer.port().to_be_bytes());
        self.bytes.extend(flow.inner.port().to_be_bytes());
        self.bytes.extend(says.sequence.to_be_bytes());
        self.bytes.extend(says.acknowledged.to_be_bytes());
        self.bytes.extend([((TCP_HEADER + options.len()) << 2) as u8, says.flags]);
        self.bytes.extend(says.window.to_be_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend_from_slice(&options);
        self.bytes.extend_from_slice(data.0);
        self.bytes.extend_from_slice(data.1);
        self.finish(16, pseudo_header(flow, TCP, length))
    }

    /// A datagram to the container.
    pub(super) fn datagram(&mut self, flow: &Flow, payload: &[u8]) -> &[u8] {
        let length = UDP_HEADER + payload.len();
        self.begin(UDP, *flow.outer.ip(), *flow.inner.ip(), length);
        self.bytes.extend(flow.outer.port().to_be_bytes());
        self.bytes.extend(flow.inner.port().to_be_bytes());
        self.bytes.extend((length as u16).to_be_bytes());
        self.bytes.extend([0; 2]);
        self.bytes.extend_from_slice(payload);
        self.finish(6, pseudo_header(flow, UDP, length))
    }

    /// An answer to a ping: the message that came, with the container's number in it.
    pub(super) fn echo_reply(&mut self, flow: &Flow, message: &[u8]) -> &[u8] {
        self.begin(ICMP, *flow.outer.ip(), *flow.inner.ip(), message.len());
        self.bytes.extend([0; 4]);
        self.bytes.extend(flow.inner.port().to_be_bytes());
        self.bytes.extend_from_slice(message.get(6..).unwrap_or_default());
        self.finish(2, 0)
    }

    /// Tells the sender of a packet, of which this is the beginning, that it does not get there.
    pub(super) fn unreachable(&mut self, from: Ipv4Addr, to: Ipv4Addr, code: u8, quote: &[u8]) -> &[u8] {
        self.begin(ICMP, from, to, 8 + quote.len());
        self.bytes.extend([3, code, 0, 0, 0, 0, 0, 0]);
        self.bytes.extend_from_slice(quote);
        self.finish(2, 0)
    }

    fn begin(&mut self, protocol: u8, from: Ipv4Addr, to: Ipv4Addr, length: usize) {
        self.count = self.count.wrapping_add(1);
        self.bytes.clear();
        // Version and length of the header; 64 routers at most.
        self.bytes.extend([0x45, 0]);
        self.bytes.extend(((IP_HEADER + length) as u16).to_be_bytes());
        self.bytes.extend(self.count.to_be_bytes());
        self.bytes.extend([0, 0, 64, protocol, 0, 0]);
        self.bytes.extend(from.octets());
        self.bytes.extend(to.octets());
        let checksum = fold(sum(&self.bytes));
        self.put(10, checksum);
    }

    fn finish(&mut self, checksum_at: usize, pseudo_header: u64) -> &[u8] {
        let checksum = fold(pseudo_header + sum(&self.bytes[IP_HEADER..]));
        // In a datagram, zero is "none".
        self.put(IP_HEADER + checksum_at, if checksum == 0 { 0xffff } else { checksum });
        &self.bytes
    }

    fn put(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }
}

/// The beginning of a packet as the container sent it, for the error message about a flow. The last four bytes are TCP's sequence, which
/// must be right, or a datagram's length and checksum, at which nobody looks.
pub(super) fn quote_of(flow: &Flow, protocol: u8, last: u32) -> [u8; IP_HEADER + 8] {
    let mut bytes = [0; IP_HEADER + 8];
    bytes[0] = 0x45;
    bytes[3] = (IP_HEADER + 8) as u8;
    (bytes[8], bytes[9]) = (64, protocol);
    bytes[12..16].copy_from_slice(&flow.inner.ip().octets());
    bytes[16..20].copy_from_slice(&flow.outer.ip().octets());
    let checksum = fold(sum(&bytes[..IP_HEADER]));
    bytes[10..12].copy_from_slice(&checksum.to_be_bytes());
    bytes[20..22].copy_from_slice(&flow.inner.port().to_be_bytes());
    bytes[22..24].copy_from_slice(&flow.outer.port().to_be_bytes());
    bytes[24..28].copy_from_slice(&last.to_be_bytes());
    bytes
}

fn pseudo_header(flow: &Flow, protocol: u8, length: usize) -> u64 {
    sum(&flow.inner.ip().octets()) + sum(&flow.outer.ip().octets()) + u64::from(protocol) + length as u64
}

/// The sum of a checksum (RFC 1071), not yet folded: four bytes at a time come to the same.
fn sum(bytes: &[u8]) -> u64 {
    let (fours, rest) = bytes.as_chunks::<4>();
    let whole: u64 = fours.iter().map(|four| u64::from(u32::from_be_bytes(*four))).sum();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    whole + u64::from(u32::from_be_bytes(last))
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

fn address_at(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    u32_at(bytes, at).map(Ipv4Addr::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow { inner: "10.0.0.2:4711".parse().unwrap(), outer: "192.0.2.1:80".parse().unwrap() }
    }

    /// What is written is read again, the other way round, and sums up.
    #[test]
    fn segments_and_datagrams() {
        let mut writer = Writer::default();
        let says = Says {
            sequence: 7,
            acknowledged: 9,
            flags: flag::SYN | flag::ACK,
            window: 500,
            syn: Some((1460, Some(4))),
        };
        let bytes = writer.segment(&flow(), &says, (b"ab", b"c")).to_vec();
        let packet = Packet::parse(&bytes).unwrap();
        let segment = Segment::parse(&packet).unwrap();
        assert_eq!((segment.flow.inner, segment.flow.outer), (flow().outer, flow().inner));
        assert_eq!((segment.sequence, segment.acknowledged, segment.window), (7, 9, 500));
        assert_eq!((segment.largest, segment.scale, segment.payload), (Some(1460), Some(4), &b"abc"[..]));
        assert_eq!(segment.length(), 4);
        assert_eq!(fold(sum(&bytes[..20])), 0);
        assert_eq!(fold(sum(&bytes[20..]) + pseudo_header(&flow(), TCP, bytes.len() - 20)), 0);

        let bytes = writer.datagram(&flow(), b"hello").to_vec();
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(Datagram::parse(&packet).unwrap().payload, b"hello");
        assert_eq!(fold(sum(&bytes[20..]) + pseudo_header(&flow(), UDP, bytes.len() - 20)), 0);
    }

    /// Every beginning of a packet, and every one with one byte changed: no panic, and nothing longer than it is.
    #[test]
    fn what_is_no_packet_is_none() {
        let mut writer = Writer::default();
        let says = Says { sequence: 0, acknowledged: 0, flags: flag::SYN, window: 0, syn: Some((1460, Some(200))) };
        let look = |bytes: &[u8]| {
            let Some(packet) = Packet::parse(bytes) else { return };
            assert!(packet.payload.len() < bytes.len() && packet.quote.len() <= bytes.len());
            let _ = (Segment::parse(&packet), Datagram::parse(&packet), Echo::parse(&packet));
        };
        for whole in [writer.segment(&flow(), &says, (b"x", b"")).to_vec(), writer.datagram(&flow(), b"x").to_vec()] {
            for end in 0..whole.len() {
                assert!(Packet::parse(&whole[..end]).is_none());
            }
            for at in 0..whole.len() {
                for value in 0..=255 {
                    let mut bytes = whole.clone();
                    bytes[at] = value;
                    look(&bytes);
                }
            }
        }
    }
}
