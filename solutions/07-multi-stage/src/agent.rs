//! The user's SSH agent, forwarded: a socket of our own, and everything that is said there is passed on to the agent's.
//!
//! The agent's own socket belongs to the user, and answers only to them (unix(7), SO_PEERCRED). Ours can be given to whoever
//! the command runs as; and it is gone when the command has ended.

use crate::error::{Error, Result};
use crate::owner;
use build::instruction::Mount;
use build::source::Guard;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, openat};
use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

const SOCKET: &str = "agent";

/// Passes on until it is dropped.
#[derive(Debug)]
pub(crate) struct Agent {
    folder: PathBuf,
    /// Whoever listens ends when this does.
    _alive: UnixStream,
}

impl Guard for Agent {}

impl Agent {
    /// Listens in `folder`, which is made, for what is to be passed on to the socket `agent`.
    pub(crate) fn forward(agent: &Path, folder: &Path, mount: &Mount) -> Result<Self> {
        let failed = |source| Error::Ssh { agent: agent.to_path_buf(), source };
        let status = fs::metadata(agent).map_err(failed)?;
        if !status.file_type().is_socket() {
            return Err(Error::SshKeys { id: mount.id.clone().unwrap_or_else(|| "default".to_owned()) });
        }
        let (alive, ended) = UnixStream::pair().map_err(failed)?;
        let listener = listen(folder, mount).map_err(failed)?;
        let agent_path = agent.to_path_buf();
        // Ends when the other end of `ended` is dropped.
        thread::Builder::new().spawn(move || accept(&listener, &ended, &agent_path)).map_err(failed)?;
        Ok(Self { folder: folder.to_path_buf(), _alive: alive })
    }

    /// The socket, to be mounted.
    pub(crate) fn socket(&self) -> Result<OwnedFd> {
        let path = self.folder.join(SOCKET);
        openat(CWD, &path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::Ssh { agent: path, source: errno.into() })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            // It goes with the folder of the build, at the latest.
            tracing::debug!("{}: {error}", self.folder.display());
        }
    }
}

fn listen(folder: &Path, mount: &Mount) -> io::Result<UnixListener> {
    fs::create_dir(folder)?;
    // Until it belongs to the right one, nobody else gets near.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    let folder = openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    // The path of a socket may have 107 bytes only (unix(7)), and the data root may be deep.
    let listener = UnixListener::bind(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))?;
    owner::give(&folder, SOCKET, mount)?;
    chmodat(&folder, SOCKET, Mode::from_raw_mode(mount.mode.unwrap_or(0o600) & 0o777), AtFlags::empty())?;
    Ok(listener)
}

/// Takes calls until nobody is interested any more.
fn accept(listener: &UnixListener, ended: &UnixStream, agent: &Path) {
    loop {
        let mut fds = [PollFd::new(ended, PollFlags::IN), PollFd::new(listener, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) if !fds[0].revents().is_empty() => return,
            Ok(_) => {}
        }
        let call = listener.accept().and_then(|(ours, _)| Ok((ours, UnixStream::connect(agent)?)));
        // Whoever called sees it end.
        if let Err(error) = call.and_then(|(ours, theirs)| connect(ours, theirs)) {
            tracing::warn!("the SSH agent on {}: {error}", agent.display());
        }
    }
}

/// Passes on in both directions. The threads end when either side hangs up.
fn connect(ours: UnixStream, theirs: UnixStream) -> io::Result<()> {
    for (mut from, mut to) in [(ours.try_clone()?, theirs.try_clone()?), (theirs, ours)] {
        thread::Builder::new().spawn(move || {
            // An end, clean or not, is passed on as one.
            let _passed = io::copy(&mut from, &mut to);
            let _gone_already = to.shutdown(Shutdown::Write);
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    fn mount() -> Mount {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Mount { uid: Some(uid), gid: Some(gid), mode: Some(0o640), ..Mount::default() }
    }

    #[test]
    fn what_is_said_reaches_the_agent_and_its_answer_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("theirs");
        let listener = UnixListener::bind(&theirs).unwrap();
        // An agent that answers each of two callers with what they said, and hangs up.
        let agent = thread::spawn(move || {
            for _ in 0..2 {
                let (mut call, _) = listener.accept().unwrap();
                let mut said = [0; 3];
                call.read_exact(&mut said).unwrap();
                call.write_all(&said).unwrap();
            }
        });
        // Deeper than the path of a socket may be.
        let deep = folder.path().join("d".repeat(150));
        let forwarded = Agent::forward(&theirs, &deep, &mount()).unwrap();
        let socket = forwarded.socket().unwrap();
        let path = format!("/proc/self/fd/{}", socket.as_raw_fd());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        for said in ["abc", "xyz"] {
            let mut call = UnixStream::connect(&path).unwrap();
            call.write_all(said.as_bytes()).unwrap();
            let mut answer = String::new();
            call.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, said);
        }
        agent.join().unwrap();
        drop(forwarded);
        assert!(!deep.exists());
        let patience = std::time::Instant::now();
        while UnixStream::connect(&path).is_ok() {
            assert!(patience.elapsed().as_secs() < 20, "it still listens");
        }
    }

    #[test]
    fn keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("id_ed25519");
        fs::write(&key, "").unwrap();
        let error = Agent::forward(&key, &folder.path().join("x"), &mount()).unwrap_err();
        assert!(error.to_string().contains("ssh-add"), "{error}");
    }
}
