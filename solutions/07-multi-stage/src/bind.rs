//! `RUN --mount=type=bind`: files that are there already, shown to a command without being copied into its layer.
//!
//! Those of a stage or an image are shown as they lie in their layers. Those of a context may change any moment, belong to
//! somebody on the host, and some of them are hidden by `.dockerignore`: of them a copy is made, as `COPY` would.

use crate::error::{Error, Result};
use crate::trees::{self, Files};
use build::context::Tree;
use build::copy::{self, Plan, Target};
use build::instruction::{Copy, Mount};
use build::run;
use build::source::{Guard, Held};
use build::stage::Build;
use layers::Digest;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

/// Where the files of a context are copied to, in a folder of their own.
const COPIED: &str = "tree";

/// What the files are known by.
pub(crate) fn content(mount: &Mount, files: &Files<'_>) -> Result<Digest> {
    match files {
        // All of it, and it never changes: no need to look at each file.
        Files::Layers { chain_id: Some(chain_id), .. } if is_whole(mount) => Ok(*chain_id),
        files => with_plan(mount, files, "/", |plan| Ok(plan.digest())),
    }
}

/// The files themselves. `folder` is made where something has to be written.
pub(crate) fn source(
    mount: &Mount,
    files: &Files<'_>,
    folder: &Path,
    build: &Build<'_>,
) -> Result<(run::Source, Option<Held>)> {
    let name = name(mount);
    let held = || Some(Box::new(Temporary(folder.to_path_buf())) as Held);
    let (tree, path, held) = match files {
        Files::Layers { folders, .. } if mount.readonly == Some(false) => {
            (Files::writable(folders, folder, name)?, inner(mount), held())
        }
        Files::Layers { .. } => (files.source(name)?.root, inner(mount), None),
        Files::Context(_) | Files::Named(_) => {
            let held = held();
            fs::create_dir(folder).map_err(failed(name))?;
            with_plan(mount, files, &format!("/{COPIED}"), |plan| write(plan, folder, build))?;
            let root = File::open(folder).map_err(failed(name))?;
            let tree = trees::open(root.as_fd(), Path::new(COPIED)).map_err(failed(name))?;
            return Ok((run::Source::Tree(tree), held));
        }
    };
    if path.as_os_str().is_empty() {
        return Ok((run::Source::Tree(tree), held));
    }
    match trees::open(tree.as_fd(), &path) {
        Ok(_) => Ok((run::Source::Within { tree, path }, held)),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
            let path = format!("/{}", path.display());
            Err(build::Error::NotFound { from: name.to_owned(), path, hidden: false }.into())
        }
        Err(errno) => Err(failed(name)(errno)),
    }
}

/// Copies what a mount shows into a folder that is there: what a cache begins with.
pub(crate) fn copy(mount: &Mount, files: &Files<'_>, folder: &Path, build: &Build<'_>) -> Result<()> {
    with_plan(mount, files, "/", |plan| write(plan, folder, build))
}

fn write(plan: Plan<'_>, folder: &Path, build: &Build<'_>) -> Result<()> {
    let root = File::open(folder).map_err(failed("the copy"))?;
    let target = Target { root: root.as_fd(), owner: None, time: build.settings.time, cancel: Some(build.cancel) };
    // What could not be taken along, a COPY of it would tell.
    Ok(plan.write(target).map(drop)?)
}

/// What a COPY of the source would do.
fn with_plan<T>(
    mount: &Mount,
    files: &Files<'_>,
    destination: &str,
    use_it: impl FnOnce(Plan<'_>) -> Result<T>,
) -> Result<T> {
    let wanted = Copy { sources: vec![plainly(&inner(mount))], destination: destination.to_owned(), ..Copy::default() };
    match files {
        Files::Context(tree) => use_it(copy::resolve(&wanted, "/", tree, None)?),
        Files::Named(context) => use_it(copy::resolve(&wanted, "/", context.tree(), None)?),
        files @ Files::Layers { .. } => {
            let tree = Tree::source(files.source(name(mount))?, name(mount), None)?;
            use_it(copy::resolve(&wanted, "/", &tree, None)?)
        }
    }
}

/// Where it is mounted.
///
/// # Errors
/// [`Error::Target`]: the root itself.
pub(crate) fn target(mount: &Mount, cwd: &str) -> Result<String> {
    let target = crate::secret::absolute(mount.target.as_deref().unwrap_or_default(), cwd);
    if target == "/" { Err(Error::Target(target)) } else { Ok(target) }
}

fn name(mount: &Mount) -> &str {
    mount.from.as_deref().unwrap_or("context")
}

fn is_whole(mount: &Mount) -> bool {
    inner(mount).as_os_str().is_empty()
}

/// The source, from the root of its tree: `..` leads nowhere else.
fn inner(mount: &Mount) -> PathBuf {
    let path = crate::secret::absolute(mount.source.as_deref().unwrap_or_default(), "/");
    PathBuf::from(path.trim_start_matches('/'))
}

/// For a COPY, where `*` and its kin would mean something.
fn plainly(path: &Path) -> String {
    let mut plain = String::from("/");
    for c in path.to_string_lossy().chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

pub(crate) fn failed<E: Into<io::Error>>(name: &str) -> impl FnOnce(E) -> Error {
    let name = name.to_owned();
    move |source| Error::Tree { name, source: source.into() }
}

/// A folder that is removed when it is dropped.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Guard for Temporary {}

impl Drop for Temporary {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // It goes with the folder of the build, at the latest.
                tracing::debug!("{}: {error}", self.0.display());
            }
            _ => {}
        }
    }
}
