//! What an image may be called: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]` (the distribution project's reference grammar). The
//! server judges again; here a slip of the finger is told before anything else happens.

/// Docker's complaint about this name, if there is one.
pub fn check(reference: &str) -> anyhow::Result<()> {
    let invalid = || anyhow::anyhow!("invalid reference format");
    // A bare ID is a name too.
    if reference.len() == 64 && reference.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(());
    }
    if is_digest(reference) {
        return Ok(());
    }
    let (name, digest) = reference.split_once('@').map_or((reference, None), |(name, digest)| (name, Some(digest)));
    let (path, tag) = crate::command::split_tag(name);
    let (host, path) = split_host(path);
    let full = match host {
        None if !path.contains('/') => format!("library/{path}"),
        _ => path.to_owned(),
    };
    if path.chars().any(|c| c.is_ascii_uppercase()) {
        anyhow::bail!("invalid reference format: repository name ({full}) must be lowercase");
    }
    let fits = host.is_none_or(is_host)
        && path.split('/').all(is_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    if fits { Ok(()) } else { Err(invalid()) }
}

/// The first part is a host if it could be nothing else: it has a dot, a port, or capitals, or is `localhost`.
fn split_host(path: &str) -> (Option<&str>, &str) {
    match path.split_once('/') {
        Some((first, rest)) if first == "localhost" || first.contains(['.', ':']) || first.to_lowercase() != first => {
            (Some(first), rest)
        }
        _ => (None, path),
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            return address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
                && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Letters and digits, with single separators between: `.`, `_`, `__`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().copied().is_some_and(is_plain) && bytes.last().copied().is_some_and(is_plain);
    let separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends && separators.into_iter().all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || b == b'.' || b == b'-')
}

fn is_digest(text: &str) -> bool {
    let hex = |h: &str, n: usize| h.len() == n && h.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match text.split_once(':') {
        Some(("sha256", digits)) => hex(digits, 64),
        Some(("sha384", digits)) => hex(digits, 96),
        Some(("sha512", digits)) => hex(digits, 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["alpine", "a/b:c", "localhost:5000/a/b__c", "Host.example/x--y", "[::1]:5000/a", "x.y/z:1.2-3"] {
            assert!(check(good).is_ok(), "{good}");
        }
        assert!(check(&format!("a@sha256:{}", "0".repeat(64))).is_ok() && check(&"0".repeat(64)).is_ok());
        for bad in ["", "a:", "-a", "a/", "a..b", "a b", "a:b c", "a@sha256:00", "a//b"] {
            assert_eq!(check(bad).map_err(|e| e.to_string()), Err("invalid reference format".into()), "{bad}");
        }
        let error = check("BB").unwrap_err().to_string();
        assert_eq!(error, "invalid reference format: repository name (library/BB) must be lowercase");
    }
}
