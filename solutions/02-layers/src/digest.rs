//! The name of a blob: the SHA-256 of its bytes.
//!
//! OCI image-spec, descriptor.md ("Digests"). The specification knows sha512 too; no registry and no tool uses it.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The 64 digits without the algorithm, as file names and short ids use them.
    pub fn hex(&self) -> String {
        let digits = b"0123456789abcdef";
        self.0
            .iter()
            .flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]])
            .map(char::from)
            .collect()
    }

    /// The first twelve digits, as Docker prints ids.
    pub fn short(&self) -> String {
        self.hex()[..12].to_string()
    }

    /// A digest from its 64 digits alone.
    ///
    /// # Errors
    /// [`Error::InvalidDigest`] if these are not 64 lowercase hexadecimal digits.
    pub fn from_hex(hex: &str) -> Result<Digest> {
        let invalid = || Error::InvalidDigest(format!("sha256:{hex}"));
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        if hex.len() != 64 {
            return Err(invalid());
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let (Some(high), Some(low)) = (value(pair[0]), value(pair[1])) else { return Err(invalid()) };
            *byte = high << 4 | low;
        }
        Ok(Digest(bytes))
    }
}

/// The chain ID of each layer of a stack, lowest first as the `diff_ids` are.
///
/// A diff ID names a layer: it is the digest of its uncompressed tar. A chain ID names a layer *and all below it*, for
/// what a layer looks like once it is unpacked depends on those; so two images that begin with the same layers share
/// their folders, `layers/<chain id>/fs`, and two that have the same layer over different ones do not.
///
/// The lowest layer's chain ID is its diff ID. The chain ID of any other is the digest of a text: the chain ID of the
/// layer below it, one space, its own diff ID, both as they are printed (`sha256:…`):
///
/// ```text
/// ChainID(L0) = DiffID(L0)        ChainID(L0|…|Ln) = SHA256(ChainID(L0|…|Ln-1) + " " + DiffID(Ln))
/// ```
///
/// OCI image-spec, config.md, "Layer ChainID".
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    // exercise: 2.2 chain_id: name each layer and all below it
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        chain.push(match chain.last() {
            None => *diff_id,
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        });
    }
    chain
    // end exercise
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Digest> {
        let hex = text.strip_prefix("sha256:").ok_or_else(|| Error::InvalidDigest(text.to_string()))?;
        Digest::from_hex(hex)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest and a size from bytes that pass by.
#[derive(Clone, Default)]
pub struct Hasher {
    state: Sha256,
    size: u64,
}

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// How many bytes have passed.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of all that has passed.
    pub fn finish(self) -> Digest {
        Digest(self.state.finalize().into())
    }
}

/// A reader that hashes what is read through it.
pub struct HashingReader<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> HashingReader<R> {
    /// Hashes all that is read from `inner` from here on.
    pub fn new(inner: R) -> Self {
        HashingReader { inner, hasher: Hasher::default() }
    }

    /// The digest and the number of the bytes read so far.
    pub fn finish(self) -> (Digest, u64) {
        let size = self.hasher.size();
        (self.hasher.finish(), size)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for HashingReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // What lies there was read before: there is nothing to go wrong.
        if let Ok(bytes) = self.inner.fill_buf() {
            self.hasher.update(&bytes[..count.min(bytes.len())]);
        }
        self.inner.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_is_hashed_when_it_is_taken() {
        let mut reader = HashingReader::new(io::BufReader::with_capacity(4, &b"one two three"[..]));
        assert_eq!(reader.fill_buf().unwrap(), b"one ");
        reader.consume(3);
        reader.read_exact(&mut [0; 4]).unwrap();
        assert_eq!(reader.finish(), (Digest::of(b"one two"), 7));
    }

    #[test]
    fn a_digest_is_parsed_and_printed() {
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest: Digest = text.parse().unwrap();
        assert_eq!(digest, Digest::of(b""));
        assert_eq!(digest.to_string(), text);
        assert_eq!(digest.short(), "e3b0c44298fc");
    }

    #[test]
    fn what_is_not_a_digest_is_refused() {
        let upper = format!("sha256:{}", "A".repeat(64));
        let long = format!("sha256:{}", "a".repeat(65));
        for text in [
            "",
            "sha256:",
            "sha256:abc",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            &upper,
            &long,
            "sha256:../../etc/passwd",
        ] {
            assert!(matches!(text.parse::<Digest>(), Err(Error::InvalidDigest(_))), "{text}");
        }
    }
}
