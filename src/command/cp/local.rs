//! Paths as `cp` reads them: what their end says, and what is there on this host. The rules are those of Go's filepath and of
//! Docker's go-archive.

use crate::flags::environment::go_text;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// Links that lead to the destination.
const MOST_LINKS: usize = 10;

/// Where something is copied to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub path: String,
    /// Whether it is a folder, if it is there.
    pub there: Option<bool>,
}

impl Target {
    pub(super) fn is_folder(&self) -> bool {
        self.there == Some(true)
    }
}

/// Something of this host that is copied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The folder that is opened, and what in it is copied; empty is itself.
    pub folder: PathBuf,
    pub path: PathBuf,
    pub is_folder: bool,
    /// What it is called, if nobody says otherwise.
    pub name: String,
}

impl Source {
    /// What is at this path. Links on the way are followed; the last part only if it has a slash behind it, or with `-L`.
    pub(super) fn find(path: &str, follow: bool) -> anyhow::Result<Self> {
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotADirectory => anyhow::anyhow!("not a directory"),
            _ => anyhow::anyhow!("lstat {}: {}", path.trim_end_matches("/."), go_text(&error)),
        };
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        let is_link = metadata.is_symlink();
        let metadata = match follow && is_link {
            true => fs::metadata(path).map_err(|error| {
                let link = fs::read_link(path).unwrap_or_default();
                anyhow::anyhow!("lstat {}: {}", join(split(path).0, &link.to_string_lossy()), go_text(&error))
            })?,
            false => metadata,
        };
        let name = base(path).to_owned();
        if metadata.is_dir() {
            let folder = fs::canonicalize(path).map_err(failed)?;
            return Ok(Self { folder, path: PathBuf::new(), is_folder: true, name });
        }
        let found = match follow && is_link {
            true => fs::canonicalize(path).map_err(failed)?,
            false => PathBuf::from(path),
        };
        let folder = found.parent().unwrap_or(Path::new("/")).to_owned();
        let within = found.file_name().map(PathBuf::from).unwrap_or_default();
        Ok(Self { folder, path: within, is_folder: false, name })
    }
}

/// The path from the root, with what its end says.
pub(super) fn absolute(path: &str) -> anyhow::Result<String> {
    let here = std::env::current_dir()?;
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", here.display()) };
    Ok(keep_end(&clean(&whole), path))
}

/// Without `.`, `..` and empty parts (Go, `filepath.Clean`), for a path from the root.
fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// A cleaned path with the slash, or `/.`, of the original.
fn keep_end(cleaned: &str, original: &str) -> String {
    let slash = if cleaned.ends_with('/') { "" } else { "/" };
    match original {
        "." => format!("{cleaned}{slash}."),
        original if original.ends_with("/.") => format!("{cleaned}{slash}."),
        original if original.ends_with('/') => format!("{cleaned}{slash}"),
        _ => cleaned.to_owned(),
    }
}

/// The last part (Go, `filepath.Base`).
pub(super) fn base(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path.rsplit('/').next().unwrap_or(path),
    }
}

/// Whether the end of a path says that it is a folder.
pub(super) fn says_folder(path: &str) -> bool {
    path.ends_with('/') || base(path) == "."
}

/// The folder and the last part in it, which is `.` if the path says so.
pub(super) fn split(path: &str) -> (String, String) {
    let whole = clean(path);
    if base(path) == "." {
        return (whole, ".".to_owned());
    }
    let folder = match whole.rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    };
    (folder, base(&whole).to_owned())
}

/// What a link in this folder leads to.
pub(super) fn join(folder: impl AsRef<str>, link: &str) -> String {
    if link.starts_with('/') { link.to_owned() } else { clean(&format!("{}/{link}", folder.as_ref())) }
}

/// Refuses what cannot be a destination, before anything is asked for (Docker's `ValidateOutputPath`).
pub(super) fn check_output(path: &str) -> anyhow::Result<()> {
    let whole = clean(path);
    let folder = Path::new(&whole).parent().unwrap_or(Path::new("/"));
    if fs::metadata(folder).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        anyhow::bail!("invalid output path: directory {folder:?} does not exist");
    }
    match fs::metadata(path).map(|metadata| metadata.file_type()) {
        Ok(kind) if kind.is_block_device() || kind.is_char_device() => {
            anyhow::bail!("invalid output path: {path:?} must be a directory or a regular file: got a device")
        }
        Err(error) if error.kind() != ErrorKind::NotFound => anyhow::bail!("stat {path}: {}", go_text(&error)),
        _ => Ok(()),
    }
}

/// What is at a destination on this host. What is not there yet may be, as long as its folder is.
pub(super) fn target(path: &str) -> anyhow::Result<Target> {
    let mut path = path.to_owned();
    for _ in 0..=MOST_LINKS {
        let failed = |error: std::io::Error| anyhow::anyhow!("lstat {path}: {}", go_text(&error));
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return missing(path),
            metadata => metadata.map_err(failed)?,
        };
        if !metadata.is_symlink() {
            let there = Some(metadata.is_dir());
            return Ok(Target { path, there });
        }
        let link = fs::read_link(&path).map_err(failed)?;
        path = join(split(&path).0, &link.to_string_lossy());
    }
    anyhow::bail!("too many symlinks in {path}")
}

fn missing(path: String) -> anyhow::Result<Target> {
    let (folder, _) = split(&path);
    let above = fs::metadata(&folder).map_err(|error| anyhow::anyhow!("stat {folder}: {}", go_text(&error)));
    match above.as_ref().map(Metadata::is_dir) {
        Ok(true) => Ok(Target { path, there: None }),
        Ok(false) => anyhow::bail!("not a directory"),
        Err(_) => above.map(|_| Target { path, there: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_path_says_what_is_meant() {
        for (path, folder, name, says) in [
            ("/a/b", "/a", "b", false),
            ("/a/b/", "/a", "b", true),
            ("/a/b/.", "/a/b", ".", true),
            ("/a", "/", "a", false),
            ("/", "/", "/", true),
            ("/.", "/", ".", true),
            ("a", "/", "a", false),
        ] {
            assert_eq!(split(path), (folder.to_owned(), name.to_owned()), "{path}");
            assert_eq!(says_folder(path), says, "{path}");
        }
        assert_eq!(absolute("/x/../y/./").unwrap(), "/y/");
        assert_eq!(absolute("/x/.").unwrap(), "/x/.");
        assert_eq!((join("/a/b", "../c").as_str(), join("/a", "/c").as_str()), ("/a/c", "/c"));
    }

    #[test]
    fn a_destination_is_followed_through_links_even_to_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        fs::create_dir(at("dir")).unwrap();
        std::os::unix::fs::symlink("dir", at("link")).unwrap();
        std::os::unix::fs::symlink("new", at("dangling")).unwrap();
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        assert_eq!(target(&at("link")).unwrap(), Target { path: at("dir"), there: Some(true) });
        assert_eq!(target(&at("dangling")).unwrap(), Target { path: at("new"), there: None });
        assert!(target(&at("loop")).unwrap_err().to_string().starts_with("too many symlinks"));
        assert!(target(&at("no/where")).is_err());
        assert!(check_output("/dev/null").unwrap_err().to_string().ends_with("got a device"));
    }
}
