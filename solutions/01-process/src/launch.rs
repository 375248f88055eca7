//! From a specification to a running process: the parent's side.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::Timespec;
use rustix::io::Errno;
use rustix::mount::MountPropagationFlags;
use rustix::process::{WaitId, WaitIdOptions, waitid};

use crate::birth::Birth;
use crate::child::{self, Plan};
use crate::mount_options::{self, MountOptions};
use crate::mounts::{self, Kind, Mount, Tree};
use crate::namespaces::Namespaces;
use crate::report::{self, Failure, Message, Step};
use crate::sys::{self, Cloned, MountAttributes};
use crate::{
    Error, ExitStatus, Result, c_string, cgroup::Cgroup, cgroup_mount, devices, oci, process, rootfs, sysctl,
    unfinished, userns,
};

/// Where the container's root comes from.
#[derive(Debug)]
pub enum Rootfs {
    /// A folder of the host.
    Path(PathBuf),
    /// A detached mount, made by the caller with fsmount(2) or open_tree(2); it is moved into the container's own mount
    /// namespace, so the host's mount table never shows it.
    Mount(OwnedFd),
}

/// What the process has as standard input, output and error.
#[derive(Debug)]
pub enum Streams {
    /// These three.
    Fds { stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd },
    /// A new terminal, from the container's own devpts; its master is [`Running::terminal`].
    Terminal { height: u16, width: u16 },
}

/// What the specification cannot say.
#[derive(Debug, Default)]
pub struct Options<'a> {
    /// Keep a small init as PID 1: it starts the command, forwards signals to it, reaps orphans, and exits with the
    /// command's code. Not for [`crate::join`].
    pub init: bool,
    /// The cgroup in which the process is born.
    pub cgroup: Option<&'a Cgroup>,
    /// Mounted last, in this order. Not for [`crate::join`].
    pub trees: &'a [Tree],
}

/// A process in a container, and the parent's side of it. The caller is its parent and must reap it ([`Running::wait`]).
#[derive(Debug)]
pub struct Running {
    /// As this process sees it.
    pub pid: i32,
    /// Readable when the process has ended (poll(2)).
    pub pidfd: OwnedFd,
    /// The master of its terminal.
    pub terminal: Option<OwnedFd>,
}

impl Running {
    /// Blocks until the process ends, and reaps it.
    ///
    /// # Errors
    /// Somebody else has reaped it.
    pub fn wait(&self) -> Result<ExitStatus> {
        loop {
            match reap(self.pidfd.as_fd(), WaitIdOptions::EXITED) {
                Ok(Some(status)) => return Ok(status),
                Ok(None) | Err(Errno::INTR) => {}
                Err(error) => return Err(Error::system("cannot wait for the container's process", error)),
            }
        }
    }

