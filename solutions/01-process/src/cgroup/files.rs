//! A group is a folder, and what one does with it is to read and write its files.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::{Error, Result};

pub(super) fn collect_processes(folder: &Path, pids: &mut Vec<i32>) -> Result<()> {
    let failed = |source| Error::Cgroup { action: "list", path: folder.to_owned(), source };
    let text = read(folder, "cgroup.procs")?;
    pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
    for child in subfolders(folder).map_err(failed)? {
        collect_processes(&child, pids)?;
    }
    Ok(())
}

fn subfolders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries
        .into_iter()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect())
}

/// Removes a folder that processes have just left: the kernel says «busy» for a moment longer. The container may have
/// made groups inside.
pub(super) fn remove_tree(folder: &Path) -> Result<()> {
    for attempt in 0..200 {
        match fs::remove_dir(folder) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if attempt == 199 => {
                return Err(Error::Cgroup { action: "remove", path: folder.to_owned(), source: error });
            }
            Err(_) => {
                for child in subfolders(folder).unwrap_or_default() {
                    remove_tree(&child)?;
                }
                sleep(Duration::from_millis(if attempt < 10 { 1 } else { 10 }));
            }
        }
    }
    Ok(())
}

pub(super) fn open_procs(folder: &Path) -> Result<File> {
    let path = folder.join("cgroup.procs");
    File::options().write(true).open(&path).map_err(|source| Error::Cgroup { action: "open", path, source })
}

pub(super) fn read(folder: &Path, file: &str) -> Result<String> {
    let path = folder.join(file);
    fs::read_to_string(&path).map_err(|source| Error::Cgroup { action: "read", path, source })
}

pub(super) fn write(folder: &Path, file: &str, value: &str) -> Result<()> {
    let path = folder.join(file);
    let written =
        File::options().write(true).open(&path).and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()));
    written.map_err(|source| Error::Cgroup { action: "write to", path, source })
}

/// Tells of a folder that was made.
pub(super) fn explain_mkdir(folder: &Path) {
    let shell = format!("mkdir -p {}", folder.display());
    tracing::info!(target: "explain", man = "cgroups(7)", shell, "making a cgroup for the container");
}
