//! Who does what, told by locks on bytes of one file (fcntl(2), "Advisory record locking"): the kernel knows who holds one, and takes
//! it away from whoever dies. There is one descriptor of that file in a process, for good: closing any would drop all its locks.

use crate::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// In the run folder.
const FILE: &str = "roles";

/// What a process can be, by the number of its byte. The first one is the turn: who has it may change who is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Speaks with the world for all containers. One at most.
    Outside = 1,
    /// Is in the containers' network.
    Inside = 2,
    /// Is in the user namespace, and not `Outside`, which is there for the others.
    Member = 3,
}

#[derive(Debug)]
pub(super) struct Roles {
    file: File,
    /// A process may have several threads, and the kernel's lock is the process's.
    turn: Mutex<()>,
}

/// The right to change who is what.
pub(super) struct Turn<'a> {
    roles: &'a Roles,
    _thread: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Giving a lock back cannot fail for another reason than that there is none.
        let _given = self.roles.lock(libc::F_SETLK, libc::F_UNLCK, 0);
    }
}

impl Roles {
    /// Of the engine whose run folder this is. A process is of one engine only.
    pub(super) fn open(run: &Path) -> Result<&'static Self> {
        static ROLES: OnceLock<Roles> = OnceLock::new();
        static OPENING: Mutex<()> = Mutex::new(());
        let _one = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(roles) = ROLES.get() {
            return Ok(roles);
        }
        crate::container::record::make_private_folder(run)?;
        let path = run.join(FILE);
        let options = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = options.map_err(|e| Error::system(format!("open {}", path.display()), e))?;
        Ok(ROLES.get_or_init(|| Self { file, turn: Mutex::new(()) }))
    }

    /// Waits for the right to change who is what.
    pub(super) fn turn(&self) -> Result<Turn<'_>> {
        let thread = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.lock(libc::F_SETLKW, libc::F_WRLCK, 0).map_err(|e| trouble("wait for a turn", e))?;
        Ok(Turn { roles: self, _thread: thread })
    }

    /// From now on this process is one of these.
    pub(super) fn take(&self, role: Role) -> Result<()> {
        let kind = if role == Role::Outside { libc::F_WRLCK } else { libc::F_RDLCK };
        // (Whoever waits for nobody to be one has it for a moment.)
        self.lock(libc::F_SETLKW, kind, role as i64).map_err(|e| trouble("take a role", e))
    }

    /// A process that is one, besides this one.
    pub(super) fn holder(&self, role: Role) -> Result<Option<i32>> {
        let mut lock = request(libc::F_WRLCK, role as i64);
        fcntl(self.file.as_fd(), FcntlArg::F_GETLK(&mut lock)).map_err(|e| trouble("look who is there", e))?;
        Ok((i32::from(lock.l_type) != libc::F_UNLCK && lock.l_pid > 0).then_some(lock.l_pid))
    }

    /// Waits until no other process is one.
    pub(super) fn wait_for_nobody(&self, role: Role) -> Result<()> {
        self.lock(libc::F_SETLKW, libc::F_WRLCK, role as i64).map_err(|e| trouble("wait for the others", e))?;
        self.lock(libc::F_SETLK, libc::F_UNLCK, role as i64).map_err(|e| trouble("wait for the others", e))
    }

    fn lock(&self, command: i32, kind: i32, byte: i64) -> nix::Result<()> {
        let lock = request(kind, byte);
        loop {
            let argument = if command == libc::F_SETLKW { FcntlArg::F_SETLKW(&lock) } else { FcntlArg::F_SETLK(&lock) };
            match fcntl(self.file.as_fd(), argument) {
                Err(Errno::EINTR) => {}
                done => return done.map(drop),
            }
        }
    }
}

fn request(kind: i32, byte: i64) -> libc::flock {
    libc::flock { l_type: kind as i16, l_whence: libc::SEEK_SET as i16, l_start: byte, l_len: 1, l_pid: 0 }
}

fn trouble(step: &str, errno: Errno) -> Error {
    Error::system(format!("{step} among the processes of this engine"), std::io::Error::from(errno))
}
