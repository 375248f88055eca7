//! A disk of its own: a file with an ext4 in it.
//!
//! What was just deleted makes the next files dear to create where the filesystem has no journal, and what others write
//! is waited for by whoever syncs: so nobody's numbers would be their own.

use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Disk {
    place: PathBuf,
}

impl Disk {
    /// Makes it in this folder.
    pub(crate) fn mount(folder: &Path) -> Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "only root may mount one");
        let (file, place) = (folder.join("disk"), folder.join("on-disk"));
        std::fs::File::create(&file)?.set_len(16 << 30)?;
        std::fs::create_dir(&place)?;
        run(Command::new("mkfs.ext4").arg("-q").arg(&file))?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&file).arg(&place))?;
        Ok(Self { place })
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("umount").arg(&self.place)) {
            eprintln!("{} stays mounted: {error:#}", self.place.display());
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
