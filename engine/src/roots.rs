//! Where everything lives.

use crate::{Error, Kind, Result, bootstrap};
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The two folders of an engine.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/var/lib/kesako`, rootless `$XDG_DATA_HOME/kesako`.
    pub data: PathBuf,
    /// `/run/kesako`, rootless `$XDG_RUNTIME_DIR/kesako`.
    pub run: PathBuf,
}

impl Roots {
    /// From `--root`/`KESAKO_ROOT` (then `DIR` and `DIR/run`), else the defaults of this user.
    pub fn find(root: Option<&Path>) -> Result<Self> {
        let asked = root.map(Path::to_owned).or_else(|| folder_in_env("KESAKO_ROOT"));
        if let Some(dir) = asked {
            // The shim works from `/`: a relative path would name something else there.
            let data = std::path::absolute(&dir).map_err(|e| Error::system(format!("find {}", dir.display()), e))?;
            return Ok(Self { run: data.join("run"), data });
        }
        match bootstrap::ordinary_user() {
            None => Ok(Self { data: "/var/lib/kesako".into(), run: "/run/kesako".into() }),
            Some(uid) => Ok(Self { data: data_home()?.join("kesako"), run: runtime_folder(uid)?.join("kesako") }),
        }
    }
}

fn folder_in_env(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The XDG Base Directory Specification: what should last, and is the user's own.
fn data_home() -> Result<PathBuf> {
    let home = || folder_in_env("HOME").map(|home| home.join(".local/share"));
    folder_in_env("XDG_DATA_HOME").filter(|path| path.is_absolute()).or_else(home).ok_or_else(|| {
        Error::new(Kind::System, "cannot find a folder for images and containers: set HOME, or use --root DIR")
    })
}

/// What should vanish with the login. Where nobody made one (`su`, cron, no systemd), a private folder in `/tmp` will
/// do.
fn runtime_folder(uid: u32) -> Result<PathBuf> {
    let usual = PathBuf::from(format!("/run/user/{uid}"));
    match folder_in_env("XDG_RUNTIME_DIR").filter(|path| path.is_absolute()) {
        Some(path) => Ok(path),
        None if usual.is_dir() => Ok(usual),
        None => own_folder(PathBuf::from(format!("/tmp/kesako-{uid}"))),
    }
}

/// Anybody can make a folder of that name in `/tmp` before us, and would then own our sockets: it must be ours alone.
fn own_folder(path: PathBuf) -> Result<PathBuf> {
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => {
            return Err(Error::system(format!("create {}", path.display()), e));
        }
        _ => {}
    }
    let found = fs::symlink_metadata(&path).map_err(|e| Error::system(format!("open {}", path.display()), e))?;
    let ours = found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw() && found.mode() & 0o077 == 0;
    let refusal = || format!("{} belongs to somebody else: set XDG_RUNTIME_DIR, or use --root DIR", path.display());
    if ours { Ok(path.clone()) } else { Err(Error::new(Kind::System, refusal())) }
}
