//! `--device HOST[:CONTAINER][:rwm]` and `--device-cgroup-rule 'c 1:3 rw'`.

use engine::api::DeviceMapping;

/// A device: where it is, where it shall be, and what may be done with it.
pub fn parse(text: &str) -> anyhow::Result<DeviceMapping> {
    let parts: Vec<_> = text.split(':').collect();
    let (host, container, permissions) = match *parts.as_slice() {
        [host] => (host, host, "rwm"),
        [host, mode] if is_mode(mode) => (host, host, mode),
        [host, container] => (host, container, "rwm"),
        [_, _, mode] if !is_mode(mode) => anyhow::bail!("bad mode specified: {mode}"),
        [host, container, mode] => (host, container, mode),
        _ => anyhow::bail!("bad format for path: {text}"),
    };
    if host.is_empty() {
        anyhow::bail!("bad format for path: {text}");
    }
    let container = if container.is_empty() { host } else { container };
    if !container.starts_with('/') {
        anyhow::bail!("{container} is not an absolute path");
    }
    Ok(DeviceMapping {
        path_on_host: host.to_owned(),
        path_in_container: container.to_owned(),
        cgroup_permissions: permissions.to_owned(),
    })
}

/// Each of read, write and mknod at most once.
fn is_mode(text: &str) -> bool {
    !text.is_empty() && text.chars().enumerate().all(|(i, c)| "rwm".contains(c) && !text[..i].contains(c))
}

/// `a|b|c MAJOR:MINOR rwm`, where a number may be `*`.
pub fn cgroup_rule(text: &str) -> Result<String, String> {
    let is_number = |n: &str| n == "*" || (!n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let fits = || {
        let mut words = text.split(' ');
        let (kind, numbers, mode) = (words.next()?, words.next()?, words.next()?);
        let (major, minor) = numbers.split_once(':')?;
        let fits = matches!(kind, "a" | "b" | "c") && is_number(major) && is_number(minor);
        (fits
            && !mode.is_empty()
            && mode.len() <= 3
            && mode.chars().all(|c| "rwm".contains(c))
            && words.next().is_none())
        .then(|| text.to_owned())
    };
    fits().ok_or_else(|| format!("invalid device cgroup format '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, String, String), String> {
        parse(text).map(|d| (d.path_on_host, d.path_in_container, d.cgroup_permissions)).map_err(|e| e.to_string())
    }

    #[test]
    fn devices() {
        let mapping = |a: &str, b: &str, c: &str| Ok((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(parts("/dev/fuse"), mapping("/dev/fuse", "/dev/fuse", "rwm"));
        assert_eq!(parts("/dev/fuse:rw"), mapping("/dev/fuse", "/dev/fuse", "rw"));
        assert_eq!(parts("/dev/fuse:/dev/f"), mapping("/dev/fuse", "/dev/f", "rwm"));
        assert_eq!(parts("/dev/fuse:/dev/f:r"), mapping("/dev/fuse", "/dev/f", "r"));
        assert_eq!(parts("foo"), Err("foo is not an absolute path".to_owned()));
        assert_eq!(parts("/dev/fuse:/dev/f:x"), Err("bad mode specified: x".to_owned()));
    }

    #[test]
    fn rules() {
        assert!(cgroup_rule("c 1:* rwm").is_ok() && cgroup_rule("a *:* r").is_ok());
        assert_eq!(cgroup_rule("x 1:2 r"), Err("invalid device cgroup format 'x 1:2 r'".to_owned()));
        assert!(cgroup_rule("c 1:2").is_err() && cgroup_rule("c 1:2 r w").is_err());
    }
}
