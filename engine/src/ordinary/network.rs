//! The network in which an ordinary user's containers are plugged together: a network namespace like a host's, which lasts as long as
//! anybody is in it. Whoever needs it finds it by who is in it; who finds nobody makes it anew.

use super::roles::{Role, Roles};
use super::{MOMENT, TRIES, outside};
use crate::info::in_user_namespace;
use crate::{Engine, Error, Result};
use network::Namespace;
use std::fs::File;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;

/// Whether this process is in it: then it is for good, since the host's belongs to others.
static INSIDE: OnceLock<()> = OnceLock::new();

pub(crate) fn is_inside() -> bool {
    INSIDE.get().is_some()
}

impl Engine {
    /// Sees to it that there is a network for the containers of an ordinary user, and a way out of it. For processes that are in
    /// the host's network.
    ///
    /// # Errors
    /// The kernel lacks something.
    pub(crate) fn ensure_ordinary_network(&self) -> Result<()> {
        if !in_user_namespace() || is_inside() {
            return Ok(());
        }
        let roles = Roles::open(&self.roots.run)?;
        let turn = roles.turn()?;
        roles.take(Role::Member)?;
        if roles.holder(Role::Outside)?.is_none() {
            outside::start(&self.roots, find_by(roles, &[Role::Inside])?)?;
        }
        drop(turn);
        Ok(())
    }

    /// Takes this process, which must have one thread, into the network, if there is one: the engine has seen to that, where the
    /// kernel lets it.
    pub(crate) fn enter_ordinary_network(&self) -> Result<bool> {
        if is_inside() {
            return Ok(true);
        }
        let Some(there) = find(&self.roots.run)? else { return Ok(false) };
        enter(&there)?;
        Roles::open(&self.roots.run)?.take(Role::Inside)?;
        INSIDE.get_or_init(|| ());
        Ok(true)
    }

    /// Does something where the bridges are. None if there is no such place, because no container runs.
    pub(crate) fn where_bridges_are<T: Send>(&self, visit: impl FnOnce() -> Result<T> + Send) -> Result<Option<T>> {
        if !in_user_namespace() || is_inside() {
            return visit().map(Some);
        }
        let Some(there) = find(&self.roots.run)? else { return Ok(None) };
        in_thread(|| enter(&there).and_then(|()| visit())).map(Some)
    }
}

/// The network, as a file, if anybody is in it.
fn find(run: &Path) -> Result<Option<File>> {
    find_by(Roles::open(run)?, &[Role::Outside, Role::Inside])
}

fn find_by(roles: &Roles, who: &[Role]) -> Result<Option<File>> {
    let mut tries = 0;
    loop {
        let mut there = who.iter().filter_map(|role| roles.holder(*role).transpose());
        let Some(pid) = there.next().transpose()? else { return Ok(None) };
        let path = format!("/proc/{pid}/ns/net");
        match File::open(&path) {
            Ok(file) => return Ok(Some(file)),
            Err(e) if tries == TRIES => return Err(Error::system(format!("open {path}"), e)),
            Err(_) => tries += 1,
        }
        thread::sleep(MOMENT);
    }
}

fn enter(there: &File) -> Result<()> {
    Ok(Namespace::from(there.try_clone().map_err(|e| Error::system("hold a network", e))?).remain()?)
}

/// Does something in a thread of its own, which may go where it cannot come back from.
pub(super) fn in_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let done = thread::Builder::new().stack_size(256 * 1024).spawn_scoped(scope, work);
        let done = done.map_err(|e| Error::system("start a thread", e))?.join();
        done.unwrap_or_else(|_| Err(Error::system("work in another network", "the thread has panicked")))
    })
}
