//! A file that comes from a URL.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use layers::Digest;

use super::archive::{begins_like_one, unpack_to_destination};
use super::http::fetch;
use crate::cancel::Cancel;
use crate::copy::Copier;
use crate::error::{Error, Result};

/// What a URL that names no file is called, as by BuildKit.
const UNNAMED: &str = "__unnamed__";
/// Only root may read what was downloaded, unless `--chmod` says otherwise.
const MODE: u32 = 0o600;

/// A file that comes from a URL. When the server says that it was made does not matter: it would be another layer each day.
#[derive(Debug)]
pub(crate) struct Download {
    url: String,
    name: OsString,
    /// What it is, or with `--checksum` what it has to be: then it is fetched only if there is no layer of it.
    digest: Digest,
    fetched: Option<File>,
    unpack: bool,
    folder: PathBuf,
}

impl Download {
    pub(super) fn new(
        url: &str,
        checksum: Option<&str>,
        unpack: Option<bool>,
        folder: &Path,
        cancel: Option<&Cancel>,
    ) -> Result<Self> {
        let (digest, fetched) = match checksum {
            Some(checksum) => (parse_checksum(checksum)?, None),
            None => {
                let mut file = temporary(folder)?;
                (fetch(url, &mut file, cancel)?, Some(file))
            }
        };
        let (name, unpack) = (file_name(url), unpack.unwrap_or_default());
        Ok(Self { url: url.to_owned(), name, digest, fetched, unpack, folder: folder.to_path_buf() })
    }

    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Its name, and whether it is to be unpacked.
    pub(crate) fn known_as(&self) -> OsString {
        let mut name = self.name.clone();
        name.push(if self.unpack { "/" } else { "" });
        name
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn write(&mut self, copier: &mut Copier<'_>) -> Result<()> {
        let mut file = match self.fetched.take() {
            Some(file) => file,
            None => self.fetch_verified(copier.target().cancel)?,
        };
        let rewound = |file: &mut File| file.rewind().map_err(Error::io("read", &self.url));
        rewound(&mut file)?;
        if self.unpack && begins_like_one(&file) {
            rewound(&mut file)?;
            return unpack_to_destination(&file, &self.url, copier);
        }
        rewound(&mut file)?;
        let place = copier.place_for_file(&self.name)?;
        copier.other_file(&place, &mut file, MODE)
    }

    fn fetch_verified(&self, cancel: Option<&Cancel>) -> Result<File> {
        let mut file = temporary(&self.folder)?;
        let found = fetch(&self.url, &mut file, cancel)?;
        file.flush().map_err(Error::io("write", &self.url))?;
        match found == self.digest {
            true => Ok(file),
            // BuildKit's words.
            false => Err(Error::Checksum(format!("digest mismatch {found}: {}", self.digest))),
        }
    }
}

/// A file without a name: it goes with whoever has it open.
fn temporary(folder: &Path) -> Result<File> {
    tempfile::tempfile_in(folder).map_err(Error::io("create a file in", folder))
}

fn parse_checksum(text: &str) -> Result<Digest> {
    text.parse().map_err(|error| Error::Checksum(format!("invalid checksum: {error}")))
}

/// The last part of a URL's path.
fn file_name(url: &str) -> OsString {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let decoded = decode(path);
    let name = decoded.split(|byte| *byte == b'/').rfind(|part| !part.is_empty()).unwrap_or_default();
    match name {
        b"" | b"." | b".." => UNNAMED.into(),
        name if name.contains(&0) || name.len() > 255 => UNNAMED.into(),
        name => OsString::from_vec(name.to_vec()),
    }
}

/// `%20` is a blank (RFC 3986, 2.1).
fn decode(path: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *byte == b'%').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            u8::from_str_radix(digits, 16).ok()
        });
        decoded.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_the_end_of_its_url() {
        for (url, name) in [
            ("http://h/a/b.txt", "b.txt"),
            ("http://h/a/b.txt?x=/y#z/w", "b.txt"),
            ("https://h/a/", "a"),
            ("https://h", UNNAMED),
            ("https://h/", UNNAMED),
            ("https://h/..", UNNAMED),
            ("https://h/%2e%2e", UNNAMED),
            ("https://h/a%2Fb%20c", "b c"),
            ("https://h/a%00", UNNAMED),
            ("https://h/100%", "100%"),
            ("https://h/%+1", "%+1"),
        ] {
            assert_eq!(file_name(url), name, "{url}");
        }
    }
}
