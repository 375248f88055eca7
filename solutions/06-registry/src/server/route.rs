//! What a request is about. A repository's name has slashes of its own, which no pattern of a router can tell from the
//! path's: so it is read from the end.

use super::answer::Refusal;
use http::Method;
use layers::{Digest, Reference};

/// A path of the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalogue,
    /// `/v2/<name>/tags/list`
    Tags(String),
    /// `/v2/<name>/manifests/<tag or digest>`
    Manifest(String, Which),
    /// `/v2/<name>/blobs/<digest>`
    Blob(String, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(String),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(String, String),
    /// `/v2/<name>/referrers/<digest>`; no digest: it is one of which nothing can be here.
    Referrers(String, Option<Digest>),
}

/// Which manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Which {
    Tag(String),
    Digest(Digest),
}

impl Route {
    pub(super) fn parse(path: &str, method: &Method) -> Result<Self, Refusal> {
        let path = decode(path);
        let unknown = || Refusal::unknown("NAME_UNKNOWN", "there is nothing at this path");
        let rest = path.strip_prefix("/v2").ok_or_else(unknown)?;
        let parts: Vec<&str> = rest.strip_prefix('/').unwrap_or(rest).split('/').collect();
        match parts.as_slice() {
            [""] => Ok(Self::Base),
            ["_catalog"] => Ok(Self::Catalogue),
            [name @ .., "tags", "list"] => Ok(Self::Tags(repository(name)?)),
            [name @ .., "blobs", "uploads"] | [name @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads(repository(name)?))
            }
            [name @ .., "blobs", "uploads", id] => Ok(Self::Upload(repository(name)?, (*id).to_owned())),
            [name @ .., "manifests", which] => Ok(Self::Manifest(repository(name)?, which_manifest(which, method)?)),
            [name @ .., "blobs", id] => {
                let unknown = || Refusal::unknown("BLOB_UNKNOWN", "blob unknown to registry");
                Ok(Self::Blob(repository(name)?, kept(id)?.ok_or_else(unknown)?))
            }
            [name @ .., "referrers", id] => Ok(Self::Referrers(repository(name)?, kept(id)?)),
            _ => Err(unknown()),
        }
    }
}

/// A repository's name, by the grammar of references; with that, none leads anywhere but into a list.
fn repository(parts: &[&str]) -> Result<String, Refusal> {
    let name = parts.join("/");
    match Reference::parse(&format!("registry.invalid/{name}")) {
        Ok(reference) if reference.path() == name && reference.is_name_only() => Ok(name),
        _ => Err(Refusal::invalid("NAME_INVALID", "invalid repository name")),
    }
}

/// What cannot be here is not found; but who sends it is told.
fn which_manifest(which: &str, method: &Method) -> Result<Which, Refusal> {
    let unknown = || Refusal::unknown("MANIFEST_UNKNOWN", "manifest unknown");
    if which.contains(':') {
        let found = if *method == Method::PUT { Some(digest(which)?) } else { kept(which)? };
        return found.map(Which::Digest).ok_or_else(unknown);
    }
    match Reference::from_parts("registry.invalid/a", which) {
        Ok(_) if !which.is_empty() => Ok(Which::Tag(which.to_owned())),
        _ if *method == Method::PUT => Err(Refusal::invalid("MANIFEST_INVALID", "invalid tag")),
        _ => Err(unknown()),
    }
}

/// The digest of something that may be here. None: it is of another algorithm, so it is not.
fn kept(text: &str) -> Result<Option<Digest>, Refusal> {
    digest(text).map(Some).or_else(|refusal| if is_of_another_kind(text) { Ok(None) } else { Err(refusal) })
}

/// `sha512:` and what may follow (image-spec, descriptor.md, "Digests").
fn is_of_another_kind(text: &str) -> bool {
    let word = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    text.split_once(':').is_some_and(|(kind, digits)| match kind {
        "sha256" => false,
        "sha512" => digits.len() == 128 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        _ => word(kind, b"+._-") && word(digits, b"=_-"),
    })
}

pub(super) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|_| {
        Refusal::invalid("DIGEST_INVALID", "invalid digest: it has to be sha256: and 64 lowercase hexadecimal digits")
    })
}

/// `%3A` → `:`. What is no such code stays as it is.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let id = Digest::of(b"");
        let name = || "team/app".to_owned();
        for (path, expected) in [
            ("/v2/".to_owned(), Route::Base),
            ("/v2".to_owned(), Route::Base),
            ("/v2/_catalog".to_owned(), Route::Catalogue),
            ("/v2/team/app/tags/list".to_owned(), Route::Tags(name())),
            ("/v2/team/app/manifests/v1".to_owned(), Route::Manifest(name(), Which::Tag("v1".to_owned()))),
            (format!("/v2/team/app/manifests/{id}"), Route::Manifest(name(), Which::Digest(id))),
            (format!("/v2/team/app/blobs/{}", id.to_string().replace(':', "%3A")), Route::Blob(name(), id)),
            ("/v2/team/app/blobs/uploads/".to_owned(), Route::Uploads(name())),
            ("/v2/team/app/blobs/uploads/x".to_owned(), Route::Upload(name(), "x".to_owned())),
            (format!("/v2/manifests/manifests/{id}"), Route::Manifest("manifests".to_owned(), Which::Digest(id))),
        ] {
            assert_eq!(Route::parse(&path, &Method::GET).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn digests_that_we_do_not_keep() {
        let other = format!("sha512:{}", "0".repeat(128));
        let at = |path: &str, method| Route::parse(&format!("/v2/a/{path}/{other}"), &method);
        assert_eq!(at("blobs", Method::GET).unwrap_err().code, "BLOB_UNKNOWN");
        assert_eq!(at("manifests", Method::GET).unwrap_err().code, "MANIFEST_UNKNOWN");
        assert_eq!(at("manifests", Method::PUT).unwrap_err().code, "DIGEST_INVALID");
        assert_eq!(at("referrers", Method::GET).unwrap(), Route::Referrers("a".to_owned(), None));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (path, code) in [
            ("/v2/../../etc/manifests/v1", "NAME_INVALID"),
            ("/v2/%2e%2e/%2e%2e/etc/tags/list", "NAME_INVALID"),
            ("/v2/Team/manifests/v1", "NAME_INVALID"),
            ("/v2//manifests/v1", "NAME_INVALID"),
            ("/v2/a:b/manifests/v1", "NAME_INVALID"),
            ("/v2/a/manifests/-v1", "MANIFEST_UNKNOWN"),
            ("/v2/a/manifests/", "MANIFEST_UNKNOWN"),
            ("/v2/a/blobs/sha256:../../x", "NAME_UNKNOWN"),
            ("/v2/a/blobs/sha512:abc", "DIGEST_INVALID"),
            ("/v1/a", "NAME_UNKNOWN"),
            ("/v2/a", "NAME_UNKNOWN"),
        ] {
            assert_eq!(Route::parse(path, &Method::GET).unwrap_err().code, code, "{path}");
        }
        let put = |path| Route::parse(path, &Method::PUT).unwrap_err().code;
        assert_eq!(put("/v2/a/manifests/-v1"), "MANIFEST_INVALID");
    }
}
