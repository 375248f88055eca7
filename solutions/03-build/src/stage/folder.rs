//! WORKDIR: a folder, made where it is missing.

use super::Making;
use super::files::Work;
use crate::cache::Key;
use crate::context::rooted;
use crate::copy::{self, Folders};
use crate::error::{Error, Result};
use crate::instruction::Step;
use crate::recipe;
use layers::attributes::{Attributes, Writer};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

impl Making<'_> {
    pub(super) fn workdir(&mut self, step: &Step, path: &str, index: usize) -> Result<()> {
        let path = recipe::workdir(&self.state.image.config.working_dir, path);
        let mut key = Key::new(self.state.key, "WORKDIR");
        key.part("path", &path);
        key.part("user", &self.state.image.config.user);
        key.part("time of what is written", self.build.settings.time.to_string());
        let work = Work { key, shown: self.shown(step), skeleton: None, alone: None };
        let make =
            |making: &Self, root: OwnedFd, id: usize| making.make_folder(&root, Path::new(&path), id).map(|()| None);
        let layer = self.files(step, index, work, make)?;
        self.history(format!("WORKDIR {path}"), !layer);
        self.state.image.config.working_dir = path;
        Ok(())
    }

    /// Makes a folder and those above it, where they are missing, for the stage's user.
    fn make_folder(&self, root: &OwnedFd, path: &Path, id: usize) -> Result<()> {
        let user = &self.state.image.config.user;
        let owner = if user.is_empty() { copy::Owner::default() } else { copy::owner(root.as_fd(), user)? };
        owner.notes.into_iter().for_each(|note| self.note(id, note));
        let mtime = (self.build.settings.time, 0);
        let wanted = Attributes { uid: owner.uid, gid: owner.gid, mode: 0o755, mtime, xattrs: Vec::new() };
        let found = rooted::resolve(root.as_fd(), path).map_err(Error::io("find", path))?;
        let mut folders = Folders::new(root.as_fd(), wanted);
        folders.make_all(&found.path)?;
        let mut writer = Writer::new(true);
        folders.finish(&mut writer)?;
        writer.into_notes().into_iter().for_each(|note| self.note(id, note));
        Ok(())
    }
}
