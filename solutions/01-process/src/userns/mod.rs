//! User namespaces: being root of a small world (user_namespaces(7)).
//!
//! Inside, a process may mount, change its root and become other users; outside, it is still the ordinary user it was,
//! and the kernel checks that at every file. What links the two is a map of IDs.

mod subordinate;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{getgid, getpid, getuid};

use crate::{Error, Result, oci, sys};
use subordinate::Range;

/// The ID maps of a container with a user namespace of its own.
#[derive(Debug)]
pub(crate) struct Maps {
    uids: String,
    gids: String,
}

impl Maps {
    pub(crate) fn of(linux: &oci::Linux) -> Result<Self> {
        let lines = |maps: &Option<Vec<oci::LinuxIdMapping>>| -> String {
            let maps = maps.as_deref().unwrap_or_default();
            maps.iter().map(|map| format!("{} {} {}\n", map.container_id(), map.host_id(), map.size())).collect()
        };
        let maps = Self { uids: lines(linux.uid_mappings()), gids: lines(linux.gid_mappings()) };
        if maps.uids.is_empty() || maps.gids.is_empty() {
            return Err(Error::Unsupported("a user namespace needs uidMappings and gidMappings".to_owned()));
        }
        Ok(maps)
    }

    /// Gives the child its IDs. We are root where it was made, so there is no need of newuidmap(1).
    pub(crate) fn write(&self, pid: i32) -> Result<()> {
        tracing::info!(
            target: "explain",
            man = "user_namespaces(7)",
            shell = format!("echo {} > /proc/{pid}/uid_map", self.uids.trim_end()),
            "mapping the container's users to users of the host"
        );
        for (file, map) in [("uid_map", &self.uids), ("gid_map", &self.gids)] {
            write(&format!("/proc/{pid}/{file}"), map)?;
        }
        Ok(())
    }
}

/// Puts this process into a new user and mount namespace, with the user as its root. It must be single-threaded
/// (unshare(2)).
///
/// With subordinate IDs (/etc/subuid, /etc/subgid) and newuidmap(1) installed, the namespace has other users, too;
/// without, it has root alone, and an image that needs another user will say so.
///
/// # Errors
/// What on this host forbids it, and what to do about it.
pub fn enter() -> Result<()> {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    match subordinate::ranges(uid)? {
        Some((uids, gids)) => {
            let helper = MapHelper::start(uid, gid, &uids, &gids)?;
            unshare()?;
            helper.map()?;
        }
        None => {
            unshare()?;
            map_single(uid, gid)?;
        }
    }
    // The host's later mounts and unmounts are seen here, ours are not seen there.
    mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
        .map_err(|error| forbidden("cannot use the new mount namespace", error.into()))
}

/// Puts this process into the user namespace of another one, and into a new mount namespace. The user must have made that namespace
/// (setns(2)), and this process must be single-threaded.
///
/// # Errors
/// `ESRCH` when there is no such process (any more), and others of pidfd_open(2), setns(2) and unshare(2).
pub fn join(pid: i32) -> io::Result<()> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(rustix::io::Errno::SRCH)?;
    let process = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
    tracing::info!(
        target: "explain",
        man = "setns(2)",
        shell = format!("nsenter --user --target {pid} unshare --mount"),
        "becoming root of the user namespace in which our other processes are"
    );
    nix::sched::setns(process, nix::sched::CloneFlags::CLONE_NEWUSER)?;
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)?;
    mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    Ok(())
}

fn unshare() -> Result<()> {
    tracing::info!(
        target: "explain",
        man = "user_namespaces(7)",
        shell = "unshare --user --map-root-user --map-auto --mount",
        "becoming root of a user namespace of our own"
    );
    let flags = nix::sched::CloneFlags::CLONE_NEWUSER | nix::sched::CloneFlags::CLONE_NEWNS;
    nix::sched::unshare(flags).map_err(|error| forbidden("cannot make a user namespace", error.into()))
}

/// Whether a process may have more groups than one. setgroups(2) is denied for good in a user namespace whose single ID was
/// mapped without privilege (user_namespaces(7)).
pub fn lets_set_groups() -> bool {
    !std::fs::read("/proc/self/setgroups").is_ok_and(|text| text.starts_with(b"deny"))
}

