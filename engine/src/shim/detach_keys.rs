//! The keys that detach a terminal: `ctrl-p,ctrl-q` unless `--detach-keys` says otherwise.
//!
//! Docker's client and server both look for them. So do ours: the shim, so that every client has them, and the command
//! line, which may talk to a server that does not.

use crate::{Error, Kind, Result};

/// Reads `ctrl-a,ctrl-b`, `ctrl-@`, `a,b,c`. None asks for the default.
///
/// # Errors
/// [`Kind::Invalid`] in Docker's words.
pub(crate) fn parse(text: Option<&str>) -> Result<Vec<u8>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(vec![0x10, 0x11]) };
    let keys: Option<Vec<u8>> = text.split(',').map(detach_key).collect();
    keys.ok_or_else(|| Error::new(Kind::Invalid, format!("Invalid detach keys ({text}) provided")))
}

/// The byte that a terminal sends for a key: a character, or `ctrl-` and one of `a-z @ [ \ ] ^ _`.
pub fn detach_key(text: &str) -> Option<u8> {
    if let [single] = text.as_bytes() {
        return Some(*single);
    }
    match text.strip_prefix("ctrl-")?.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Some(letter.to_ascii_lowercase() - b'a' + 1),
        // A control character is the key without its upper bits (ASCII).
        [sign @ (b'@' | b'[' | b'\\' | b']' | b'^' | b'_')] => Some(sign & 0x1f),
        _ => None,
    }
}

/// Looks for the keys in what is typed. What may be their beginning is held back until it is clear.
#[derive(Debug)]
pub struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

impl DetachKeys {
    /// Looks for these.
    pub fn new(keys: &[u8]) -> Self {
        Self { keys: keys.to_vec(), matched: 0 }
    }

    /// What to pass on, and whether the keys were there.
    pub fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut pass = Vec::with_capacity(typed.len());
        for &byte in typed {
            if self.keys.get(self.matched) == Some(&byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    return (pass, true);
                }
                continue;
            }
            pass.extend_from_slice(&self.keys[..self.matched]);
            self.matched = usize::from(self.keys.first() == Some(&byte));
            if self.matched == 0 {
                pass.push(byte);
            }
        }
        (pass, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_docker_writes_them() {
        assert_eq!(parse(None).unwrap(), [16, 17]);
        assert_eq!(parse(Some("ctrl-a,x,ctrl-@,ctrl-[")).unwrap(), [1, b'x', 0, 27]);
        assert_eq!(parse(Some("ctrl-1")).unwrap_err().message, "Invalid detach keys (ctrl-1) provided");
    }

    #[test]
    fn they_are_found_across_reads_and_false_starts_pass() {
        let mut keys = DetachKeys::new(&[16, 17]);
        assert_eq!(keys.filter(b"ls\x10"), (b"ls".to_vec(), false));
        assert_eq!(keys.filter(b"x"), (b"\x10x".to_vec(), false));
        assert_eq!(keys.filter(b"\x10\x10"), (b"\x10".to_vec(), false));
        assert_eq!(keys.filter(b"\x11rest"), (vec![], true));
    }

    #[test]
    fn a_single_key_detaches_at_once() {
        assert_eq!(DetachKeys::new(b"q").filter(b"abqc"), (b"ab".to_vec(), true));
    }
}
