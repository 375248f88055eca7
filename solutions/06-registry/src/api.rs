//! What a registry can be asked: the requests of the distribution specification, one function each.

use crate::connection::{Connection, Content, Request, Response, Sent};
use crate::error::{Error, Result};
use crate::{query, range};
use layers::Digest;
use layers::blob::DOCUMENT_LIMIT;
use layers::manifest::media_type;
use serde::Deserialize;
use std::fs::File;
use std::ops::Range;

/// What we understand, the best first.
const MANIFESTS: [&str; 4] =
    [media_type::OCI_INDEX, media_type::DOCKER_LIST, media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST];
/// Tags that are listed, and pages of them.
const TAGS_LIMIT: u64 = 16 << 20;
const PAGES: usize = 1000;

/// One repository, at one address.
pub(crate) struct Api<'c> {
    pub connection: &'c Connection,
    pub path: &'c str,
}

/// A manifest as it came.
#[derive(Clone, Debug)]
pub struct Raw {
    pub bytes: Vec<u8>,
    pub media_type: String,
    pub digest: Digest,
}

/// How a registry answers to a blob that is announced.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It took it from the other repository.
    Mounted,
    /// It waits for it at this address.
    Upload(String),
}

impl Api<'_> {
    fn url(&self, rest: &str) -> String {
        self.connection.url(&format!("{}/{rest}", self.path))
    }

    fn ask(&self, method: &'static str, url: String, headers: Vec<(&'static str, String)>) -> Result<Response> {
        let scopes = [format!("repository:{}:pull", self.path)];
        self.connection.send(&Request { method, url, headers, content: Content::None, scopes: &scopes })
    }

    fn tell(
        &self,
        method: &'static str,
        url: String,
        headers: Vec<(&'static str, String)>,
        content: Content<'_>,
    ) -> Result<Response> {
        let scopes = [format!("repository:{}:pull,push", self.path)];
        self.connection.send(&Request { method, url, headers, content, scopes: &scopes })
    }

    /// `GET manifests/<tag or digest>`, at most 4 MB of it. By digest, it has to be the one.
    pub(crate) fn manifest(&self, wanted: &str) -> Result<Raw> {
        let url = self.url(&format!("manifests/{wanted}"));
        tracing::info!(
            target: "explain", man = "OCI distribution-spec",
            shell = %format!("curl -L -H 'Accept: {}' {url}", media_type::OCI_INDEX),
            "ask {} for the manifest {wanted} of {}", self.connection.endpoint.base, self.path
        );
        let answer = self.ask("Get", url, vec![("accept", MANIFESTS.join(", "))]).map_err(|error| match error {
            // Docker asks for a tag's digest first, and so tells it.
            Error::NoCredentials { url, .. } if wanted.parse::<Digest>().is_err() => {
                Error::NoCredentials { method: "Head".to_owned(), url }
            }
            error => error,
        })?;
        if answer.status != 200 {
            return Err(answer.into_error());
        }
        let content_type = answer.header("content-type").unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = answer.bytes(DOCUMENT_LIMIT)?;
        let digest = Digest::of(&bytes);
        match wanted.parse::<Digest>() {
            Ok(wanted) if wanted != digest => Err(Error::WrongManifest(wanted)),
            _ => Ok(Raw { media_type: kind(&bytes, content_type)?, bytes, digest }),
        }
    }

    /// `GET blobs/<digest>`, from this byte on.
    pub(crate) fn blob(&self, digest: &Digest, from: u64) -> Result<Response> {
        let headers = if from == 0 { Vec::new() } else { vec![("range", format!("bytes={from}-"))] };
        let url = self.url(&format!("blobs/{digest}"));
        tracing::info!(
            target: "explain", man = "OCI distribution-spec", shell = %format!("curl -L -C {from} {url}"),
            "fetch the blob {} of {}", digest.short(), self.path
        );
        let answer = self.ask("Get", url, headers)?;
        match answer.status {
            200 | 206 | 416 => Ok(answer),
            _ => Err(answer.into_error()),
        }
    }

    /// `GET tags/list`, page by page.
    pub(crate) fn tags(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            tags: Option<Vec<String>>,
        }
        let mut tags = Vec::new();
        let mut next = Some(self.url("tags/list"));
        for _ in 0..PAGES {
            let Some(url) = next.take() else { return Ok(tags) };
            let answer = self.ask("Get", url.clone(), Vec::new())?;
            if answer.status != 200 {
                return Err(answer.into_error());
            }
            let link = answer.header("link").and_then(next_page).and_then(|link| query::join(&url, link));
            // The next page is this registry's, too.
            next = link.filter(|link| query::same_origin(link, &url));
            let page: Page = serde_json::from_slice(&answer.bytes(TAGS_LIMIT)?)
                .map_err(|error| Error::Nonsense { url, why: error.to_string() })?;
            tags.extend(page.tags.unwrap_or_default());
        }
        Err(Error::Nonsense { url: self.url("tags/list"), why: format!("its list has more than {PAGES} pages") })
    }

    /// `HEAD blobs/<digest>`: how large it is. None: it is not there.
    pub(crate) fn blob_size(&self, digest: &Digest) -> Result<Option<u64>> {
        let answer = self.ask("Head", self.url(&format!("blobs/{digest}")), Vec::new())?;
        match answer.status {
            200 => Ok(answer.header("content-length").and_then(|length| length.parse().ok())),
            404 => Ok(None),
            _ => Err(answer.into_error()),
        }
    }

    /// `HEAD blobs/<digest>`: whether it is there.
    pub(crate) fn has_blob(&self, digest: &Digest) -> Result<bool> {
        let answer = self.tell("Head", self.url(&format!("blobs/{digest}")), Vec::new(), Content::None)?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(answer.into_error()),
        }
    }

    /// `POST blobs/uploads/`: announces a blob; the registry may take it from another repository of its own.
    pub(crate) fn begin_upload(&self, mount: Option<(&Digest, &str)>) -> Result<Begun> {
        let mut url = self.url("blobs/uploads/");
        let mut scopes = vec![format!("repository:{}:pull,push", self.path)];
        if let Some((digest, from)) = mount {
            url = query::with(&query::with(&url, "mount", &digest.to_string()), "from", from);
            scopes.push(format!("repository:{from}:pull"));
        }
        let request =
            Request { method: "Post", url, headers: Vec::new(), content: Content::Bytes(b""), scopes: &scopes };
        let answer = self.connection.send(&request)?;
        match answer.status {
            201 if mount.is_some() => Ok(Begun::Mounted),
            202 => Ok(Begun::Upload(self.location(&answer)?)),
            _ => Err(answer.into_error()),
        }
    }

    /// `PATCH <location>`: these bytes of the file come next. Returns where to go on, and how many bytes the registry
    /// has.
    pub(crate) fn send_chunk(
        &self,
        location: &str,
        file: &File,
        bytes: &Range<u64>,
        whole: bool,
        sent: &Sent<'_>,
    ) -> Result<(String, u64)> {
        let mut headers = Vec::new();
        if !whole {
            headers.push(("content-range", format!("{}-{}", bytes.start, bytes.end.saturating_sub(1))));
        }
        let content = Content::Part { file, from: bytes.start, length: bytes.end - bytes.start, sent };
        let answer = self.tell("Patch", location.to_owned(), headers, content)?;
        match answer.status {
            202 | 204 => {
                let received = answer.header("range").map_or(bytes.end, |range| range::received(Some(range)));
                Ok((self.location(&answer)?, received))
            }
            _ => Err(answer.into_error()),
        }
    }

    /// `GET <location>`: how many bytes of an upload the registry has. None: it knows nothing of it any more.
    pub(crate) fn upload_state(&self, location: &str) -> Result<Option<(String, u64)>> {
        let answer = self.tell("Get", location.to_owned(), Vec::new(), Content::None)?;
        match answer.status {
            202 | 204 => {
                let received = range::received(answer.header("range"));
                Ok(Some((self.location(&answer)?, received)))
            }
            404 => Ok(None),
            _ => Err(answer.into_error()),
        }
    }

    /// `PUT <location>?digest=…`: that was all of it.
    pub(crate) fn end_upload(&self, location: &str, digest: &Digest) -> Result<()> {
        let url = query::with(location, "digest", &digest.to_string());
        let answer = self.tell("Put", url, Vec::new(), Content::Bytes(b""))?;
        match answer.status {
            201 | 204 => Ok(()),
            _ => Err(answer.into_error()),
        }
    }

    /// `PUT manifests/<tag or digest>`.
    pub(crate) fn put_manifest(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<()> {
        let url = self.url(&format!("manifests/{name}"));
        tracing::info!(
            target: "explain", man = "OCI distribution-spec",
            shell = %format!("curl -T manifest.json -H 'Content-Type: {media_type}' {url}"),
            "give {} the manifest, under the name {name}", self.connection.endpoint.base
        );
        let answer = self.tell("Put", url, vec![("content-type", media_type.to_owned())], Content::Bytes(bytes))?;
        match answer.status {
            200..=202 => Ok(()),
            _ => Err(answer.into_error()),
        }
    }

    /// Where an upload goes on: never to a host that the registry's own answers would not come from without a word.
    fn location(&self, answer: &Response) -> Result<String> {
        let location = answer.header("location").unwrap_or_default();
        let found = query::join(&answer.url, location);
        found.filter(|found| !(self.connection.endpoint.verify && found.starts_with("http:"))).ok_or_else(|| {
            Error::Nonsense { url: answer.url.clone(), why: format!("it wants the upload at {location:?}") }
        })
    }
}

