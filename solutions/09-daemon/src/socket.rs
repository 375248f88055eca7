//! The unix socket of a daemon: made so that nobody who may not connect ever can, and so that two daemons never share
//! one.
//!
//! A socket's file outlives the process that bound it. A daemon that was killed leaves one that looks like a living
//! one's, and binding fails with `EADDRINUSE` for both. What does die with its holder is a lock (flock(2)): whoever
//! holds `<socket>.lock` owns the name, may put its own socket there, and writes its process ID into the lock file.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Which socket a daemon is to listen on.
#[derive(Clone, Debug)]
pub struct Address {
    /// Where.
    pub path: PathBuf,
    /// Who may connect, besides root: the group with this ID. Without one, only this user.
    pub group: Option<u32>,
}

/// Why a daemon cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The lock is held.
    #[error("cannot listen on {path}: a daemon listens there already (process {pid}); stop it, or use another -H")]
    Taken {
        /// The socket.
        path: PathBuf,
        /// As the lock file tells it.
        pid: String,
    },
    /// No lock is held, and yet somebody answers.
    #[error("cannot listen on {0}: another program answers there; stop it, or use another -H")]
    Answered(PathBuf),
    /// Something else has this name.
    #[error("cannot listen on {0}: there is a file of that name which is no socket; remove it, or use another -H")]
    NotASocket(PathBuf),
    /// A system call failed.
    #[error("cannot listen on {path}: {step}: {source}")]
    System {
        /// The socket.
        path: PathBuf,
        /// What was being done.
        step: &'static str,
        /// What came of it.
        source: io::Error,
    },
}

/// A socket that is ours. Dropping it removes the files.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Socket {
    pub(crate) fn listen(address: &Address) -> Result<Self, ListenError> {
        let path = &address.path;
        let failed = |step| move |source| ListenError::System { path: path.clone(), step, source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed("create its folder"))?;
        }
        let lock_path = with_suffix(path, ".lock");
        let lock = lock(&lock_path)
            .map_err(failed("lock"))?
            .ok_or_else(|| ListenError::Taken { path: path.clone(), pid: read_pid(&lock_path) })?;
        make_way(path)?;
        let listener = bind(address).map_err(failed("bind"))?;
        Ok(Self { listener, path: path.clone(), lock_path, _lock: lock })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Still locked, so these are ours; what cannot be removed, the next daemon replaces.
        fs::remove_file(&self.path).ok();
        fs::remove_file(&self.lock_path).ok();
    }
}

/// Locks this file and writes our process ID into it; None if another process holds it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o644).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // A daemon that was just ending removed the file between our opening and locking it: lock the new one.
        if fs::metadata(path).is_ok_and(|now| file.metadata().is_ok_and(|ours| ours.ino() == now.ino())) {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())?;
            return Ok(Some(file));
        }
    }
}

fn read_pid(lock_path: &Path) -> String {
    let text = fs::read_to_string(lock_path).unwrap_or_default();
    if text.trim().is_empty() { "unknown".into() } else { text.trim().into() }
}

/// Refuses to take the place of anything but the socket of a daemon that is no more.
fn make_way(path: &Path) -> Result<(), ListenError> {
    match fs::symlink_metadata(path) {
        Err(_) => Ok(()), // nothing there, or binding will tell why not
        Ok(found) if !found.file_type().is_socket() => Err(ListenError::NotASocket(path.into())),
        Ok(_) if UnixStream::connect(path).is_ok() => Err(ListenError::Answered(path.into())),
        Ok(_) => Ok(()),
    }
}

/// bind(2) makes the file with the mode that the umask leaves, and only then can it be narrowed. So it is bound in a
/// folder nobody else can enter, narrowed there, and renamed into place: which also replaces a dead daemon's at one
/// stroke.
fn bind(address: &Address) -> io::Result<UnixListener> {
    let folder = with_suffix(&address.path, ".new");
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {} // of a daemon killed right here; the lock is ours
        other => other?,
    }
    let inside = folder.join("s");
    let bound = bind_inside(&inside, address);
    if bound.is_err() {
        fs::remove_file(&inside).ok();
    }
    fs::remove_dir(&folder).and(bound)
}

fn bind_inside(inside: &Path, address: &Address) -> io::Result<UnixListener> {
    match fs::remove_file(inside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => other?,
    }
    let listener = UnixListener::bind(inside)?;
    if let Some(group) = address.group {
        std::os::unix::fs::chown(inside, None, Some(group))?;
    }
    let mode = if address.group.is_some() { 0o660 } else { 0o600 };
    fs::set_permissions(inside, Permissions::from_mode(mode))?;
    fs::rename(inside, &address.path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(folder: &tempfile::TempDir) -> Address {
        Address { path: folder.path().join("deep/x.sock"), group: None }
    }

    fn files(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path().join("deep")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn it_is_narrow_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(&folder);
        let socket = Socket::listen(&address).unwrap();
        assert_eq!(fs::metadata(&address.path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(files(&folder).len(), 2, "socket and lock");
        drop(socket);
        assert_eq!(files(&folder), Vec::<String>::new());
        let own_group = fs::metadata(folder.path()).unwrap().gid();
        let shared = Socket::listen(&Address { group: Some(own_group), ..address.clone() }).unwrap();
        assert_eq!(fs::metadata(&address.path).unwrap().mode() & 0o7777, 0o660);
        drop(shared);
    }

    #[test]
    fn two_daemons_never_share_one() {
        let folder = tempfile::tempdir().unwrap();
        let first = Socket::listen(&address(&folder)).unwrap();
        let error = Socket::listen(&address(&folder)).unwrap_err().to_string();
        assert!(error.contains(&format!("(process {})", std::process::id())), "{error}");
        UnixStream::connect(&first.path).expect("the first one is untouched");
    }

    #[test]
    fn a_dead_daemons_socket_is_replaced_and_a_living_strangers_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(&folder);
        fs::create_dir(folder.path().join("deep")).unwrap();
        let stranger = UnixListener::bind(&address.path).unwrap();
        assert!(matches!(Socket::listen(&address), Err(ListenError::Answered(_))));
        drop(stranger); // its file stays
        let ours = Socket::listen(&address).unwrap();
        UnixStream::connect(&address.path).unwrap();
        drop(ours);
        fs::write(&address.path, "precious").unwrap();
        assert!(matches!(Socket::listen(&address), Err(ListenError::NotASocket(_))));
        assert_eq!(fs::read_to_string(&address.path).unwrap(), "precious");
    }
}
