//! The names of volumes. A name becomes a folder's, so only a checked one may.

use crate::{Error, Result};
use rand::RngExt;
use std::fmt;

/// The name of a volume: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`. No slash, and no dot at the beginning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeName(String);

impl VolumeName {
    /// The name that this text is.
    ///
    /// # Errors
    /// [`Error::NameTooShort`], [`Error::Name`].
    pub fn parse(text: &str) -> Result<Self> {
        if text.chars().count() == 1 {
            return Err(Error::NameTooShort(text.to_owned()));
        }
        let good = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
            // What a folder's name may have: NAME_MAX of linux/limits.h.
            && text.len() <= 255;
        if good { Ok(Self(text.to_owned())) } else { Err(Error::Name(text.to_owned())) }
    }

    /// For a volume that nobody names: 32 random bytes in hexadecimal, as Docker makes them.
    pub fn random() -> Self {
        let bytes: [u8; 32] = rand::rng().random();
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VolumeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_dockers_rule() {
        for good in ["my-volume", "a1", "0_.-", "A.b", VolumeName::random().as_str()] {
            assert_eq!(VolumeName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".a", "-a", "a b", "a/b", "../a", "é1", "~x", &"a".repeat(256)] {
            assert!(matches!(VolumeName::parse(bad), Err(Error::Name(_))), "{bad}");
        }
        let short = "create a: volume name is too short, names should be at least two alphanumeric characters";
        assert_eq!(VolumeName::parse("a").unwrap_err().to_string(), short);
        let spaced = "create a b: \"a b\" includes invalid characters for a local volume name, only \
                      \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path";
        assert_eq!(VolumeName::parse("a b").unwrap_err().to_string(), spaced);
    }
}
