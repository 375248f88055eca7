//! What a process does before anything else.

use crate::{Error, Result, Roots, builder, learner, ordinary, shim};
use std::path::Path;
use std::sync::OnceLock;

/// Who we were before [`bootstrap`] made us root of a user namespace.
static ORDINARY_USER: OnceLock<u32> = OnceLock::new();

/// To be called first thing in `main`. Never returns when this process was started as a shim, or as the step of a build
/// (argv says so).
/// From here on, an open exercise of a learner's chapter is told in one line, wherever it is met.
pub fn be_shim_if_called_so() {
    learner::tell_what_is_unfinished();
    let name = std::env::args_os().next().unwrap_or_default();
    if name == shim::NAME {
        shim::main();
    }
    if name == builder::STEP {
        builder::be_step();
    }
    if name == ordinary::outside::NAME {
        ordinary::outside::main();
    }
}

/// To be called early in `main`, while single-threaded: a process with threads may not change its user namespace
/// (user_namespaces(7)). As an ordinary user, enters the user namespace of all processes of the engine in `root` (or in the usual
/// place), in which it is root, and a mount namespace of its own.
///
/// From then on rootless is no special case: unpacking files of several owners, overlay mounts and namespaces all work as
/// they do for root.
pub fn bootstrap(root: Option<&Path>) -> Result<()> {
    let uid = nix::unistd::geteuid().as_raw();
    if uid != 0 {
        let trouble = |e: Error| Error::system("become root of a user namespace", e);
        match Roots::find(root) {
            Ok(roots) => ordinary::enter(&roots).map_err(trouble)?,
            // Whoever needs a place for an engine will say what is wrong with it.
            Err(_) => process::userns::enter().map_err(|e| trouble(e.into()))?,
        }
        ORDINARY_USER.get_or_init(|| uid);
    }
    Ok(())
}

/// The user behind the root that we are in our own user namespace.
pub(crate) fn ordinary_user() -> Option<u32> {
    let uid = nix::unistd::geteuid().as_raw();
    ORDINARY_USER.get().copied().or((uid != 0).then_some(uid))
}
