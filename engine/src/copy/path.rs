//! A path as `cp` understands it: a slash or `/.` at its end means something.

/// The path from the root, cleaned of `.` and `..`, and of slashes but for what its end says (go-archive,
/// `PreserveTrailingDotOrSeparator`).
pub(super) fn absolute(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut cleaned = format!("/{}", parts.join("/"));
    if path == "." || path.ends_with("/.") {
        cleaned = with_slash(&cleaned) + ".";
    } else if path.ends_with('/') {
        cleaned = with_slash(&cleaned);
    }
    cleaned
}

/// With a slash at its end: a folder is meant, or what a link leads to.
pub(super) fn with_slash(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

/// The last part; a slash for the root (Go, `filepath.Base`).
pub(super) fn base(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path.rsplit('/').next().unwrap_or(path),
    }
}

/// The folder, and the last part in it, of a path that names no folder.
pub(super) fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", file)) => ("/", file),
        Some((folder, file)) => (folder, file),
        None => ("/", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_path_is_kept() {
        let cases = [
            ("", "/", "/"),
            (".", "/.", "."),
            ("/", "/", "/"),
            ("a", "/a", "a"),
            ("/a//b/../c", "/a/c", "c"),
            ("/a/", "/a/", "a"),
            ("a/.", "/a/.", "."),
            ("../..", "/", "/"),
            ("/a/..", "/", "/"),
        ];
        for (path, whole, last) in cases {
            assert_eq!((absolute(path).as_str(), base(&absolute(path))), (whole, last), "{path:?}");
        }
        assert_eq!((split("/a"), split("/a/b")), (("/", "a"), ("/a", "b")));
    }
}
