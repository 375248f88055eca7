//! The names of images: `alpine`, `alpine:3.22`, `ghcr.io/owner/app@sha256:…`.
//!
//! A name is short for people and complete for machines: `alpine` is *familiar* for `docker.io/library/alpine:latest`.
//! The grammar and the texts of the refusals are Docker's (github.com/distribution/reference):
//!
//! ```text
//! reference  := name [ ":" tag ] [ "@" digest ]
//! name       := [ domain "/" ] component [ "/" component ]*
//! component  := alnum+ [ ( "." | "_" | "__" | "-"* ) alnum+ ]*         lower case only
//! tag        := word [ word | "." | "-" ]{0,127}
//! ```

use crate::digest::Digest;
use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

const DEFAULT_DOMAIN: &str = "docker.io";
const LEGACY_DEFAULT_DOMAIN: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
const NAME_MAX: usize = 255;
const TAG_MAX: usize = 128;
const INVALID: &str = "invalid reference format";

/// The name of an image: a repository, and which of its images: a tag, a digest, both, or (not yet said) neither.
///
/// `Display` is the familiar form, which people type; [`Reference::canonical`] is the complete one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses a name as a person writes it, and completes domain and `library/`. A missing tag stays missing; see
    /// [`Reference::or_latest`].
    ///
    /// # Errors
    /// [`Error::Reference`], in Docker's words.
    pub fn parse(name: &str) -> Result<Self> {
        if is_full_id(name) {
            return refuse(format!("invalid repository name ({name}), cannot specify 64-byte hexadecimal strings"));
        }
        if name.is_empty() {
            return refuse(INVALID);
        }
        let (domain, rest) = split_domain(name);
        let remote = rest.split(':').next().unwrap_or_default();
        if remote.chars().any(char::is_uppercase) {
            return refuse(format!("{INVALID}: repository name ({remote}) must be lowercase"));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest.to_owned(), Some(parse_digest(digest)?)),
            None => (rest, None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest.as_str(), None),
        };
        if !is_domain(&domain) || !path.split('/').all(is_component) || !tag.is_none_or(is_tag) {
            return refuse(INVALID);
        }
        if path.len() > NAME_MAX {
            return refuse(format!("{INVALID}: repository name must not be more than {NAME_MAX} characters"));
        }
        Ok(Self { domain, path: path.to_owned(), tag: tag.map(str::to_owned), digest })
    }

    /// From a repository and a tag given apart, as `docker tag` and `docker commit` send them. An empty tag is `latest`.
    ///
    /// # Errors
    /// [`Error::Reference`] when either is malformed, or the repository already has a digest.
    pub fn from_parts(repository: &str, tag: &str) -> Result<Self> {
        let reference = Self::parse(repository)?;
        if tag.is_empty() {
            return Ok(reference.or_latest());
        }
        if reference.digest.is_some() {
            return refuse("refusing to create a tag with a digest reference");
        }
        if !is_tag(tag) {
            return refuse("invalid tag format");
        }
        Ok(Self { tag: Some(tag.to_owned()), ..reference })
    }

    /// With the tag `latest` where neither tag nor digest was given.
    #[must_use]
    pub fn or_latest(mut self) -> Self {
        if self.is_name_only() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// The same repository, by this digest: what `RepoDigests` lists.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// Where the registry lives: `docker.io`, `localhost:5000`.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository within its registry: `library/alpine`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag, where one was given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one was given.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Neither tag nor digest was given.
    #[must_use]
    pub fn is_name_only(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// The repository as people write it: `alpine`, `owner/app`, `localhost:5000/app`.
    #[must_use]
    pub fn repository(&self) -> String {
        match (self.domain.as_str(), self.path.strip_prefix(OFFICIAL)) {
            (DEFAULT_DOMAIN, Some(official)) if !official.contains('/') => official.to_owned(),
            // `docker.io/a.b/c` stays whole: `a.b/c` would be read as a registry named a.b.
            (DEFAULT_DOMAIN, _) if split_domain(&self.path).0 == DEFAULT_DOMAIN => self.path.clone(),
            (domain, _) => format!("{domain}/{}", self.path),
        }
    }

    /// Both are in the same repository of the same registry.
    #[must_use]
    pub fn same_repository(&self, other: &Self) -> bool {
        self.domain == other.domain && self.path == other.path
    }

    /// The complete form: `docker.io/library/alpine:latest`.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.with_suffix(format!("{}/{}", self.domain, self.path))
    }

    fn with_suffix(&self, mut name: String) -> String {
        if let Some(tag) = &self.tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            name.push('@');
            name.push_str(&digest.to_string());
        }
        name
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_suffix(self.repository()))
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::parse(name)
    }
}

/// 64 hexadecimal digits are an image ID, and may not be a repository's name.
pub(crate) fn is_full_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn refuse<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::Reference(text.into()))
}

