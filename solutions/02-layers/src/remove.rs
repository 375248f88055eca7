//! Names given and taken, images removed: Docker's rules, and its words where it refuses.
//!
//! A name is only a label, and an image has any number of them. `rmi NAME` takes one label away; the image goes with its
//! last one, unless a container or another image still needs it.

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::index_file::{Entry, name_image, untag};
use crate::reference::Reference;
use crate::store::{Image, Store, entry};

/// A container that needs an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The container's ID.
    pub container: String,
    pub running: bool,
    /// The image's ID.
    pub image: Digest,
    /// The chain IDs of the layers it is mounted from: they stay even if the image goes (by force).
    pub layers: Vec<Digest>,
}

/// One thing that a removal did, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name, in its familiar form.
    Untagged(String),
    /// An image (its ID) or an unpacked layer (its chain ID).
    Deleted(Digest),
}

impl Store {
    /// Gives an image one more name, taking it from whoever has it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn tag(&self, image: &Image, name: &Reference) -> Result<()> {
        let name = name.clone().or_latest();
        self.index.update(|entries| {
            // The image may have gone since it was resolved.
            if !entries.iter().any(|e| e.same_image(&entry(image, None))) {
                return Err(Error::NoSuchImage(image.id.to_string()));
            }
            name_image(entries, entry(image, Some(&name)));
            Ok(())
        })
    }

    /// Removes a name, or by ID an image with all its names; the image itself goes with its last name. `force` removes
    /// one that has several names or a stopped container; one that a running container uses stays in any case. `prune`
    /// removes unnamed parents too.
    ///
    /// `users` is called while no image can be chosen for a new container ([`Store::hold`]).
    ///
    /// # Errors
    /// [`Error::NoSuchImage`], or [`Error::Conflict`] in Docker's words.
    pub fn remove(
        &self,
        name: &str,
        force: bool,
        prune: bool,
        users: &dyn Fn() -> Result<Vec<Use>>,
    ) -> Result<Vec<Removed>> {
        self.index.update(|entries| {
            let mut removal =
                Removal { store: self, users: users()?, entries, removed: Vec::new(), chains: Vec::new() };
            removal.remove(name, force, prune)?;
            // A name alone leaves no garbage.
            if removal.chains.is_empty() { Ok(removal.removed) } else { self.sweep_after(removal) }
        })
    }

    /// Removes all images that `chosen` accepts: dangling ones, and with `all` also those that no container uses; and
    /// all garbage. Returns what went, and the bytes won.
    ///
    /// # Errors
    /// [`Error::Io`], or what `users` says.
    pub fn prune(
        &self,
        all: bool,
        chosen: &dyn Fn(&Image) -> bool,
        users: &dyn Fn() -> Result<Vec<Use>>,
    ) -> Result<(Vec<Removed>, u64)> {
        let before = self.bytes_used();
        let images = self.images()?;
        let removed = self.index.update(|entries| {
            let users = users()?;
            let mut removal = Removal { store: self, users, entries, removed: Vec::new(), chains: Vec::new() };
            for image in images.iter().filter(|image| chosen(image)) {
                let names = removal.names(&image.id);
                if removal.users.iter().any(|u| u.image == image.id) || !(all || names.is_empty()) {
                    continue;
                }
                names.iter().for_each(|name| removal.untag(name));
                // Images made from it are no conflict here, they only keep it.
                removal.delete(&image.id, Force::No, true, true)?;
            }
            self.sweep_after(removal)
        })?;
        Ok((removed, before.saturating_sub(self.bytes_used())))
    }

    /// Neither a name nor an image made from it needs this image.
    #[must_use]
    pub fn is_dangling(image: &Image, all: &[Image]) -> bool {
        image.names.is_empty() && !all.iter().any(|other| other.parent == Some(image.id))
    }

    /// Sweeps, and tells of each layer after the last image that was made of it, the uppermost first.
    fn sweep_after(&self, removal: Removal<'_>) -> Result<Vec<Removed>> {
        let gone = self.sweep(removal.entries, &removal.users)?;
        let chains = removal.chains;
        let mut told = Vec::new();
        for step in removal.removed {
            let image = chains.iter().position(|(id, _)| step == Removed::Deleted(*id));
            told.push(step);
            let Some(at) = image else { continue };
            let last =
                |layer: &&Digest| gone.contains(layer) && !chains[at + 1..].iter().any(|(_, c)| c.contains(layer));
            told.extend(chains[at].1.iter().rev().filter(last).map(|layer| Removed::Deleted(*layer)));
        }
        Ok(told)
    }
}

/// Which obstacles are passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Force {
    No,
    /// Its names are about to be taken away anyway.
    Names,
    Yes,
}

struct Removal<'a> {
    store: &'a Store,
    users: Vec<Use>,
    entries: &'a mut Vec<Entry>,
    removed: Vec<Removed>,
    /// The images that were deleted, and their chain IDs.
    chains: Vec<(Digest, Vec<Digest>)>,
}

