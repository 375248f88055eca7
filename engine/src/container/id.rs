//! A container's ID: 32 random bytes in hexadecimal, as Docker makes them.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Sixty-four lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId(String);

impl ContainerId {
    /// A new one. Its first 12 digits are never all decimal: they become the hostname, and a hostname that is a number
    /// is taken for an IPv4 address by some resolvers (Docker takes the same care).
    pub fn random() -> Self {
        loop {
            let bytes: [u8; 32] = rand::rng().random();
            let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            if id[..12].bytes().any(|digit| !digit.is_ascii_digit()) {
                return Self(id);
            }
        }
    }

    /// The ID that `text` is, if it is a whole one.
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        good.then(|| Self(text.to_owned()))
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits, as tables and hostnames show it.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> Self {
        id.0
    }
}

impl TryFrom<String> for ContainerId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not the ID of a container"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_ids_are_ids() {
        let id = ContainerId::random();
        assert_eq!(ContainerId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(ContainerId::parse(id.short()), None);
        assert_eq!(ContainerId::parse(&"A".repeat(64)), None);
        assert_eq!(ContainerId::parse(&format!("{}/", "a".repeat(63))), None);
        assert!(id.short().bytes().any(|b| !b.is_ascii_digit()));
    }
}
