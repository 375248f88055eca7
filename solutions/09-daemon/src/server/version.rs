//! Versions of the API: the prefix of every path, and the headers by which client and server find out what to speak.

use super::Refusal;
use crate::{API_VERSION, MIN_API_VERSION, parse_version};
use http::{HeaderMap, HeaderValue, Request, Uri, header};

/// The version that a request was made in, among its extensions. Without a prefix it is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApiVersion(pub(super) u32, pub(super) u32);

/// Takes `/v1.44` off the path.
pub(super) fn strip<B>(mut request: Request<B>) -> Result<Request<B>, Refusal> {
    let path = request.uri().path();
    let (version, path) = match prefix(path) {
        Some((version, rest)) => (version, rest),
        None => (API_VERSION, path),
    };
    let number = parse_version(version);
    if number > parse_version(API_VERSION) {
        return Err(Refusal::invalid(format!(
            "client version {version} is too new. Maximum supported API version is {API_VERSION}"
        )));
    }
    if number < parse_version(MIN_API_VERSION) {
        return Err(Refusal::invalid(format!(
            "client version {version} is too old. Minimum supported API version is {MIN_API_VERSION}, \
             please upgrade your client to a newer version"
        )));
    }
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let (major, minor) = number.unwrap_or_default();
    *request.uri_mut() = target.parse::<Uri>().map_err(|error| Refusal::invalid(error.to_string()))?;
    request.extensions_mut().insert(ApiVersion(major, minor));
    Ok(request)
}

/// `/v1.44/info` → `1.44`, `/info`. A path like `/volumes` or `/version` has no such prefix.
fn prefix(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/v")?;
    let slash = rest.find('/')?;
    parse_version(&rest[..slash])?;
    Some((&rest[..slash], &rest[slash..]))
}

/// Says in every answer who answers and what it speaks.
pub(super) fn introduce(headers: &mut HeaderMap) {
    headers.insert("api-version", HeaderValue::from_static(API_VERSION));
    headers.insert("docker-experimental", HeaderValue::from_static("false"));
    headers.insert("ostype", HeaderValue::from_static("linux"));
    headers.insert(header::SERVER, HeaderValue::from_static(concat!("Kesako/", env!("CARGO_PKG_VERSION"), " (linux)")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(target: &str) -> Result<(String, ApiVersion), String> {
        let request = strip(Request::builder().uri(target).body(()).unwrap()).map_err(|refusal| refusal.message)?;
        Ok((request.uri().to_string(), *request.extensions().get::<ApiVersion>().unwrap()))
    }

    #[test]
    fn prefixes() {
        assert_eq!(stripped("/v1.41/info?x=1").unwrap(), ("/info?x=1".into(), ApiVersion(1, 41)));
        assert_eq!(stripped("/version").unwrap(), ("/version".into(), ApiVersion(1, 44)));
        assert_eq!(stripped("/volumes/v1.2/x").unwrap().0, "/volumes/v1.2/x");
        assert_eq!(
            stripped("/v1.99/info").unwrap_err(),
            "client version 1.99 is too new. Maximum supported API version is 1.44"
        );
        assert_eq!(
            stripped("/v1.9/info").unwrap_err(),
            "client version 1.9 is too old. Minimum supported API version is 1.24, \
             please upgrade your client to a newer version"
        );
    }
}
