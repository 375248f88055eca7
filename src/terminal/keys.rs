//! Leaving a container without stopping it: a sequence of keys, `ctrl-p,ctrl-q` unless told otherwise.

/// The keys, as the bytes a terminal sends for them; none when nothing detaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachKeys {
    /// As the user wrote it, for the server; empty for the default.
    pub text: String,
    bytes: Vec<u8>,
}

impl DetachKeys {
    /// From the flag, else from Docker's configuration file, else the default.
    pub fn choose(flag: Option<&str>) -> anyhow::Result<Self> {
        let text = match flag {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => crate::flags::config::setting("detachKeys").unwrap_or_default(),
        };
        Self::parse(&text)
    }

    /// Keys between commas: a character, or `ctrl-` and one of `a-z @ [ \ ] ^ _`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if text.is_empty() {
            return Ok(Self { text: String::new(), bytes: vec![16, 17] });
        }
        let key = |key: &str| match *key.as_bytes() {
            [byte] => Some(byte),
            [b'c', b't', b'r', b'l', b'-', letter] => match letter.to_ascii_lowercase() {
                letter @ b'a'..=b'z' => Some(letter - b'a' + 1),
                b'@' => Some(0),
                b'[' => Some(27),
                b'\\' => Some(28),
                b']' => Some(29),
                b'^' => Some(30),
                b'_' => Some(31),
                _ => None,
            },
            _ => None,
        };
        let bytes = text.split(',').map(|name| {
            key(name).ok_or_else(|| anyhow::anyhow!("invalid detach keys ({text}): Unknown character: '{name}'"))
        });
        Ok(Self { text: text.to_owned(), bytes: bytes.collect::<Result<_, _>>()? })
    }

    /// Watches what is typed.
    pub fn watch(&self) -> Watch {
        Watch { keys: self.bytes.clone(), seen: 0 }
    }
}

/// How far into the sequence the user is.
#[derive(Debug)]
pub struct Watch {
    keys: Vec<u8>,
    seen: usize,
}

impl Watch {
    /// What goes on to the container, and whether the sequence is complete. The first keys of a sequence are held back
    /// until it is clear whether the rest follows.
    pub fn feed(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut through = Vec::with_capacity(typed.len());
        for &byte in typed {
            if self.keys.get(self.seen) == Some(&byte) {
                self.seen += 1;
                if self.seen == self.keys.len() {
                    return (through, true);
                }
                continue;
            }
            through.extend_from_slice(&self.keys[..self.seen]);
            self.seen = 0;
            if self.keys.first() == Some(&byte) {
                self.seen = 1;
            } else {
                through.push(byte);
            }
        }
        (through, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_back_until_it_is_clear() {
        let mut watch = DetachKeys::parse("").unwrap().watch();
        assert_eq!(watch.feed(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(watch.feed(b"c"), (b"\x10c".to_vec(), false));
        assert_eq!(watch.feed(b"\x10\x10\x11rest"), (b"\x10".to_vec(), true));
    }

    #[test]
    fn sequences_are_read_as_docker_reads_them() {
        assert_eq!(DetachKeys::parse("a,ctrl-b,ctrl-\\").unwrap().bytes, [b'a', 2, 28]);
        let error = DetachKeys::parse("foo").unwrap_err().to_string();
        assert_eq!(error, "invalid detach keys (foo): Unknown character: 'foo'");
    }
}
