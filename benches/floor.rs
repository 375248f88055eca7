//! The floor: what the kernel alone takes for `run --rm --network none IMAGE true`.
//!
//! No image store, no record, no API, no command line worth the name, no second process that watches: new namespaces, a
//! cgroup, an overlay, /proc, /sys, /dev with its nodes, the new root, the filter, the command; and everything removed
//! again. An engine cannot be faster than this, so its own time is the difference.
//!
//! `floor ROOTFS SCRATCH COMMAND…`: ROOTFS becomes the lower layer (and the place where the new root is mounted, in the
//! child's own view); SCRATCH holds the upper one for as long as it lasts.

mod sys;

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::exit;

use anyhow::{Context, Result, bail};
use nix::sys::wait::{WaitStatus, waitpid};
use process::seccomp::{self, Filter};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags,
};

fn main() {
    match run() {
        Ok(code) => exit(code),
        Err(error) => {
            eprintln!("floor: {error:#}");
            exit(125);
        }
    }
}

fn run() -> Result<i32> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rootfs, scratch, command @ ..] = &arguments[..] else { bail!("usage: floor ROOTFS SCRATCH COMMAND…") };
    let filter = seccomp::compile(&seccomp::default_spec(&process::capabilities::default_set()))?;
    let command = command.iter().map(|word| CString::new(word.as_str())).collect::<Result<Vec<_>, _>>()?;

    let folder = |name| Path::new(scratch).join(format!("{}.{name}", std::process::id()));
    let (upper, work) = (folder("upper"), folder("work"));
    for folder in [&upper, &work] {
        fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let cgroup = cgroup_root()?.join(format!("floor-{}", std::process::id()));
    fs::create_dir(&cgroup).with_context(|| format!("cannot make {}", cgroup.display()))?;
    let group = rustix::fs::openat(CWD, &cgroup, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;

    let overlay = overlay(rootfs, &upper, &work)?;
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    let Some(pid) = sys::clone_into(namespaces, group.as_fd()).context("clone3")? else {
        let error = match become_container(overlay.as_fd(), Path::new(rootfs), &filter, &command) {
            Err(error) => error,
            Ok(never) => match never {},
        };
        eprintln!("floor: {error:#}");
        exit(127);
    };
    drop(overlay);
    let status = waitpid(nix::unistd::Pid::from_raw(pid), None)?;

    fs::remove_dir(&cgroup)?;
    fs::remove_dir_all(&upper)?;
    fs::remove_dir_all(&work)?;
    match status {
        WaitStatus::Exited(_, code) => Ok(code),
        WaitStatus::Signaled(_, signal, _) => Ok(128 + signal as i32),
        other => bail!("unexpected {other:?}"),
    }
}

/// The v2 tree's mount point: in one of the usual two places.
fn cgroup_root() -> Result<PathBuf> {
    let usual = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
    let found =
        usual.into_iter().find(|path| path.join("cgroup.procs").exists() && path.join("cgroup.controllers").exists());
    found.context("no cgroup v2 tree at /sys/fs/cgroup or /sys/fs/cgroup/unified")
}

/// The layers, stacked, as a mount that is nowhere yet.
fn overlay(lower: &str, upper: &Path, work: &Path) -> Result<OwnedFd> {
    let fs = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_set_string(fs.as_fd(), "lowerdir", lower)?;
    rustix::mount::fsconfig_set_string(fs.as_fd(), "upperdir", upper)?;
    rustix::mount::fsconfig_set_string(fs.as_fd(), "workdir", work)?;
    rustix::mount::fsconfig_create(fs.as_fd()).context("overlay")?;
    Ok(rustix::mount::fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?)
}

/// The child: from its new namespaces to the command.
fn become_container(
    overlay: BorrowedFd<'_>,
    root: &Path,
    filter: &Filter,
    command: &[CString],
) -> Result<std::convert::Infallible> {
    rustix::mount::mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    rustix::mount::move_mount(overlay, "", CWD, root, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    rustix::process::chdir(root)?;
    mount_all().context("mounts")?;
    make_devices().context("devices")?;
    rustix::process::pivot_root(".", ".").context("pivot_root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH)?;
    rustix::process::chdir("/")?;
    rustix::system::sethostname(b"floor")?;
    filter.apply().context("seccomp")?;
    let environment = [c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
    // What execvp would do, without looking at this process's own PATH.
    for folder in ["/bin", "/usr/bin"] {
        let path = CString::new(format!("{folder}/{}", command[0].to_string_lossy()))?;
        nix::unistd::execve(&path, command, &environment).ok();
    }
    bail!("{:?}: not found", command[0])
}

/// Docker's mounts. In a new root that is still a folder of the old one.
fn mount_all() -> rustix::io::Result<()> {
    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC | MountFlags::NODEV;
    let mounts = [
        ("proc", "proc", quiet, None),
        ("sysfs", "sys", quiet | MountFlags::RDONLY, None),
        ("cgroup2", "sys/fs/cgroup", quiet | MountFlags::RDONLY, None),
        ("tmpfs", "dev", MountFlags::NOSUID | MountFlags::STRICTATIME, Some(c"mode=755,size=65536k")),
        (
            "devpts",
            "dev/pts",
            MountFlags::NOSUID | MountFlags::NOEXEC,
            Some(c"newinstance,ptmxmode=0666,mode=0620,gid=5"),
        ),
        ("tmpfs", "dev/shm", quiet, Some(c"mode=1777,size=65536k")),
        ("mqueue", "dev/mqueue", quiet, None),
    ];
    for (kind, target, flags, data) in mounts {
        if target != "sys/fs/cgroup" {
            match rustix::fs::mkdirat(CWD, target, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        rustix::mount::mount(kind, target, kind, flags, data)?;
    }
    Ok(())
}

fn make_devices() -> rustix::io::Result<()> {
    let nodes = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
    let dev = rustix::fs::openat(CWD, "dev", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    for (name, major, minor) in nodes {
        let device = rustix::fs::makedev(major, minor);
        rustix::fs::mknodat(&dev, name, FileType::CharacterDevice, Mode::from_raw_mode(0o666), device)?;
    }
    let links = [
        ("pts/ptmx", "ptmx"),
        ("/proc/self/fd", "fd"),
        ("/proc/self/fd/0", "stdin"),
        ("/proc/self/fd/1", "stdout"),
        ("/proc/self/fd/2", "stderr"),
    ];
    links.into_iter().try_for_each(|(target, name)| rustix::fs::symlinkat(target, &dev, name))
}