    /// Reaps the process if it has ended.
    ///
    /// # Errors
    /// Somebody else has reaped it.
    pub fn try_wait(&self) -> Result<Option<ExitStatus>> {
        reap(self.pidfd.as_fd(), WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
            .map_err(|error| Error::system("cannot wait for the container's process", error))
    }

    /// Sends a signal, by pidfd: it cannot hit another process that got the same number.
    ///
    /// # Errors
    /// The process has ended (ESRCH), or there is no such signal.
    pub fn signal(&self, signal: i32) -> Result<()> {
        tracing::info!(
            target: "explain",
            man = "pidfd_send_signal(2)",
            shell = format!("kill -{signal} {}", self.pid),
            "sending signal {signal} to process {}", self.pid
        );
        sys::pidfd_send_signal(self.pidfd.as_fd(), signal).map_err(|error| Error::system("cannot send a signal", error))
    }
}

fn reap(pidfd: BorrowedFd<'_>, options: WaitIdOptions) -> rustix::io::Result<Option<ExitStatus>> {
    let status = waitid(WaitId::PidFd(pidfd), options)?;
    Ok(status.and_then(|status| {
        let exited = status.exit_status().map(ExitStatus::Exited);
        exited.or_else(|| status.terminating_signal().map(ExitStatus::Killed))
    }))
}

/// Starts the container's first process. Returns once its execve(2) has succeeded, or with the step that failed.
///
/// The caller must be root, of the host or of a user namespace ([`crate::userns::enter`]). The process dies (SIGKILL)
/// with the *thread* that launched it.
///
/// # Errors
/// What the specification asks for cannot be had, or a step of the child failed; then nothing of it is left.
pub fn launch(spec: &oci::Spec, rootfs: Rootfs, streams: Streams, options: &Options) -> Result<Running> {
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    refuse(spec, linux)?;
    let namespaces = Namespaces::new(linux.namespaces().as_deref().unwrap_or_default())?;
    let plan = plan(spec, linux, process, rootfs, streams, options, &namespaces)?;
    let maps = if namespaces.user { Some(userns::Maps::of(linux)?) } else { None };

    let (ours, theirs) = report::channel().map_err(|error| Error::system("socketpair", error))?;
    let birth = Birth {
        namespaces: namespaces.flags,
        cgroup: options.cgroup.and_then(Cgroup::fd),
        enter: if namespaces.joins() { Some(&|_| namespaces.enter()) } else { None },
    };
    unfinished::before_clone();
    let told = options.cgroup.is_some_and(|cgroup| cgroup.fd().is_some());
    let born = birth.give(&|in_cgroup| child::run(&plan, &theirs, &ours, maps.is_some() || told && !in_cgroup));
    let (cloned, in_cgroup) = born.map_err(|failure| explain(&plan, failure))?;
    drop(theirs);
    let add = options.cgroup.filter(|_| told && !in_cgroup);
    let prepared = finish_from_outside(&cloned, ours.as_fd(), maps.as_ref(), add);
    follow(cloned, &ours, prepared, None, |failure| explain(&plan, failure))
}

/// What the child is about to do, told here: between clone and exec it may not even speak.
fn tell(hostname: Option<&CStr>, filesystem: &rootfs::Plan) {
    if let Some(name) = hostname {
        let name = name.to_string_lossy();
        tracing::info!(target: "explain", man = "sethostname(2)", shell = format!("hostname {name}"), "naming it {name}");
    }
    let (masked, readonly) = (filesystem.masked_paths.len(), filesystem.readonly_paths.len());
    if masked + readonly > 0 {
        tracing::info!(
            target: "explain",
            man = "move_mount(2)",
            shell = "mount --bind /dev/null ROOT/proc/kcore; mount --bind -o ro ROOT/proc/sys ROOT/proc/sys; …",
            "hiding {masked} paths of /proc and /sys, and making {readonly} read-only"
        );
    }
    tracing::info!(
        target: "explain",
        man = "pivot_root(2)",
        shell = "cd ROOT && pivot_root . . && umount -l .",
        "making this tree its root, and letting go of the host's"
    );
}

/// What only the parent can do for the child, which waits for it.
pub(crate) fn finish_from_outside(
    cloned: &Cloned,
    channel: BorrowedFd<'_>,
    maps: Option<&userns::Maps>,
    cgroup: Option<&Cgroup>,
) -> Result<()> {
    if let Some(maps) = maps {
        maps.write(cloned.pid)?;
    }
    if let Some(cgroup) = cgroup {
        cgroup.add(cloned.pid)?;
    }
    if maps.is_some() || cgroup.is_some() {
        report::send_go(channel)
            .map_err(|error| Error::system("the container's process died before it was started", error))?;
    }
    Ok(())
}

/// Listens to the child until it has become the command, at most for this long between two words. If it fails, or
/// `prepared` has, nothing of it is left.
pub(crate) fn follow(
    cloned: Cloned,
    channel: &OwnedFd,
    prepared: Result<()>,
    patience: Option<&Timespec>,
    explain: impl FnOnce(Failure) -> Error,
) -> Result<Running> {
    let mut running = Running { pid: cloned.pid, pidfd: cloned.pidfd, terminal: None };
    let error = match prepared {
        Err(error) => error,
        Ok(()) => loop {
            if patience.is_some_and(|time| !report::heard_within(channel.as_fd(), time)) {
                break Error::system("the container keeps the new process from becoming the command", Errno::TIMEDOUT);
            }
            match report::receive(channel.as_fd()) {
                Ok(Message::End) => return Ok(running),
                Ok(Message::Terminal(master)) if running.terminal.is_none() => running.terminal = Some(master),
                Ok(Message::Failed(failure)) => break explain(failure),
                Ok(Message::Panicked(words)) => break Error::Panicked(words),
                // A second terminal, or another birth: what speaks can be in the hands of the container.
                Ok(Message::Terminal(_) | Message::Born(_)) => {
                    break Error::system("cannot understand the container's process", Errno::PROTO);
                }
                Err(error) => break Error::system("cannot hear the container's process", error),
            }
        },
    };
    // It has ended or must; either way it is reaped here, and no error of that says more than the first.
    let _ = sys::pidfd_send_signal(running.pidfd.as_fd(), libc::SIGKILL);
    let _ = running.wait();
    Err(error)
}

fn plan(
    spec: &oci::Spec,
    linux: &oci::Linux,
    process: &oci::Process,
    rootfs: Rootfs,
    streams: Streams,
    options: &Options,
    namespaces: &Namespaces,
) -> Result<Plan> {
    let paths = |list: &Option<Vec<String>>| -> Result<Vec<_>> {
        list.as_deref().unwrap_or_default().iter().map(|path| mounts::inside(path.as_ref())).collect()
    };
    let no_sysctls = Default::default();
    let cgroups = options.cgroup.map(Cgroup::joins).transpose()?.unwrap_or_default();
    let name = |name: &Option<String>| name.as_deref().filter(|name| !name.is_empty()).map(c_string).transpose();
    let mounts = all_mounts(spec, options, namespaces)?;
    let hostname = name(spec.hostname())?;
    let filesystem = rootfs::Plan {
        root: root_mount(rootfs)?,
        readonly: spec.root().as_ref().is_some_and(|root| root.readonly().unwrap_or(false)),
        devices: if has_own_dev(spec) {
            Some(devices::plan(linux.devices().as_deref().unwrap_or_default())?)
        } else {
            None
        },
        mounts,
        sysctls: sysctl::Prepared::new(
            linux.sysctl().as_ref().unwrap_or(&no_sysctls),
            linux.namespaces().as_deref().unwrap_or_default(),
        )?,
        masked_paths: paths(linux.masked_paths())?,
        readonly_paths: paths(linux.readonly_paths())?,
        propagation: root_propagation(linux)?,
    };
    // Told in the order in which it will happen: who the process is comes last.
    tell(hostname.as_deref(), &filesystem);
    Ok(Plan {
        user_namespace: namespaces.user,
        cgroup_namespace: namespaces.cgroup,
        network_namespace: namespaces.network,
        cgroups,
        oom_score_adj: process.oom_score_adj().map(|score| score.to_string().into_bytes()),
        hostname,
        domainname: name(spec.domainname())?,
        filesystem,
        process: process::Plan::new(spec, process, streams, options.init)?,
    })
}

fn all_mounts(spec: &oci::Spec, options: &Options, namespaces: &Namespaces) -> Result<Vec<Mount>> {
    let mut mounts = Vec::new();
    for mount in spec.mounts().as_deref().unwrap_or_default() {
        if mount.typ().as_deref() == Some("cgroup") {
            mounts.extend(cgroup_mount::plan(mount, options.cgroup, namespaces.cgroup)?);
        } else {
            mounts.push(Mount::new(mount, namespaces)?);
        }
    }
    for tree in options.trees {
        mounts.push(Mount::of_tree(tree)?);
    }
    Ok(mounts)
}

/// The root as a private, detached mount.
fn root_mount(rootfs: Rootfs) -> Result<OwnedFd> {
    match rootfs {
        Rootfs::Path(path) => {
            let failed = |errno| Error::start(Step::Rootfs, format!("cannot use {} as root", path.display()), errno);
            match mounts::tree(&path, true, &MountOptions::default()).map_err(failed)? {
                Kind::Tree { tree, folder: true } => Ok(tree),
                _ => Err(failed(Errno::NOTDIR)),
            }
        }
        Rootfs::Mount(root) => {
            let private = MountAttributes { propagation: mount_options::PRIVATE, ..MountAttributes::default() };
            sys::mount_setattr(root.as_fd(), true, private)
                .map_err(|errno| Error::start(Step::Rootfs, "cannot make the root's mount private", errno))?;
            Ok(root)
        }
    }
}

/// Whether /dev is ours to fill: a mount that is no bind.
fn has_own_dev(spec: &oci::Spec) -> bool {
    let mounts = spec.mounts().as_deref().unwrap_or_default();
    mounts.iter().any(|mount| mount.destination() == Path::new("/dev") && mount.typ().as_deref() == Some("tmpfs"))
}

fn root_propagation(linux: &oci::Linux) -> Result<Option<MountPropagationFlags>> {
    let Some(word) = linux.rootfs_propagation().as_deref().filter(|word| !word.is_empty()) else { return Ok(None) };
    let (kind, recursive) = mount_options::propagation(word)
        .ok_or_else(|| Error::Unsupported(format!("rootfsPropagation: {word:?} is no propagation type")))?;
    let recursion = if recursive { MountPropagationFlags::REC } else { MountPropagationFlags::empty() };
    Ok(Some(MountPropagationFlags::from_bits_retain(kind as u32) | recursion))
}

fn missing(part: &str) -> Error {
    Error::Unsupported(format!("the container's specification has no \"{part}\""))
}

/// What a specification may ask for and this runtime does not do is refused, never forgotten.
fn refuse(spec: &oci::Spec, linux: &oci::Linux) -> Result<()> {
    let asked = [
        ("hooks", spec.hooks().is_some()),
        ("linux.mountLabel", linux.mount_label().as_ref().is_some_and(|label| !label.is_empty())),
        ("linux.intelRdt", linux.intel_rdt().is_some()),
        ("linux.memoryPolicy", linux.memory_policy().is_some()),
        ("linux.netDevices", linux.net_devices().is_some()),
        ("linux.personality", linux.personality().is_some()),
        ("linux.timeOffsets", linux.time_offsets().is_some()),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => Err(Error::Unsupported(format!("{name} is not supported"))),
        None => Ok(()),
    }
}

/// A failed step in words: which mount, which device, which path.
fn explain(plan: &Plan, failure: Failure) -> Error {
    let Failure { step, index, errno } = failure;
    let path = |list: &[std::ffi::CString]| {
        list.get(index).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let what = match step {
        Step::Mount => plan.filesystem.mounts.get(index).map(|mount| mount.label.clone()).unwrap_or_default(),
        Step::Device => {
            let device = plan.filesystem.devices.as_ref().and_then(|devices| devices.get(index));
            format!(
                "error creating device node /{}",
                device.map(|device| device.path.to_string_lossy()).unwrap_or_default()
            )
        }
        Step::Sysctl => format!("write /proc/sys/{}", plan.filesystem.sysctls.name(index).unwrap_or_default()),
        Step::MaskedPath => format!("can't mask path \"/{}\"", path(&plan.filesystem.masked_paths)),
        Step::ReadonlyPath => format!("can't make \"/{}\" read-only", path(&plan.filesystem.readonly_paths)),
        _ => return process::explain(&plan.process, failure),
    };
    Error::start(step, what, errno)
}
