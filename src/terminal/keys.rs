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

    /// Keys between commas.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let keys = if text.is_empty() { "ctrl-p,ctrl-q" } else { text };
        let bytes = keys.split(',').map(|name| {
            engine::detach_key(name)
                .ok_or_else(|| anyhow::anyhow!("invalid detach keys ({text}): Unknown character: '{name}'"))
        });
        Ok(Self { text: text.to_owned(), bytes: bytes.collect::<Result<_, _>>()? })
    }

    /// Watches what is typed.
    pub fn watch(&self) -> engine::DetachKeys {
        engine::DetachKeys::new(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_read_as_docker_reads_them() {
        assert_eq!(DetachKeys::parse("a,ctrl-b,ctrl-\\,ctrl-C").unwrap().bytes, [b'a', 2, 28, 3]);
        assert_eq!(DetachKeys::parse("").unwrap().bytes, [16, 17]);
        let error = DetachKeys::parse("foo").unwrap_err().to_string();
        assert_eq!(error, "invalid detach keys (foo): Unknown character: 'foo'");
    }
}