impl Removal<'_> {
    fn remove(&mut self, name: &str, force: bool, prune: bool) -> Result<()> {
        let image = self.store.resolve(name)?;
        let names = self.names(&image.id);
        let force = if force { Force::Yes } else { Force::No };
        if Store::is_id(name, &image.id) {
            if is_single(&names) {
                self.check(&image.id, force.max_names())?;
                names.iter().for_each(|name| self.untag(name));
            }
            return self.delete(&image.id, force, prune, false);
        }
        if force == Force::No && is_single(&names) {
            self.check_last_name(name, &image.id)?;
        }
        self.untag_with_digests(&Reference::parse(name)?.or_latest(), &image);
        if !self.names(&image.id).is_empty() {
            return Ok(());
        }
        self.delete(&image.id, force, prune, true)
    }

    /// Takes a name away. With the last tag of a repository its digests go too: nobody would know them by heart.
    fn untag_with_digests(&mut self, name: &Reference, image: &Image) {
        // `alpine:3@sha256:…` was found by its digest alone, perhaps that of a target without a name of its own.
        let stored = match name.digest() {
            Some(digest) => {
                let exact = name.with_digest(*digest);
                let same = |n: &&Reference| **n == exact || n.same_repository(name);
                image.names.iter().find(|n| **n == exact).or_else(|| image.names.iter().find(same)).cloned()
            }
            None => Some(name.clone()),
        };
        let Some(stored) = stored else { return };
        self.untag(&stored);
        let rest: Vec<Reference> = self.names(&image.id).into_iter().filter(|n| n.same_repository(name)).collect();
        if stored.digest().is_none() && rest.iter().all(|n| n.digest().is_some()) {
            rest.iter().for_each(|name| self.untag(name));
        }
    }

    fn untag(&mut self, name: &Reference) {
        if untag(self.entries, name) {
            self.removed.push(Removed::Untagged(name.to_string()));
        }
    }

    fn names(&self, id: &Digest) -> Vec<Reference> {
        self.entries.iter().filter(|e| self.is(e, id)).filter_map(|e| e.name.clone()).collect()
    }

    fn is(&self, entry: &Entry, id: &Digest) -> bool {
        match entry.id {
            Some(own) => own == *id,
            None => self.store.read_target(&entry.target, None).is_ok_and(|image| image.id == *id),
        }
    }

    fn has_children(&self, id: &Digest) -> bool {
        self.entries.iter().any(|e| e.parent == Some(*id))
    }

    /// Deletes an image and, with `prune`, its unnamed parents. `quiet`: a name was taken away already, and an image
    /// that is needed otherwise simply stays.
    fn delete(&mut self, id: &Digest, force: Force, prune: bool, quiet: bool) -> Result<()> {
        if let Err(conflict) = self.check(id, force) {
            let used = self.users.iter().any(|u| u.image == *id);
            let dangling = self.names(id).is_empty() && !self.has_children(id);
            return if quiet && (!dangling || used) { Ok(()) } else { Err(conflict) };
        }
        let entry = self.entries.iter().find(|e| self.is(e, id)).cloned();
        let parent = entry.as_ref().and_then(|e| e.parent);
        let image = entry.and_then(|e| self.store.read_target(&e.target, Some(*id)).ok());
        self.chains.push((*id, image.map(|image| image.chain_ids()).unwrap_or_default()));
        self.names(id).iter().for_each(|name| self.untag(name));
        let gone: Vec<bool> = self.entries.iter().map(|e| self.is(e, id)).collect();
        let mut gone = gone.iter();
        self.entries.retain(|_| !gone.next().copied().unwrap_or_default());
        self.removed.push(Removed::Deleted(*id));
        match parent.filter(|parent| prune && self.names(parent).is_empty()) {
            Some(parent) if self.entries.iter().any(|e| self.is(e, &parent)) => {
                self.delete(&parent, Force::No, true, true)
            }
            _ => Ok(()),
        }
    }

    /// Docker's obstacles, in its order: images made from it, running containers, several names, stopped containers.
    fn check(&self, id: &Digest, force: Force) -> Result<()> {
        let conflict = |hard: bool, why: String| {
            let forced = if hard { "cannot be forced" } else { "must be forced" };
            Err(Error::Conflict(format!("conflict: unable to delete {} ({forced}) - {why}", id.short())))
        };
        let by = |running: bool| self.users.iter().find(|u| u.image == *id && u.running == running);
        if self.has_children(id) {
            return conflict(true, "image has dependent child images".to_owned());
        }
        if let Some(user) = by(true) {
            return conflict(true, format!("image is being used by running container {}", short(&user.container)));
        }
        if force == Force::No && !self.names(id).is_empty() {
            return conflict(false, "image is referenced in multiple repositories".to_owned());
        }
        match by(false).filter(|_| force != Force::Yes) {
            Some(user) => {
                conflict(false, format!("image is being used by stopped container {}", short(&user.container)))
            }
            None => Ok(()),
        }
    }

    /// Without its last name the image would dangle beneath the container that uses it.
    fn check_last_name(&self, name: &str, id: &Digest) -> Result<()> {
        match self.users.iter().find(|u| u.image == *id) {
            Some(user) => Err(Error::Conflict(format!(
                "conflict: unable to remove repository reference {name:?} (must force) - container {} is using its \
                 referenced image {}",
                short(&user.container),
                id.short()
            ))),
            None => Ok(()),
        }
    }
}

impl Force {
    fn max_names(self) -> Self {
        if self == Self::Yes { Self::Yes } else { Self::Names }
    }
}

fn short(container: &str) -> &str {
    container.get(..12).unwrap_or(container)
}

/// At most one tag, and digests only in the same repository.
fn is_single(names: &[Reference]) -> bool {
    let tags = names.iter().filter(|n| n.digest().is_none()).count();
    tags <= 1 && names.iter().all(|n| names.iter().all(|other| n.same_repository(other)))
}
