//! Addresses: their parts, and where a redirect leads.

/// `https`, `host:port`, `/path?query` of an address. None if it is none, or has a user in it.
pub(crate) fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    let good = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('@');
    good.then_some((scheme, host, path))
}

/// Both are of the same scheme, host and port.
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    let origin = |url| {
        let (scheme, host, _) = split(url)?;
        let default = if scheme == "https" { ":443" } else { ":80" };
        Some((scheme, host.strip_suffix(default).unwrap_or(host).to_ascii_lowercase()))
    };
    origin(one).is_some() && origin(one) == origin(other)
}

/// Where `location`, as a header gives it, leads from `base`: it may be whole, or a path. None if that is no web address.
pub(crate) fn join(base: &str, location: &str) -> Option<String> {
    let (scheme, host, _) = split(base)?;
    let url = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{host}{location}")
    } else {
        location.to_owned()
    };
    split(&url).is_some().then_some(url)
}

/// With one more parameter.
pub(crate) fn with(url: &str, name: &str, value: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let parameter = serde_urlencoded::to_string([(name, value)]).unwrap_or_default();
    format!("{url}{separator}{parameter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects() {
        let base = "https://a:5000/v2/x";
        assert_eq!(join(base, "/v2/y?z=1").unwrap(), "https://a:5000/v2/y?z=1");
        assert_eq!(join(base, "//cdn/y").unwrap(), "https://cdn/y");
        assert_eq!(join(base, "http://b/y").unwrap(), "http://b/y");
        for bad in ["file:///etc/passwd", "ftp://h/", "javascript:0", "https://", "https://me@h/"] {
            assert_eq!(join(base, bad), None, "{bad}");
        }
        assert_eq!(with("https://h/u?_state=a", "digest", "sha256:0"), "https://h/u?_state=a&digest=sha256%3A0");
    }

    #[test]
    fn origins() {
        assert!(same_origin("https://A/x", "https://a:443/y"));
        for other in ["http://a/", "https://a:444/", "https://a.b/", "a"] {
            assert!(!same_origin("https://a/x", other), "{other}");
        }
    }
}
