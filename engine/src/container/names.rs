//! The names of containers: `<data>/names/<name>` is a symbolic link to `../containers/<id>`.
//!
//! symlink(2) fails when the name exists, and carries the ID in the same call: of two `run --name x` at once, one wins,
//! and nobody ever sees a name that points nowhere yet. `ls -l` shows the table, and `cd names/web` works.
//!
//! A creation that was killed between the reservation and its `config.json` leaves a dead name, and so does a rename
//! before its last step. The next one who wants the name takes it over.

use crate::container::id::ContainerId;
use crate::container::record::{Container, make_private_folder};
use crate::durable::{self, Durability};
use crate::{Engine, Error, Kind, Result};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Checks a name against Docker's rule, `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, and takes its leading slash away.
pub(crate) fn check(given: &str) -> Result<&str> {
    let name = given.strip_prefix('/').unwrap_or(given);
    let good = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if good {
        return Ok(name);
    }
    let text = format!("Invalid container name ({given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
    Err(Error::new(Kind::Invalid, text))
}

impl Engine {
    fn names_folder(&self) -> PathBuf {
        self.roots.data.join("names")
    }

    /// Reserves `name` for `id`, whose folder the caller holds the lock of.
    ///
    /// # Errors
    /// [`Kind::Conflict`], in Docker's words, when a container that exists or is being made has the name.
    pub(crate) fn reserve_name(&self, name: &str, id: &ContainerId, durability: Durability) -> Result<()> {
        let path = self.names_folder().join(name);
        let target = Path::new("../containers").join(id.as_str());
        loop {
            match symlink(&target, &path) {
                Ok(()) if durability == Durability::Lasting => {
                    return durable::sync_folder_of(&path)
                        .map_err(|e| Error::system(format!("reserve the name {name}"), e));
                }
                Ok(()) => return Ok(()),
                // Its own already: whoever renamed it was killed in the middle.
                Err(e) if e.kind() == ErrorKind::AlreadyExists && reserved_for(&path).as_ref() == Some(id) => {
                    return Ok(());
                }
                Err(e) if e.kind() == ErrorKind::AlreadyExists => self.take_over(name, &path)?,
                Err(e) if e.kind() == ErrorKind::NotFound => make_private_folder(&self.names_folder())?,
                Err(e) => return Err(Error::system(format!("reserve the name {name}"), e)),
            }
        }
    }

    /// Frees a name whose owner is dead, or fails because it lives. Takers queue at the lock of the folder: the second
    /// one must not throw out the first, whose link it would be by then.
    fn take_over(&self, name: &str, path: &Path) -> Result<()> {
        let trouble = |e| Error::system(format!("take over the name {name}"), e);
        let folder = File::open(self.names_folder()).map_err(trouble)?;
        folder.lock().map_err(trouble)?;
        let Some(owner) = reserved_for(path) else { return Ok(()) };
        if self.owns_name(&self.container(&owner), name)? {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "Conflict. The container name \"/{name}\" is already in use by container \"{owner}\". You have to \
                     remove (or rename) that container to be able to reuse that name."
                ),
            ));
        }
        match fs::remove_file(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(trouble(e)),
            _ => Ok(()),
        }
    }

    /// Whether the container has this name, or whoever is making or renaming it is still at work.
    fn owns_name(&self, owner: &Container, name: &str) -> Result<bool> {
        if owner.record().is_ok_and(|record| record.name == name) {
            return Ok(true);
        }
        match owner.try_lock() {
            Ok(None) => Ok(true),
            // Unlocked now, but perhaps finished a moment ago: look again, now that nobody can be at work.
            Ok(Some(_lock)) => Ok(owner.record().is_ok_and(|record| record.name == name)),
            Err(e) if e.kind == Kind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Gives a name back with its container, in whose folder the link then waits to be deleted with everything else: a
    /// name of this length fills a block of the disk, and some disks take milliseconds to free one.
    pub(crate) fn retire_name(&self, name: &str, container: &Container) -> Result<()> {
        let path = self.names_folder().join(name);
        if reserved_for(&path).as_ref() != Some(&container.id) {
            return Ok(());
        }
        match fs::rename(&path, container.folder.join("name")) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::system(format!("release the name {name}"), e)),
            _ => Ok(()),
        }
    }

    /// Gives a name back, if it is still this container's.
    pub(crate) fn release_name(&self, name: &str, id: &ContainerId) -> Result<()> {
        let path = self.names_folder().join(name);
        if reserved_for(&path).as_ref() != Some(id) {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::system(format!("release the name {name}"), e)),
            _ => Ok(()),
        }
    }

    /// Whom a name belongs to, without asking whether that container exists.
    pub(crate) fn named(&self, name: &str) -> Option<ContainerId> {
        reserved_for(&self.names_folder().join(name))
    }
}

