//! The lowest layer of every container: the empty files and folders that a container's mounts need to stand on.
//!
//! An image may lack `/proc`, or an `/etc/hosts`, and mount(2) wants a target. Made in the container's own layer they
//! would show in `diff` and land in `commit`. So there is one folder of them, shared by all containers, *below* the
//! image's layers: what the image has itself hides what is here.

use crate::{Engine, Error, Result};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 7] = ["dev", "dev/pts", "dev/shm", "dev/mqueue", "proc", "sys", "etc"];

const FILES: [&str; 5] = ["dev/console", ".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf"];

impl Engine {
    /// The folder of the skeleton, made on first use.
    pub(crate) fn skeleton(&self) -> Result<PathBuf> {
        let path = self.roots.data.join("skeleton");
        if path.join(".dockerenv").exists() {
            return Ok(path);
        }
        let trouble = |e: std::io::Error| Error::system(format!("make {}", path.display()), e);
        let making = tempfile::Builder::new().prefix(".skeleton").tempdir_in(&self.roots.data).map_err(trouble)?;
        fill(making.path()).map_err(trouble)?;
        match fs::rename(making.path(), &path) {
            Ok(()) => drop(making.keep()),
            // Somebody else was quicker: theirs is as good.
            Err(_) if path.join(".dockerenv").exists() => {}
            Err(e) => return Err(trouble(e)),
        }
        Ok(path)
    }
}

fn fill(root: &Path) -> std::io::Result<()> {
    for folder in FOLDERS {
        fs::DirBuilder::new().mode(0o755).create(root.join(folder))?;
        fs::set_permissions(root.join(folder), fs::Permissions::from_mode(0o755))?;
    }
    for file in FILES {
        let made = fs::File::options().write(true).create_new(true).mode(0o755).open(root.join(file))?;
        made.set_permissions(fs::Permissions::from_mode(if file == ".dockerenv" { 0o755 } else { 0o644 }))?;
    }
    symlink("/proc/mounts", root.join("etc/mtab"))?;
    fs::set_permissions(root, fs::Permissions::from_mode(0o755))
}