/// What a document is: as it says itself, else as the registry says.
fn kind(bytes: &[u8], content_type: String) -> Result<String> {
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Own {
        media_type: Option<String>,
    }
    let known = |kind: &str| MANIFESTS.contains(&kind);
    if known(&content_type) {
        return Ok(content_type);
    }
    let own: Own = serde_json::from_slice(bytes).unwrap_or_default();
    match own.media_type.filter(|own| known(own)) {
        Some(own) => Ok(own),
        None => Err(Error::NoImage(if content_type.is_empty() { "none".to_owned() } else { content_type })),
    }
}

/// `</v2/a/tags/list?last=b&n=10>; rel="next"` (RFC 8288).
fn next_page(link: &str) -> Option<&str> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    let next = rest.split(';').any(|part| matches!(part.trim(), "rel=\"next\"" | "rel=next"));
    next.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        assert_eq!(next_page("</v2/a/tags/list?last=b&n=1>; rel=\"next\""), Some("/v2/a/tags/list?last=b&n=1"));
        assert_eq!(next_page("</v2/a>; rel=\"prev\""), None);
        assert_eq!(next_page("x"), None);
    }

    #[test]
    fn a_document_is_known_by_what_is_said_of_it() {
        let own = format!(r#"{{"mediaType":"{}"}}"#, media_type::OCI_MANIFEST);
        assert_eq!(kind(own.as_bytes(), "text/plain".into()).unwrap(), media_type::OCI_MANIFEST);
        assert_eq!(kind(b"{}", media_type::OCI_INDEX.into()).unwrap(), media_type::OCI_INDEX);
        let old = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        assert!(kind(b"{}", old.into()).unwrap_err().to_string().contains(old));
    }
}
