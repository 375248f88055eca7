//! `ADD`: a `COPY` that also unpacks archives and fetches URLs.
//!
//! An archive that is named itself is unpacked into the destination, whatever it is called: what its first bytes say
//! counts. One that is found in a folder is a file like any other. What comes from a URL is not unpacked, unless `--unpack` says so.

mod archive;
mod compression;
mod download;
mod http;

use std::path::Path;

use crate::cancel::Cancel;
use crate::context::Tree;
use crate::copy::{self, Piece, Plan};
use crate::error::{Error, Result};
use crate::ignore::Ignore;
use crate::instruction::Copy;
pub(crate) use archive::{Archive, begins_like_one, unpack};
pub(crate) use download::Download;
pub(crate) use http::{fetch, is_git, is_url};

/// Finds out what an `ADD` would add; see [`copy::resolve`]. What has no `--checksum` is fetched already now, to a file in the
/// folder `downloads`, for its digest.
///
/// # Errors
/// As [`copy::resolve`]; or a URL cannot be fetched.
pub fn resolve<'a>(
    add: &Copy,
    cwd: &str,
    tree: &'a Tree,
    downloads: &Path,
    cancel: Option<&Cancel>,
) -> Result<Plan<'a>> {
    check_checksum(add)?;
    let mut plan = Plan::new(add, cwd, tree)?;
    let exclude = Ignore::patterns("--exclude", add.exclude.iter().map(String::as_str))?;
    for source in &add.sources {
        if is_git(source) {
            return Err(Error::Git(source.clone()));
        }
        if is_url(source) {
            let download = Download::new(source, add.checksum.as_deref(), add.unpack, downloads, cancel)?;
            plan.pieces.push(Piece::Download(download));
            continue;
        }
        for selection in copy::select(tree, source, &exclude, add.parents, cancel)? {
            let unpack = add.unpack.unwrap_or(true) && !selection.is_folder;
            plan.pieces.push(match unpack && archive::is_archive(tree, &selection)? {
                true => Piece::Archive(Archive(selection)),
                false => Piece::Files(selection),
            });
        }
    }
    plan.add_heredocs(add);
    Ok(plan)
}

/// `--checksum` speaks of one file, and of one that comes from elsewhere.
fn check_checksum(add: &Copy) -> Result<()> {
    let refused = |why: &str| Err(Error::Checksum(why.to_owned()));
    match (&add.checksum, add.sources.as_slice()) {
        (None, _) => Ok(()),
        (Some(_), [source]) if is_url(source) => Ok(()),
        (Some(_), [_]) => refused("checksum requires HTTP(S) or Git sources"),
        (Some(_), _) => refused("checksum can't be specified for multiple sources"),
    }
}
