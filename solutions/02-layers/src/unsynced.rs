//! Surviving a power cut without waiting for the disk.
//!
//! To force a layer to the disk before it is registered, syncfs(2) would wait for all that anybody wrote there: a
//! second, on a busy machine. Instead an outline of the layer is kept beside it until the machine has been started
//! anew. Then it is compared once: filesystems write the data of a file before its size (ext4 `data=ordered`, XFS,
//! Btrfs), so a layer whose files all have their sizes is whole, and one that is not is unpacked again.

use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::overlay::open_folder;
use crate::pack::Walk;

/// Beside a layer: the boot it was unpacked in, and its outline.
fn mark(layer: &Path) -> PathBuf {
    layer.with_file_name("unsynced")
}

/// Notes that this layer, about to be registered as `place`, may not be on the disk yet.
pub(crate) fn note(layer: &Path, place: &Path) -> Result<()> {
    let path = mark(place);
    fs::write(&path, format!("{}\n{}\n", boot()?, outline(layer)?)).map_err(Error::io("write", &path))
}

/// Whether a layer that is there is whole.
pub(crate) fn is_whole(place: &Path) -> Result<bool> {
    let path = mark(place);
    let noted = match fs::read_to_string(&path) {
        // The usual case: it has survived a start of the machine.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        result => result.map_err(Error::io("read", &path))?,
    };
    let mut lines = noted.lines();
    if lines.next() == Some(boot()?) {
        return Ok(true);
    }
    if lines.next() != Some(&outline(place)?.to_string()) {
        return Ok(false);
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(true),
    }
}

/// Names this run of the machine.
fn boot() -> Result<&'static str> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    static BOOT: OnceLock<String> = OnceLock::new();
    if let Some(boot) = BOOT.get() {
        return Ok(boot);
    }
    let boot = fs::read_to_string(PATH).map_err(Error::io("read", PATH))?;
    Ok(BOOT.get_or_init(|| boot.trim().to_string()))
}

/// All names, kinds, owners and sizes.
fn outline(layer: &Path) -> Result<Digest> {
    let root = open_folder(layer)?;
    let mut walk = Walk::new(root.as_fd())?;
    let mut hasher = Hasher::default();
    while let Some((path, status)) = walk.next()? {
        let is_folder = status.st_mode & libc::S_IFMT == libc::S_IFDIR;
        // The size of a folder is the filesystem's own business.
        let size = if is_folder { 0 } else { status.st_size };
        let numbers = [i64::from(status.st_mode), i64::from(status.st_uid), i64::from(status.st_gid), size];
        hasher.update(path.as_os_str().as_bytes());
        hasher.update(&[0]);
        numbers.iter().for_each(|number| hasher.update(&number.to_le_bytes()));
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A registered layer, noted in a boot of this name.
    fn layer(boot: Option<&str>) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("fs");
        fs::create_dir_all(place.join("bin")).unwrap();
        fs::write(place.join("bin/sh"), "content").unwrap();
        note(&place, &place).unwrap();
        if let Some(boot) = boot {
            fs::write(mark(&place), format!("{boot}\n{}\n", outline(&place).unwrap())).unwrap();
        }
        (folder, place)
    }

    #[test]
    fn in_the_same_boot_nothing_is_compared() {
        let (_folder, place) = layer(None);
        assert!(is_whole(&place).unwrap());
        assert!(mark(&place).exists(), "it has survived nothing yet");
    }

    #[test]
    fn what_survived_is_not_asked_again() {
        let (_folder, place) = layer(Some("another"));
        assert!(is_whole(&place).unwrap());
        assert!(!mark(&place).exists());
    }

    #[test]
    fn what_a_power_cut_took_is_noticed() {
        let (_folder, place) = layer(Some("another"));
        fs::write(place.join("bin/sh"), "").unwrap();
        assert!(!is_whole(&place).unwrap());
        let (_folder, place) = layer(Some("another"));
        fs::remove_file(place.join("bin/sh")).unwrap();
        assert!(!is_whole(&place).unwrap());
        let (_folder, place) = layer(None);
        fs::write(mark(&place), "").unwrap();
        assert!(!is_whole(&place).unwrap(), "the note itself was taken");
    }
}