/// Splits a name as a person writes it into the registry (`docker.io`) and the rest, completed: of `alpine:3` it makes
/// `docker.io` and `library/alpine:3`, of `ghcr.io/owner/app` it makes `ghcr.io` and `owner/app`.
///
/// What stands before the first `/` is a registry only if it cannot be somebody's name on Docker Hub: it has a dot or a
/// port (a colon), has an upper-case letter, or is `localhost`. Else the whole name is one on Docker Hub, whose domain is
/// [`DEFAULT_DOMAIN`]. Its old name, [`LEGACY_DEFAULT_DOMAIN`], is replaced by the one of today.
///
/// And on Docker Hub, a name of one component is one of the [`OFFICIAL`] images: `library/` is put before it. Tag and
/// digest stay where they are, at the end; whether the name is well formed is checked elsewhere.
///
/// The rules are Docker's: github.com/distribution/reference, normalize.go, `splitDockerDomain`.
fn split_domain(name: &str) -> (String, String) {
    // exercise: 2.6 split_domain: the registry, and the repository's complete name
    let (domain, rest) = match name.split_once('/') {
        Some((LEGACY_DEFAULT_DOMAIN, rest)) => (DEFAULT_DOMAIN, rest),
        Some((first, rest))
            if first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, name),
    };
    let official = domain == DEFAULT_DOMAIN && !rest.contains('/');
    (domain.to_owned(), format!("{}{rest}", if official { OFFICIAL } else { "" }))
    // end exercise
}

/// A host name, or an IPv6 address in brackets, and a port.
fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let label = |l: &str| {
        !l.is_empty()
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) => !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => host.split('.').all(label),
    };
    host && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Letters and digits, in groups held together by one `.`, one or two `_`, or any number of `-`.
fn is_component(component: &str) -> bool {
    let alnum = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends = bytes.first().is_some_and(|b| alnum(*b)) && bytes.last().is_some_and(|b| alnum(*b));
    ends && bytes
        .split(|b| alnum(*b))
        .all(|between| matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|b| *b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG_MAX
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

fn parse_digest(digest: &str) -> Result<Digest> {
    digest.parse().or_else(|_| refuse(INVALID))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn short_names_are_completed_and_shown_short_again() {
        for (name, canonical, familiar) in [
            ("alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("alpine:3.22", "docker.io/library/alpine:3.22", "alpine:3.22"),
            ("docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("index.docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("owner/app", "docker.io/owner/app:latest", "owner/app:latest"),
            ("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
            ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
            ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
            ("Host/app", "Host/app:latest", "Host/app:latest"),
            ("[2001:db8::1]:5000/app", "[2001:db8::1]:5000/app:latest", "[2001:db8::1]:5000/app:latest"),
            ("ghcr.io/a__b/c-----d.e", "ghcr.io/a__b/c-----d.e:latest", "ghcr.io/a__b/c-----d.e:latest"),
        ] {
            let reference = Reference::parse(name).unwrap().or_latest();
            assert_eq!(reference.canonical(), canonical, "canonical of {name}");
            assert_eq!(reference.to_string(), familiar, "familiar of {name}");
            assert_eq!(Reference::parse(canonical).unwrap(), reference, "{canonical} parses to the same");
        }
    }

    #[test]
    fn a_digest_needs_no_tag_and_may_have_one() {
        let both = Reference::parse(&format!("alpine:3@{DIGEST}")).unwrap().or_latest();
        assert_eq!((both.tag(), both.digest().unwrap().to_string().as_str()), (Some("3"), DIGEST));
        let digest = Reference::parse(&format!("alpine@{DIGEST}")).unwrap().or_latest();
        assert_eq!(digest.to_string(), format!("alpine@{DIGEST}"));
    }

    #[test]
    fn refusals_are_dockers() {
        let hexadecimal = "a".repeat(64);
        let long = format!("{}/{}", "a".repeat(128), "b".repeat(128));
        let texts: Vec<String> = [
            "",
            "Foo",
            "a/Foo:1",
            "foo:",
            ":tag",
            "foo:bar/baz",
            "foo//bar",
            "foo/",
            "/foo",
            "-foo",
            "foo_",
            "foo___bar",
            "foo..bar",
            "foo:-1",
            "foo@sha256:abc",
            "foo@",
            "foo bar",
            "é",
            "localhost:x/foo",
            "-host.io/foo",
            &hexadecimal,
            &long,
        ]
        .iter()
        .map(|name| format!("{:?}: {}", name.get(..40).unwrap_or(name), Reference::parse(name).unwrap_err()))
        .collect();
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[test]
    fn a_repository_and_a_tag_given_apart() {
        assert_eq!(Reference::from_parts("app", "").unwrap().to_string(), "app:latest");
        assert_eq!(Reference::from_parts("app:1", "2").unwrap().to_string(), "app:2");
        assert!(Reference::from_parts("app", "no/tag").is_err());
        assert!(Reference::from_parts(&format!("app@{DIGEST}"), "1").is_err());
    }

    proptest::proptest! {
        /// Whatever is accepted means the same after being written out and read again.
        #[test]
        fn accepted_names_survive_both_forms(name in "[a-zA-Z0-9._:/@-]{1,40}") {
            if let Ok(reference) = Reference::parse(&name) {
                proptest::prop_assert_eq!(&Reference::parse(&reference.canonical()).unwrap(), &reference);
                proptest::prop_assert_eq!(&Reference::parse(&reference.to_string()).unwrap(), &reference);
            }
        }
    }
}
