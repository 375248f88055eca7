//! What a source names: `src`, `*.go`, `--parents a/./b/**`.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use layers::pack::{names, open};
use rustix::fs::{FileType, OFlags};

use crate::cancel::Cancel;
use crate::context::entry::{Entry, Kind, shown};
use crate::context::rooted::{Resolved, examine, kind};
use crate::context::walk::{Select, entry, special, walk};
use crate::context::{Tree, contents};
use crate::error::{Error, Result};
use crate::ignore::{Ignore, Pattern, clean};

/// The files that one source, or one match of its wildcards, names.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Where it is in the tree; the paths of its entries begin there.
    pub(crate) base: PathBuf,
    /// The name it was found by: that of a link, and not of what it leads to.
    pub(crate) name: OsString,
    /// Its content is copied, not itself.
    pub(crate) is_folder: bool,
    /// Sorted. A file has one, with an empty path.
    pub(crate) entries: Vec<Entry>,
}

/// Finds what a source names, and the digests of all its files.
///
/// `..` at the beginning leads nowhere: the root of the tree is the root of the world. A source without wildcards has to
/// be there. With them it is no error if nothing matches.
pub(crate) fn select(
    tree: &Tree,
    source: &str,
    exclude: &Ignore,
    parents: bool,
    cancel: Option<&Cancel>,
) -> Result<Vec<Selection>> {
    let (source, include) = if parents { split_pivot(source)? } else { (source.to_owned(), None) };
    let required = !has_wildcard(source.as_bytes()) && include.as_ref().is_none_or(|include| include.required);
    let wanted = from_root(source.as_bytes());
    let not_found = || {
        let path = include.as_ref().map_or_else(|| wanted.clone(), |include| wanted.join(&include.path));
        missing(tree, &path)
    };
    let select = Select { exclude: exclude.clone(), include: include.as_ref().map(|include| include.rules.clone()) };
    let mut selections = Vec::new();
    for path in matches(tree, &wanted)? {
        // A wildcard may find a link that leads to nothing.
        let found = tree.find(&path)?.ok_or_else(|| missing(tree, &path))?;
        let mut selection = Selection {
            name: path.file_name().unwrap_or_default().to_owned(),
            is_folder: found.is_folder(),
            entries: entries(tree, &found, &select)?,
            base: found.path.clone(),
        };
        // A folder that is hidden is there only for the sake of what is in it.
        let hidden = selection.is_folder && tree.ignore().verdict_of(&selection.base).excluded;
        if selection.entries.is_empty() && hidden && !found.links.is_empty() {
            return Err(missing(tree, &path));
        }
        if selection.entries.is_empty() && (hidden || include.is_some()) {
            continue;
        }
        contents::find_out(tree, &selection.base, &mut selection.entries, cancel)?;
        selections.push(selection);
    }
    if required && selections.is_empty() { Err(not_found()) } else { Ok(selections) }
}

/// The error for what is not there, and why not, if that is known.
fn missing(tree: &Tree, path: &Path) -> Error {
    let hidden = tree.ignore().verdict_of(path).excluded
        && examine(tree.root().as_fd(), path).is_ok_and(|status| status.is_some());
    Error::NotFound { from: tree.name().to_owned(), path: shown(path), hidden }
}

/// What is copied of `a/./b/c` with `--parents`: of `a` what matches `b/c`.
struct Include {
    rules: Ignore,
    path: PathBuf,
    /// It has no wildcards, so it has to be there.
    required: bool,
}

fn split_pivot(source: &str) -> Result<(String, Option<Include>)> {
    let (from, pattern) = source.split_once("/./").unwrap_or(("/", source));
    let path = from_root(pattern.as_bytes());
    let required = !has_wildcard(path.as_os_str().as_bytes());
    let text = path.to_string_lossy();
    let rules = Ignore::patterns("--parents", [if text.is_empty() { "**" } else { &text }])?;
    Ok((from.to_owned(), Some(Include { rules, path, required })))
}

/// A path from the root of the tree, without a slash before it.
fn from_root(path: &[u8]) -> PathBuf {
    let cleaned = clean(&[b"/", path].concat());
    PathBuf::from(OsString::from_vec(cleaned[1..].to_vec()))
}

fn has_wildcard(path: &[u8]) -> bool {
    let mut bytes = path.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return true,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    false
}

/// The paths that match, sorted. Links before the first wildcard are followed, as everywhere; those that a wildcard finds are
/// not gone through.
fn matches(tree: &Tree, path: &Path) -> Result<Vec<PathBuf>> {
    let parts: Vec<&OsStr> = path.components().map(Component::as_os_str).collect();
    let Some(first) = parts.iter().position(|part| has_wildcard(part.as_bytes())) else {
        return Ok(vec![path.to_path_buf()]);
    };
    let (start, wild) = parts.split_at(first);
    let start: PathBuf = start.iter().collect();
    let mut found = match tree.find(&start)? {
        Some(start) if start.is_folder() => vec![start.path],
        _ => return Ok(Vec::new()),
    };
    for (depth, part) in wild.iter().enumerate() {
        let pattern = Pattern::wildcard(part.as_bytes()).map_err(|_| Error::Pattern {
            origin: path.display().to_string(),
            pattern: part.to_string_lossy().into_owned(),
            why: "syntax error in pattern",
        })?;
        let last = depth + 1 == wild.len();
        let folders = std::mem::take(&mut found);
        for folder in folders {
            found.extend(matches_in(tree, &folder, &pattern, last)?);
        }
    }
    Ok(found)
}

/// What matches in one folder; only folders, unless it is the last part of the path.
fn matches_in(tree: &Tree, folder: &Path, pattern: &Pattern, last: bool) -> Result<Vec<PathBuf>> {
    let opened = open(tree.root().as_fd(), folder, OFlags::RDONLY | OFlags::DIRECTORY);
    let mut names = opened
        .map_err(std::io::Error::from)
        .and_then(|folder| names(folder.as_fd()))
        .map_err(Error::io("read", folder))?;
    names.retain(|name| pattern.matches(name.as_bytes()));
    names.sort_unstable();
    let paths = names.into_iter().map(|name| folder.join(name));
    let mut found = Vec::new();
    for path in paths {
        let is_folder = || -> Result<bool> {
            let status = examine(tree.root().as_fd(), &path).map_err(Error::io("examine", &path))?;
            Ok(status.is_some_and(|status| kind(&status) == FileType::Directory))
        };
        let hidden = tree.ignore().verdict_of(&path).excluded;
        if (last && !hidden) || is_folder()? {
            found.push(path);
        }
    }
    Ok(found)
}

/// A file itself, or what is in a folder.
fn entries(tree: &Tree, found: &Resolved, select: &Select) -> Result<Vec<Entry>> {
    match &found.status {
        _ if found.is_folder() => walk(tree, &found.path, select),
        Some(status) if kind(status) == FileType::RegularFile => {
            Ok(vec![entry(tree, PathBuf::new(), status, Kind::File { content: None })])
        }
        Some(status) => Ok(vec![entry(tree, PathBuf::new(), status, special(status))]),
        None => Ok(Vec::new()),
    }
}
