//! Our own program, executed again under another name: how a shim begins, and the step of a build.
//!
//! What it should know travels in a file in memory (an argument would fill `ps`, and neither that nor a variable may be
//! longer than 128 KiB), the descriptors by inheritance. The binary is executed from a read-only, detached mount, so that no container can ever write to it
//! through `/proc/PID/exe` (CVE-2019-5736).

use crate::sys;
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, memfd_create};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::{CString, NulError};
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Result, Seek as _, Write as _};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

/// The number of the descriptor of the letter.
const VARIABLE: &str = "KESAKO_LETTER";

/// What the new process is told.
pub(crate) trait Letter: Serialize + DeserializeOwned {
    /// What it inherits besides, by number: the letter says what each is.
    fn descriptors(&self) -> Vec<RawFd>;
}

/// Executes our program as `name`, with this letter; `title` is what `ps` shows beside the name. `may_mount`: whether
/// what it contains holds CAP_SYS_ADMIN.
pub(crate) fn spawn(name: &str, title: &str, letter: &impl Letter, may_mount: bool) -> Result<Pid> {
    let mut text = File::from(memfd_create("letter", MemfdFlags::CLOEXEC)?);
    text.write_all(&serde_json::to_vec(letter)?)?;
    text.rewind()?;
    let nul = |e: NulError| Error::new(ErrorKind::InvalidInput, e);
    let arguments = [CString::new(name).map_err(nul)?, CString::new(title).map_err(nul)?];
    let environment = [CString::new(format!("{VARIABLE}={}", text.as_raw_fd())).map_err(nul)?];

    let mut actions = PosixSpawnFileActions::init()?;
    actions.add_open(0, "/dev/null", OFlag::O_RDWR, Mode::empty())?;
    actions.add_dup2(0, 1)?;
    actions.add_dup2(0, 2)?;
    for fd in letter.descriptors().into_iter().chain([text.as_raw_fd()]) {
        // A descriptor "duplicated" to its own number is one that is not closed on exec
        // (posix_spawn_file_actions_adddup2(3)).
        actions.add_dup2(fd, fd)?;
    }
    let binary = format!("/proc/self/fd/{}", binary(may_mount)?.as_raw_fd());
    Ok(posix_spawn(binary.as_str(), &actions, &PosixSpawnAttr::init()?, &arguments, &environment)?)
}

/// Our own program, sealed once for all that this process starts: on a mount, or, from a container that may mount, in
/// memory.
fn binary(may_mount: bool) -> Result<&'static OwnedFd> {
    static BINARIES: [OnceLock<OwnedFd>; 2] = [const { OnceLock::new() }; 2];
    let binary = &BINARIES[usize::from(may_mount)];
    if let Some(binary) = binary.get() {
        return Ok(binary);
    }
    let sealed = process::own_binary(may_mount).map_err(Error::other)?;
    Ok(binary.get_or_init(|| sealed))
}

/// Reads the letter, in the new process, and closes every descriptor that is not in it: whoever started us had others
/// open, a script's lock perhaps, which must not stay open as long as the container runs.
pub(crate) fn receive<L: Letter>() -> Result<L> {
    let number = std::env::var(VARIABLE).map_err(Error::other)?;
    let text = File::from(sys::inherited(number.parse().map_err(Error::other)?)?);
    let letter: L = serde_json::from_reader(BufReader::new(&text))?;
    drop(text);
    sys::close_all_but(letter.descriptors())?;
    Ok(letter)
}

/// Away from the terminal and the folder we were started from, and from anybody who would look into our memory: between
/// clone and exec, a container's process is a copy of us.
pub(crate) fn detach(name: &std::ffi::CStr) -> nix::Result<()> {
    nix::unistd::setsid()?;
    nix::unistd::chdir("/")?;
    nix::sys::prctl::set_dumpable(false)?;
    // Executed from a descriptor, it would be called by that one's number.
    nix::sys::prctl::set_name(name)?;
    nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
    Ok(())
}
