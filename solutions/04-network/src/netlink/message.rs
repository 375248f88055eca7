//! Messages and their attributes, as bytes (netlink(7), and the macros of netlink(3)).

/// Everything begins at a multiple of this.
const ALIGNMENT: usize = 4;
/// `struct nlmsghdr`: length, kind, flags, sequence number, port.
pub(super) const HEADER: usize = 16;
/// An attribute that holds attributes.
const NESTED: u16 = 1 << 15;
/// The bits of an attribute's kind that name it (the others are [`NESTED`] and one for the byte order).
const KIND: u16 = 0x3fff;

/// What a header says of the message: it is a request, it is to be acknowledged, all there are are wanted, it makes something,
/// which must not be there yet.
pub mod flags {
    pub const REQUEST: u16 = 0x1;
    pub const ACK: u16 = 0x4;
    pub const DUMP: u16 = 0x300;
    pub const EXCLUSIVE: u16 = 0x200;
    pub const CREATE: u16 = 0x400;
    pub const APPEND: u16 = 0x800;
}

/// A message that is being written, or was received.
#[derive(Clone, Debug)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A request: its kind, further flags, and the fixed structure that the kind begins with.
    pub fn new(kind: u16, further_flags: u16, structure: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags::REQUEST | further_flags).to_ne_bytes());
        let mut message = Self { bytes };
        message.structure(structure);
        message
    }

    /// As it came.
    pub(super) fn received(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec() }
    }

    /// A fixed structure.
    pub fn structure(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self.pad();
        self
    }

    /// An attribute.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        // Never longer than a datagram, which is far shorter than what 16 bits can say.
        let length = (4 + value.len()) as u16;
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.structure(value)
    }

    /// A text, with the NUL that the kernel wants at its end.
    pub fn text(&mut self, kind: u16, text: &str) -> &mut Self {
        self.attribute(kind, &[text.as_bytes(), &[0]].concat())
    }

    /// An attribute made of attributes.
    pub fn nested(&mut self, kind: u16, write: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.bytes.len();
        self.attribute(kind | NESTED, &[]);
        write(self);
        let length = (self.bytes.len() - start) as u16;
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }

    /// The bytes to be sent: the length and the sequence number are known only now.
    pub(super) fn finish(mut self, sequence: u32, further_flags: u16) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        let flags = self.flags() | further_flags;
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }

    /// What is asked for, or told.
    pub fn kind(&self) -> u16 {
        u16::from_ne_bytes([self.bytes[4], self.bytes[5]])
    }

    /// [`flags`].
    pub fn flags(&self) -> u16 {
        u16::from_ne_bytes([self.bytes[6], self.bytes[7]])
    }

    pub(super) fn sequence(&self) -> u32 {
        u32::from_ne_bytes([self.bytes[8], self.bytes[9], self.bytes[10], self.bytes[11]])
    }

    /// What follows the header.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// The attributes behind a fixed structure of this size.
    pub fn attributes(&self, structure: usize) -> Attributes<'_> {
        Attributes(self.body().get(structure.next_multiple_of(ALIGNMENT)..).unwrap_or_default())
    }
}

/// The attributes of a message, or of an attribute, each with its kind.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Attributes<'a> {
    /// The value of the first attribute of this kind.
    pub fn value(self, kind: u16) -> Option<&'a [u8]> {
        let mut all = self;
        all.find_map(|(found, value)| (found == kind).then_some(value))
    }

    /// The same as a text, without its NUL.
    pub fn text(self, kind: u16) -> Option<&'a str> {
        let value = self.value(kind)?;
        std::str::from_utf8(value.strip_suffix(&[0]).unwrap_or(value)).ok()
    }

    /// The same as a number in network byte order, as the packet filter speaks.
    pub(crate) fn be_u32(self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.value(kind)?.try_into().ok()?))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, kind) = (u16_at(self.0, 0)?, u16_at(self.0, 2)?);
        let value = self.0.get(4..usize::from(length))?;
        self.0 = self.0.get(usize::from(length).next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some((kind & KIND, value))
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_they_were_written() {
        let mut message = Message::new(16, flags::CREATE, &[1, 2, 3, 4]);
        message.text(3, "eth0").nested(18, |info| {
            info.text(1, "veth");
        });
        let bytes = message.finish(7, flags::ACK);
        assert_eq!(bytes.len() % 4, 0);
        let message = Message::received(&bytes);
        assert_eq!((message.kind(), message.sequence(), message.body()[..4].to_vec()), (16, 7, vec![1, 2, 3, 4]));
        assert_eq!(message.attributes(4).text(3), Some("eth0"));
        assert_eq!(Attributes(message.attributes(4).value(18).unwrap()).text(1), Some("veth"));
    }

    #[test]
    fn half_an_attribute_is_none() {
        for cut in [&[8, 0, 1][..], &[8, 0, 1, 0, 1][..], &[2, 0, 1, 0][..]] {
            assert_eq!(Attributes(cut).count(), 0, "{cut:?}");
        }
    }
}
