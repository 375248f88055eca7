//! WORKDIR: a folder, made where it is missing.

use super::Making;
use super::files::Work;
use crate::cache::Key;
use crate::error::{Error, Result};
use crate::instruction::Step;
use crate::recipe;
use rustix::fs::{Mode, OFlags, ResolveFlags, Timespec, Timestamps, futimens, mkdirat, openat2};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

impl Making<'_> {
    pub(super) fn workdir(&mut self, step: &Step, path: &str, index: usize) -> Result<()> {
        let path = recipe::workdir(&self.state.image.config.working_dir, path);
        self.state.image.config.working_dir.clone_from(&path);
        let mut key = Key::new(self.state.key, "WORKDIR");
        key.part("path", &path);
        key.part("user", &self.state.image.config.user);
        key.part("time", self.build.settings.time.to_string());
        let shown = self.shown(step);
        let make = |making: &Self, root: OwnedFd, _: usize| {
            make_folders(root.as_fd(), Path::new(&path), making.build.settings.time)
                .map_err(|errno| Error::io("make", &path)(errno))
        };
        let layer = self.files(step, index, Work { key, shown, skeleton: None }, make)?;
        self.history(format!("WORKDIR {path}"), !layer);
        Ok(())
    }
}

/// Makes what is missing of a path. All that is changed by it gets this time.
fn make_folders(root: BorrowedFd<'_>, path: &Path, time: i64) -> rustix::io::Result<()> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let open =
        |path: &Path| openat2(root, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty(), resolve);
    let time = Timespec { tv_sec: time, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    let mut so_far = PathBuf::from(".");
    let mut folder = open(&so_far)?;
    for part in path.iter().filter(|part| *part != "/") {
        so_far.push(part);
        let next = match open(&so_far) {
            Err(Errno::NOENT) => {
                mkdirat(&folder, part, Mode::from_raw_mode(0o755))?;
                let made = open(&so_far)?;
                futimens(&made, &times)?;
                futimens(&folder, &times)?;
                made
            }
            found => found?,
        };
        folder = next;
    }
    Ok(())
}
