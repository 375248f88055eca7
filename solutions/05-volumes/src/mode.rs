//! The third part of `-v source:target:mode`: words between commas, at most one of each kind.

use crate::mount_point::Propagation;

/// What the words say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mode {
    pub read_only: bool,
    /// None: nothing was said of it.
    pub propagation: Option<Propagation>,
    pub no_copy: bool,
}

/// Of each kind a mode has at most one word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Access,
    Label,
    Propagation,
    Copy,
    Consistency,
}

impl Mode {
    /// Reads a mode; an empty one says nothing. None if it is none.
    ///
    /// `z` and `Z` relabel files for SELinux, under which containers of other engines run; ours carry no label, and need
    /// none on the files. `consistent`, `cached` and `delegated` are about virtual machines.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut mode = Self::default();
        let mut seen = Vec::new();
        for word in text.split(',').filter(|_| !text.is_empty()) {
            let kind = match word {
                "ro" | "rw" => {
                    mode.read_only = word == "ro";
                    Kind::Access
                }
                "z" | "Z" => Kind::Label,
                "nocopy" => {
                    mode.no_copy = true;
                    Kind::Copy
                }
                "consistent" | "cached" | "delegated" => Kind::Consistency,
                word => {
                    mode.propagation = Some(Propagation::parse(word)?);
                    Kind::Propagation
                }
            };
            if seen.contains(&kind) {
                return None;
            }
            seen.push(kind);
        }
        Some(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_different_kinds_go_together() {
        let mode = Mode::parse("ro,Z,rslave,cached").unwrap();
        assert_eq!(mode, Mode { read_only: true, propagation: Some(Propagation::RSlave), no_copy: false });
        assert_eq!(Mode::parse(""), Some(Mode::default()));
        assert!(Mode::parse("nocopy,rw").unwrap().no_copy);
    }

    #[test]
    fn one_of_each_kind_and_no_other_word() {
        for wrong in ["ro,rw", "z,Z", "shared,rshared", "ro,ro", "RO", "unbindable", ",", "ro,", "x"] {
            assert_eq!(Mode::parse(wrong), None, "{wrong}");
        }
    }
}
