//! A mount as it is known once it was understood: nothing in it can be wrong any more, but what it shows may be missing.

use crate::options::Options;
use crate::request::TmpfsOptions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What is seen where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountPoint {
    /// Where the container sees it: absolute, and as [`clean`] makes it.
    pub destination: String,
    /// What it sees there.
    pub source: Source,
    /// Whether it may only look.
    pub read_only: bool,
    /// The third part of `-v`, as it was typed; `inspect` shows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
}

/// The three kinds of things that a container sees and that are not its image's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A folder or file of the host.
    Bind(Bind),
    /// Data that outlives the container.
    Volume(VolumeUse),
    /// Memory, which is gone with the container's process.
    Tmpfs(TmpfsOptions),
}

/// A folder or file of the host in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Bind {
    /// Absolute, and as [`clean`] makes it.
    pub path: String,
    /// What happens when something is mounted beneath, on either side.
    pub propagation: Propagation,
    /// Without what is mounted beneath it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// Where it is read-only: what is mounted beneath it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub writable_beneath: bool,
    /// Make a folder where there is nothing: `-v` does, `--mount` does not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
}

/// A volume in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeUse {
    /// Empty as long as a volume without a name has not been made.
    pub name: String,
    /// Nobody gave it a name, so nobody will ask for it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
    /// Whether what the image has at this place may go into it, if it is empty.
    #[serde(skip)]
    pub copy: bool,
    /// Only this part of it is seen; empty is all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
    /// How to make it, if there is none of this name.
    #[serde(skip)]
    pub new: NewVolume,
}

/// What a volume is made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewVolume {
    /// Empty is `local`, and there is no other.
    pub driver: String,
    /// See [`Options`].
    pub options: BTreeMap<String, String>,
    /// For people and filters.
    pub labels: Option<BTreeMap<String, String>>,
    /// Whether it has to survive the machine: what is removed with its container need not.
    pub passing: bool,
}

impl NewVolume {
    /// Its options, looked at.
    pub(crate) fn backing(&self, name: &str) -> crate::Result<Options> {
        Options::parse(&self.options).map_err(|fault| crate::Error::Option { name: name.to_owned(), fault })
    }
}

/// What happens in a container when something is mounted beneath the source of a bind mount, and the other way round
/// (mount_namespaces(7), "Shared subtrees"). Those with an `r` mean the mounts beneath as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "they are the kernel's words")]
pub enum Propagation {
    Private,
    /// Nothing, either way: Docker's default.
    #[default]
    RPrivate,
    Slave,
    /// The container sees what the host mounts.
    RSlave,
    Shared,
    /// Either sees what the other mounts.
    RShared,
}

impl Propagation {
    const ALL: [(&'static str, Self); 6] = [
        ("private", Self::Private),
        ("rprivate", Self::RPrivate),
        ("slave", Self::Slave),
        ("rslave", Self::RSlave),
        ("shared", Self::Shared),
        ("rshared", Self::RShared),
    ];

    /// The one that this word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, propagation)| *propagation)
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, propagation)| *propagation == self).map_or("", |(word, _)| word)
    }

    /// Whether the host shall see what the container mounts: then the host's own mount must be shared.
    pub fn goes_up(self) -> bool {
        matches!(self, Self::Shared | Self::RShared)
    }

    /// Whether the container shall see what the host mounts: then the host's own mount must be shared, or a slave.
    pub fn goes_down(self) -> bool {
        matches!(self, Self::Slave | Self::RSlave)
    }
}

impl fmt::Display for Propagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An absolute path without `.`, `..` and doubled slashes. As text: what is a link in the container, or on the host, is
/// not known here, and not asked.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn propagation_is_spelt_as_the_kernel_spells_it() {
        for word in ["private", "rprivate", "slave", "rslave", "shared", "rshared"] {
            let propagation = Propagation::parse(word).unwrap();
            assert_eq!(
                (propagation.as_str(), serde_json::to_string(&propagation).unwrap()),
                (word, format!("{word:?}"))
            );
        }
        assert_eq!(Propagation::parse("unbindable"), None);
    }

    #[test]
    fn paths_are_cleaned_as_text() {
        for (given, cleaned) in
            [("/a//b/./c/", "/a/b/c"), ("/a/../../b", "/b"), ("a", "/a"), ("/", "/"), ("", "/"), ("/..", "/")]
        {
            assert_eq!(clean(given), cleaned, "{given}");
        }
    }
}
