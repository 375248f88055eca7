//! Files that are replaced whole or not at all.
//!
//! A write that must last goes: data, fsync, rename, fsync of the folder (rename(2), fsync(2)). A reader, or a machine
//! that lost its power, then finds the old file or the new one, never a part of either. What `--rm` is going to delete
//! skips both fsyncs: they cost milliseconds, and buy nothing for what is gone a moment later.

use crate::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Whether a write has to survive the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// On the disk when the call returns.
    Lasting,
    /// Seen by every process at once, and lost with the machine.
    Passing,
}

/// Writes `value` as JSON, atomically replacing `path`: indented where it lasts, for people read these files.
///
/// The temporary file has a fixed name, so a crash leaves at most one: callers hold the lock of the folder.
pub(crate) fn write_json(path: &Path, value: &impl Serialize, durability: Durability) -> Result<()> {
    let text = match durability {
        Durability::Lasting => serde_json::to_vec_pretty(value),
        Durability::Passing => serde_json::to_vec(value),
    };
    let mut text = text.map_err(|e| Error::system(format!("write {}", path.display()), e))?;
    text.push(b'\n');
    replace(path, &text, durability).map_err(|e| Error::system(format!("write {}", path.display()), e))
}

fn replace(path: &Path, text: &[u8], durability: Durability) -> std::io::Result<()> {
    let new = path.with_extension("json.new");
    if let Err(error) = write_new(&new, text, durability) {
        // Half a file is of no use, least of all on a full disk. The first error is the one to be told.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    fs::rename(&new, path)?;
    if durability == Durability::Lasting {
        sync_folder_of(path)?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &[u8], durability: Durability) -> std::io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    if durability == Durability::Lasting {
        file.sync_data()?;
    }
    Ok(())
}

/// Makes the entries of the folder that holds `path` last: a rename or a new name is on the disk only after this.
pub(crate) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Reads a file written by [`write_json`]. None when it is missing, or empty: a [`Durability::Passing`] file after a
/// power cut is often a name without data.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound || e.kind() == ErrorKind::NotADirectory => return Ok(None),
        Err(e) => return Err(Error::system(format!("read {}", path.display()), e)),
    };
    if text.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) {
        return Ok(None);
    }
    serde_json::from_slice(&text).map(Some).map_err(|e| Error::system(format!("read {}", path.display()), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_missing_or_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), None);
        write_json(&path, &vec![1u8, 2], Durability::Lasting).unwrap();
        write_json(&path, &vec![3u8], Durability::Passing).unwrap();
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), Some(vec![3]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_without_data_is_a_missing_file_and_garbage_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        fs::write(&path, [0u8; 512]).unwrap();
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), None);
        fs::write(&path, "{\"Status\": ").unwrap();
        let error = read_json::<Vec<u8>>(&path).unwrap_err();
        assert!(error.message.contains("state.json"), "{error}");
    }
}
