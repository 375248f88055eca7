//! Why there is no answer, in Docker's words, which are mostly those of Go's libraries: people search for them.

use crate::error::Error;
use crate::query;
use std::io::ErrorKind;
use std::net::ToSocketAddrs as _;

/// The error of a request that got no answer. Whether there is somebody at all, Docker asks with `/v2/`, and tells it
/// so.
pub(crate) fn tell(error: &ureq::Error, method: &str, url: &str, base: &str) -> Error {
    let (why, connected) = reason(error, url);
    match !connected && query::same_origin(url, base) {
        true => Error::Unreachable { method: "Get".to_owned(), url: format!("{base}/v2/"), why },
        false => Error::Unreachable { method: method.to_owned(), url: url.to_owned(), why },
    }
}

/// In words, and whether there was a connection.
fn reason(error: &ureq::Error, url: &str) -> (String, bool) {
    let host = query::split(url).map_or(url, |(_, host, _)| host);
    match error {
        ureq::Error::Io(error) if error.to_string().contains("failed to lookup address") => (no_such_host(host), false),
        ureq::Error::HostNotFound => (no_such_host(host), false),
        ureq::Error::Timeout(ureq::Timeout::Connect) => (format!("dial tcp {host}: i/o timeout"), false),
        ureq::Error::Timeout(_) => (format!("dial tcp {host}: i/o timeout"), true),
        ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            let address = host.to_socket_addrs().ok().and_then(|mut found| found.next());
            let address = address.map_or_else(|| host.to_owned(), |address| address.to_string());
            (format!("dial tcp {address}: connect: connection refused"), false)
        }
        ureq::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => ("EOF".to_owned(), true),
        error => {
            let text = error.to_string();
            match certificate(&text, host) {
                Some(why) => (why, false),
                None => (text, true),
            }
        }
    }
}

fn no_such_host(host: &str) -> String {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    format!("dial tcp: lookup {name}: no such host")
}

/// What is wrong with a registry's certificate, or that it has none, from what rustls says of it.
fn certificate(text: &str, host: &str) -> Option<String> {
    let says = |word: &str| text.contains(word);
    if says("InvalidContentType") {
        return Some("http: server gave HTTP response to HTTPS client".to_owned());
    }
    // (Of an authority, and not the one that was given for this registry; or signed by somebody of the same name.)
    let unknown = ["UnknownIssuer", "CaUsedAsEndEntity", "BadSignature", "UnsupportedSignatureAlgorithmForPublicKey"];
    if unknown.iter().any(|word| says(word)) {
        return Some("x509: certificate signed by unknown authority".to_owned());
    }
    if says("certificate expired") || says("certificate not valid yet") {
        return Some("x509: certificate has expired or is not yet valid".to_owned());
    }
    if says("not valid for name") {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        // `DnsName("reg.lan") or IpAddress(127.0.0.1)`
        let names = text.split_once("only valid for ").map(|(_, names)| names).unwrap_or_default();
        let bare = |name: &str| {
            let name = name.trim().trim_end_matches(')');
            name.rsplit_once('(').map_or(name, |(_, name)| name).trim_matches('"').to_owned()
        };
        let names: Vec<String> = names.split(" or ").flat_map(|part| part.split(", ")).map(bare).collect();
        return Some(format!("x509: certificate is valid for {}, not {name}", names.join(", ")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_as_go_tells_them() {
        let told = |text: &str| certificate(text, "10.0.0.1:5000");
        let unknown = "io: invalid peer certificate: UnknownIssuer";
        assert_eq!(told(unknown).unwrap(), "x509: certificate signed by unknown authority");
        let other = "io: invalid peer certificate: certificate not valid for name \"10.0.0.1\"; certificate is only \
                     valid for DnsName(\"reg.lan\") or IpAddress(127.0.0.1)";
        assert_eq!(told(other).unwrap(), "x509: certificate is valid for reg.lan, 127.0.0.1, not 10.0.0.1");
        assert_eq!(told("io: broken pipe"), None);
    }
}
