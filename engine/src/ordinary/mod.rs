//! What the processes of an ordinary user's engine share: one user namespace, in which they are root, and in it one network.
//!
//! A user namespace cannot be entered from a sibling of it. So the first process makes it, and each that comes later, still being the
//! user's own, joins a process that is in it ([`enter`]). Then all of them own everything that is in it: the shims' containers, and
//! the network where their bridges are (`network`). The network's only way out is a process that speaks for the containers
//! with sockets of the host's (`outside`).
//!
//! Who is what is told by locks, which die with their holders (`roles`): there is nothing to be cleared up after a crash.

pub(crate) mod network;
pub(crate) mod outside;
mod roles;

use crate::{Engine, Error, Result, Roots};
use roles::{Role, Roles};
use std::time::Duration;

/// A process that is just dying can no longer be joined, though it still has its locks. A moment later there is another, or none.
const TRIES: usize = 20;
const MOMENT: Duration = Duration::from_millis(1);

/// Makes this process root of the user namespace of its engine. It must be single-threaded.
pub(crate) fn enter(roots: &Roots) -> Result<()> {
    let Ok(roles) = Roles::open(&roots.run) else {
        // There is no place for an engine: whoever needs one will say so.
        return Ok(process::userns::enter()?);
    };
    let turn = roles.turn()?;
    let shared = match join_somebody(roles)? {
        Joined::Nobody => process::userns::enter().map(|()| true)?,
        Joined::Somebody => true,
        Joined::Refused => process::userns::enter().map(|()| false)?,
    };
    if shared {
        // Others want to join us by our number, as they could before we were root here.
        nix::sys::prctl::set_dumpable(true).map_err(|e| Error::system("be there for others", e))?;
        roles.take(Role::Member)?;
    }
    drop(turn);
    Ok(())
}

impl Engine {
    /// If the outside was killed while containers are there, they get another.
    pub(crate) fn revive_outside(&self) {
        let missing = || {
            let roles = Roles::open(&self.roots.run)?;
            Ok::<_, Error>(roles.holder(Role::Inside)?.is_some() && roles.holder(Role::Outside)?.is_none())
        };
        if !crate::info::in_user_namespace() || network::is_inside() {
            return;
        }
        let revived = missing().and_then(|missing| if missing { self.ensure_ordinary_network() } else { Ok(()) });
        if let Err(error) = revived {
            tracing::warn!("containers do not reach the world: {error}");
        }
    }
}

/// For a shim, which is in the namespace already, and keeps it there.
pub(crate) fn remain(roots: &Roots) -> Result<()> {
    if crate::info::in_user_namespace() {
        Roles::open(&roots.run)?.take(Role::Member)?;
    }
    Ok(())
}

enum Joined {
    Nobody,
    Somebody,
    /// This kernel does not let us.
    Refused,
}

fn join_somebody(roles: &Roles) -> Result<Joined> {
    for _ in 0..TRIES {
        let Some(pid) = roles.holder(Role::Member)?.or(roles.holder(Role::Outside)?) else { return Ok(Joined::Nobody) };
        match process::userns::join(pid) {
            Ok(()) => return Ok(Joined::Somebody),
            Err(error) => tracing::debug!("the user namespace of process {pid} is closed to us: {error}"),
        }
        std::thread::sleep(MOMENT);
    }
    Ok(Joined::Refused)
}
