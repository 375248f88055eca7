//! Fetching a URL, by HTTP or HTTPS, into a file.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use layers::Digest;
use layers::digest::Hasher;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::cancel::Cancel;
use crate::error::{Error, Result};

/// Larger than any file that is added to an image.
const LARGEST: u64 = 64 << 30;
const CONNECT: Duration = Duration::from_secs(30);
/// A server that says nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: u32 = 10;

/// Whether a source is fetched from elsewhere.
pub(crate) fn is_url(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}

/// Whether a source is a git repository.
pub(crate) fn is_git(source: &str) -> bool {
    let path = source.split(['#', '?']).next().unwrap_or_default();
    ["git://", "ssh://", "git@"].iter().any(|scheme| source.starts_with(scheme))
        || is_url(source) && path.ends_with(".git")
}

/// Fetches a URL to the end of `to`, and returns the digest of it.
pub(crate) fn fetch(url: &str, to: &mut File, cancel: Option<&Cancel>) -> Result<Digest> {
    let failed = |why: String| Error::Fetch { url: without_password(url), why };
    let response = agent(url).get(url).call().map_err(|error| failed(reason(&error)))?;
    let expected = response.body().content_length();
    let mut body = response.into_body().into_with_config().limit(LARGEST).reader();
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        if cancel.is_some_and(Cancel::is_cancelled) {
            return Err(Error::Cancelled);
        }
        match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                to.write_all(&buffer[..count]).map_err(Error::io("write", "a downloaded file"))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error.to_string())),
        }
    }
    // Not with a compression on the way; we ask for none.
    match expected {
        Some(expected) if expected != hasher.size() => {
            Err(failed(format!("it ended after {} of {expected} bytes", hasher.size())))
        }
        _ => Ok(hasher.finish()),
    }
}

fn agent(url: &str) -> Agent {
    let mut config = Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .max_redirects(MOST_REDIRECTS)
        .user_agent(concat!("kesako/", env!("CARGO_PKG_VERSION")));
    // A redirect may lead from http to https; who begins with http is not made to wait for a machine's certificates unless
    // there are some.
    let certificates = rustls_native_certs::load_native_certs();
    for error in &certificates.errors {
        tracing::debug!("certificates for {url}: {error}");
    }
    let roots: Vec<_> = certificates.certs.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect();
    let roots = RootCerts::Specific(std::sync::Arc::new(roots));
    config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    config.build().into()
}

/// BuildKit's words where it has them.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(code) => format!("invalid response status {code}"),
        error => error.to_string(),
    }
}

/// A URL as it may be shown.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:xxxxx@{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(without_password("https://me:secret@host/a@b"), "https://me:xxxxx@host/a@b");
        assert_eq!(without_password("https://host/a@b"), "https://host/a@b");
    }

    #[test]
    fn repositories_are_told_from_files() {
        for source in ["git://h/r", "git@h:r.git", "ssh://git@h/r", "https://h/r.git", "https://h/r.git#main:dir"] {
            assert!(is_git(source), "{source}");
        }
        for source in ["r.git", "https://h/r.git.tar", "https://h/x#.git", "github.com/a/b", "gitlab"] {
            assert!(!is_git(source), "{source}");
        }
    }
}