/// Whether this namespace has such a user and such a group: nobody in it can become another (setuid(2), EINVAL).
pub fn has(uid: u32, gid: u32) -> bool {
    is_mapped("/proc/self/uid_map", uid) && is_mapped("/proc/self/gid_map", gid)
}

/// Lines of three numbers: the first ID within, the first outside, how many there are. A kernel without user namespaces has no
/// such file, and all IDs.
fn is_mapped(map: &str, id: u32) -> bool {
    let Ok(map) = std::fs::read_to_string(map) else { return true };
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<u64>().ok());
        let (first, _outside, count) = (numbers.next(), numbers.next(), numbers.next());
        first.zip(count).is_some_and(|(first, count)| (first..first + count).contains(&u64::from(id)))
    })
}

/// One user: oneself. The kernel wants setgroups(2) given up first, lest somebody sheds a group that denies him
/// something.
fn map_single(uid: u32, gid: u32) -> Result<()> {
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("0 {uid} 1\n"))?;
    write("/proc/self/gid_map", &format!("0 {gid} 1\n"))
}

fn write(path: &str, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|source| Error::System { step: format!("write {path}"), source })
}

/// A child that stays outside: newuidmap(1) has its rights only there.
struct MapHelper {
    pid: i32,
    socket: UnixStream,
}

impl MapHelper {
    fn start(uid: u32, gid: u32, uids: &[Range], gids: &[Range]) -> Result<Self> {
        let failed = |source| Error::System { step: "cannot start newuidmap".to_owned(), source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let parent = getpid().as_raw_pid();
        // We are single-threaded, so the child may allocate.
        let pid = sys::fork(|| {
            let answer = match assist(&theirs, parent, (uid, uids), (gid, gids)) {
                Ok(()) => String::new(),
                Err(text) => text,
            };
            // If nobody waits for the answer, nobody needs it.
            let _ = (&theirs).write_all(answer.as_bytes());
            sys::exit_now(0)
        })
        .map_err(|error| failed(error.into()))?;
        Ok(Self { pid, socket: ours })
    }

    fn map(mut self) -> Result<()> {
        let failed = |source| Error::System { step: "cannot map users with newuidmap".to_owned(), source };
        self.socket.write_all(b"g").map_err(failed)?;
        self.socket.shutdown(std::net::Shutdown::Write).map_err(failed)?;
        let mut answer = String::new();
        self.socket.read_to_string(&mut answer).map_err(failed)?;
        let pid = rustix::process::Pid::from_raw(self.pid);
        rustix::process::waitpid(pid, rustix::process::WaitOptions::empty()).map_err(|error| failed(error.into()))?;
        if answer.is_empty() { Ok(()) } else { Err(Error::Unsupported(answer)) }
    }
}

/// The helper's side: waits until its parent is in the new namespace, then maps it.
fn assist(mut socket: &UnixStream, parent: i32, uids: (u32, &[Range]), gids: (u32, &[Range])) -> Result<(), String> {
    let mut byte = [0];
    socket.read_exact(&mut byte).map_err(|error| format!("the user namespace was not made: {error}"))?;
    for (program, (own, ranges)) in [("newuidmap", uids), ("newgidmap", gids)] {
        let mut command = Command::new(program);
        command.arg(parent.to_string()).args(subordinate::map_arguments(own, ranges));
        let output = command.output().map_err(|error| format!("{program}: {error}"))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{program} refused to map the users of /etc/subuid and /etc/subgid: {}", why.trim()));
        }
    }
    Ok(())
}

/// Why an ordinary user may not have what was asked for: the usual causes, looked up.
fn forbidden(what: &str, source: io::Error) -> Error {
    let is = |file: &str, value: &str| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == value);
    let advice = if is("/proc/sys/user/max_user_namespaces", "0") {
        "user namespaces are switched off; as root: sysctl -w user.max_user_namespaces=15000"
    } else if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        "user namespaces are for root only; as root: sysctl -w kernel.unprivileged_userns_clone=1"
    } else if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        "AppArmor restricts user namespaces; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or install an AppArmor profile \
         for this program that allows `userns`"
    } else {
        "perhaps this is a container whose seccomp profile forbids it, or too many namespaces exist already; run as root instead"
    };
    Error::System { step: format!("{what} ({advice})"), source }
}