fn reserved_for(path: &Path) -> Option<ContainerId> {
    ContainerId::parse(fs::read_link(path).ok()?.file_name()?.to_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::tests::{add, engine};
    use std::sync::Barrier;

    #[test]
    fn names_follow_dockers_rule() {
        for good in ["web", "/web", "a1", "0_.-", "A.b"] {
            assert_eq!(check(good).unwrap(), good.trim_start_matches('/'));
        }
        for bad in ["", "/", "a", "-a", ".a", "a b", "a/b", "//a", "é1"] {
            let text = format!("Invalid container name ({bad}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
            assert_eq!(check(bad).unwrap_err().message, text);
        }
    }

    #[test]
    fn of_many_who_want_a_name_one_gets_it() {
        let (_folder, engine) = engine();
        let start = Barrier::new(8);
        let won = std::thread::scope(|scope| {
            let wants = || {
                let container = engine.container(&ContainerId::random());
                let _lock = container.make().unwrap();
                start.wait();
                let got = engine.reserve_name("web", &container.id, Durability::Passing);
                // All hold on until everybody has tried.
                start.wait();
                got.map_err(|e| e.message)
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(wants)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(won.iter().filter(|result| result.is_ok()).count(), 1, "{won:?}");
        let text = won.iter().find_map(|result| result.as_ref().err()).unwrap();
        assert!(text.starts_with("Conflict. The container name \"/web\" is already in use by container \""), "{text}");
        assert!(text.ends_with("to be able to reuse that name."), "{text}");
    }

    #[test]
    fn the_name_of_a_dead_creation_is_taken_over() {
        let (_folder, engine) = engine();
        let dead = engine.container(&ContainerId::random());
        drop(dead.make().unwrap());
        engine.reserve_name("web", &dead.id, Durability::Passing).unwrap();
        let gone = ContainerId::random();
        engine.reserve_name("db", &gone, Durability::Passing).unwrap();

        assert_eq!(engine.named("web"), Some(dead.id));
        let heir = ContainerId::random();
        engine.reserve_name("web", &heir, Durability::Passing).unwrap();
        engine.reserve_name("db", &heir, Durability::Passing).unwrap();
        assert_eq!((engine.named("web"), engine.named("db")), (Some(heir.clone()), Some(heir)));
    }

    #[test]
    fn a_container_keeps_its_name_and_loses_the_one_it_was_renamed_from() {
        let (_folder, engine) = engine();
        let web = add(&engine, "web");
        let other = ContainerId::random();
        assert_eq!(engine.reserve_name("web", &other, Durability::Passing).unwrap_err().kind, Kind::Conflict);
        engine.rename("web", "site").unwrap();
        assert_eq!(engine.named("web"), None);
        engine.reserve_name("web", &other, Durability::Passing).unwrap();
        // Not the owner's to give back.
        engine.release_name("web", &web.id).unwrap();
        assert_eq!(engine.named("web"), Some(other));
    }
}
