//! `--chmod`: octal digits, or the symbols of chmod(1) such as `u=rwX,go=rX`.

use crate::error::{Error, Result};

/// What becomes of a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chmod {
    /// This, whatever it was.
    Octal(u32),
    /// One change after the other.
    Symbols(Vec<Change>),
}

/// `go+rX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Whose permissions, as a mask: 0o700, 0o070, 0o007.
    who: u32,
    /// `+`, `-` or `=`.
    operator: u8,
    permissions: Vec<u8>,
}

const USER: u32 = 0o700;
const GROUP: u32 = 0o070;
const OTHER: u32 = 0o007;
const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

impl Chmod {
    /// # Errors
    /// BuildKit's words for what is neither.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits(text) {
            let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
            return mode.map(Self::Octal).ok_or_else(|| {
                let why = "it should be octal string and between 0 and 07777";
                Error::Chmod(format!("invalid chmod parameter: '{text}'. {why}"))
            });
        }
        let invalid =
            || Error::Chmod(format!("invalid chmod parameter: '{text}'. it is neither octal nor as u=rwX,go=rX"));
        let changes = text.split(',').map(clause).collect::<Option<Vec<_>>>().ok_or_else(invalid)?;
        Ok(Self::Symbols(changes.into_iter().flatten().collect()))
    }

    /// The mode of a file or folder that had this one.
    pub(crate) fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        match self {
            Self::Octal(mode) => *mode,
            Self::Symbols(changes) => {
                let executable = is_folder || mode & 0o111 != 0;
                changes.iter().fold(mode, |mode, change| change.apply(mode, executable))
            }
        }
    }
}

/// `ug+x-w`: who, and then operators with their permissions.
fn clause(text: &str) -> Option<Vec<Change>> {
    let start = text.find(['+', '-', '='])?;
    let (letters, mut rest) = text.split_at(start);
    let mut who = 0;
    for letter in letters.bytes() {
        who |= match letter {
            b'u' => USER,
            b'g' => GROUP,
            b'o' => OTHER,
            b'a' => USER | GROUP | OTHER,
            _ => return None,
        };
    }
    if letters.is_empty() {
        who = USER | GROUP | OTHER;
    }
    let mut changes = Vec::new();
    while let Some((operator, after)) = rest.as_bytes().split_first() {
        let end = after.iter().position(|byte| matches!(byte, b'+' | b'-' | b'=')).unwrap_or(after.len());
        let permissions = after[..end].to_vec();
        if !permissions.iter().all(|letter| b"rwxXstugo".contains(letter)) {
            return None;
        }
        changes.push(Change { who, operator: *operator, permissions });
        rest = &rest[1 + end..];
    }
    Some(changes)
}

impl Change {
    fn apply(&self, mode: u32, executable: bool) -> u32 {
        // Of every class, cut down to those that are meant.
        let for_all = |bits: u32| (bits << 6 | bits << 3 | bits) & self.who;
        let mut bits = 0;
        for letter in &self.permissions {
            bits |= match letter {
                b'r' => for_all(4),
                b'w' => for_all(2),
                b'x' => for_all(1),
                b'X' if executable => for_all(1),
                b'u' => for_all(mode >> 6 & 7),
                b'g' => for_all(mode >> 3 & 7),
                b'o' => for_all(mode & 7),
                b's' => self.set_id(),
                b't' if self.who != OTHER => STICKY,
                _ => 0,
            };
        }
        match self.operator {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            _ => mode & !(self.who | self.set_id() | (STICKY & bits)) | bits,
        }
    }

    /// The bits that `s` stands for.
    fn set_id(&self) -> u32 {
        (if self.who & USER != 0 { SETUID } else { 0 }) | (if self.who & GROUP != 0 { SETGID } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_chmod_does() {
        for (text, before, is_folder, after) in [
            ("755", 0o600, false, 0o755),
            ("04755", 0o600, false, 0o4755),
            ("0", 0o777, true, 0),
            ("u=rwX,go=rX", 0o600, false, 0o644),
            ("u=rwX,go=rX", 0o700, false, 0o755),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("+x", 0o644, false, 0o755),
            ("a-w", 0o666, false, 0o444),
            ("go=", 0o777, false, 0o700),
            ("go=u-w", 0o750, false, 0o755),
            ("g=u", 0o640, false, 0o660),
            ("u+s", 0o755, false, 0o4755),
            ("g+s", 0o755, true, 0o2755),
            ("+t", 0o777, true, 0o1777),
            ("u=rw", 0o4755, false, 0o655),
            ("ug+x,o-r", 0o644, false, 0o750),
            ("o+s", 0o755, false, 0o755),
        ] {
            assert_eq!(Chmod::parse(text).unwrap().apply(before, is_folder), after, "{text} {before:o}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["", "9", "10000", "u", "rw", "u+q", "z=r", "u=r,", "0o755", "-1", "99999999999999999999"] {
            assert!(Chmod::parse(text).is_err(), "{text}");
        }
        insta::assert_snapshot!(Chmod::parse("888").unwrap_err(), @"invalid chmod parameter: '888'. it should be octal string and between 0 and 07777");
    }
}
