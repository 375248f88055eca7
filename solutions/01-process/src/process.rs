//! The last stretch, the same for a container's first process and for one that joins it: streams, session, limits,
//! identity, rights, working directory, command.

use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Gid, Mode, Uid};
use rustix::io::{self, Errno, Result};
use rustix::process::{
    DumpableBehavior, Signal, chdir, set_dumpable_behavior, set_parent_process_death_signal, setsid, umask,
};
use rustix::termios::Winsize;
use rustix::thread;

use crate::command::Command;
use crate::report::{At, Failure, Outcome, Step, send_failure};
use crate::sys::Title;
use crate::{
    Error, Result as CrateResult, Streams, c_string, capabilities, init, oci, rlimits, seccomp, sys, terminal,
};

/// What a process is to be.
#[derive(Debug)]
pub(crate) struct Plan {
    streams: Stdio,
    rlimits: rlimits::Prepared,
    uid: Uid,
    gid: Gid,
    /// None where the kernel forbids to set them (a user namespace of an ordinary user without newgidmap(1)).
    groups: Option<Vec<Gid>>,
    umask: Mode,
    capabilities: capabilities::Prepared,
    no_new_privileges: bool,
    seccomp: Option<seccomp::Filter>,
    pub cwd: CString,
    pub command: Command,
    /// PID 1 stays as an init, which `ps` shows by this title if it can be set.
    init: Option<Option<Title>>,
}

#[derive(Debug)]
enum Stdio {
    Fds([OwnedFd; 3]),
    Terminal(Winsize),
}

impl Plan {
    pub(crate) fn new(spec: &oci::Spec, process: &oci::Process, streams: Streams, init: bool) -> CrateResult<Self> {
        refuse(process)?;
        let user = process.user();
        let seccomp = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
        let words = process.args().as_deref().unwrap_or_default();
        let cwd = process.cwd().to_string_lossy();
        if !cwd.starts_with('/') {
            return Err(Error::Unsupported(format!("Cwd must be an absolute path: {cwd:?}")));
        }
        tracing::info!(
            target: "explain",
            man = "setresuid(2)",
            shell = format!("setpriv --reuid {} --regid {} …", user.uid(), user.gid()),
            "running as user {}, group {}", user.uid(), user.gid()
        );
        Ok(Self {
            streams: Stdio::new(streams)
                .map_err(|error| Error::system("cannot prepare the standard streams", error))?,
            rlimits: rlimits::Prepared::new(process.rlimits().as_deref().unwrap_or_default())?,
            uid: Uid::from_raw(user.uid()),
            gid: Gid::from_raw(user.gid()),
            groups: groups(user),
            umask: Mode::from_raw_mode(user.umask().unwrap_or(0o022)),
            capabilities: capabilities::Prepared::new(process.capabilities().as_ref().unwrap_or(&no_capabilities())),
            no_new_privileges: process.no_new_privileges().unwrap_or(false),
            seccomp: seccomp.map(seccomp::compile).transpose()?,
            cwd: c_string(&cwd)?,
            command: Command::new(process)?,
            init: init.then(|| Title::new(format!("/sbin/init -- {}", words.join(" ")).as_bytes())),
        })
    }

    /// Opens the terminal if there is to be one; `root` is the container's.
    pub(crate) fn open_terminal(&self, root: BorrowedFd<'_>, parent: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
        match &self.streams {
            Stdio::Fds(_) => Ok(None),
            Stdio::Terminal(size) => terminal::open(root, *size, self.uid, parent).map(Some),
        }
    }

    /// The descriptors that the child must not lose before it has made them its streams.
    pub(crate) fn stdio(&self) -> Option<&[OwnedFd; 3]> {
        match &self.streams {
            Stdio::Fds(fds) => Some(fds),
            Stdio::Terminal(_) => None,
        }
    }

    /// From here to the command. Returns only with what failed.
    pub(crate) fn become_command(&self, terminal: Option<&OwnedFd>, parent: BorrowedFd<'_>) -> Failure {
        match begin_session(terminal).and_then(|()| self.become_user(terminal)) {
            Err(failure) => failure,
            Ok(()) => match &self.init {
                Some(title) => init::run(title.as_ref(), || self.command_of_init(parent)),
                None => self.command.exec(),
            },
        }
    }

    /// The init's child has the engine's socket too, and answers for itself.
    fn command_of_init(&self, parent: BorrowedFd<'_>) -> Infallible {
        send_failure(parent, self.command.exec());
        sys::exit_now(127)
    }

    /// Streams, limits, identity, rights and working directory. What is cloned from this process has them, too.
    pub(crate) fn become_user(&self, terminal: Option<&OwnedFd>) -> Outcome {
        // The keys of whoever started the engine are not the container's (session-keyring(7)).
        sys::new_session_keyring().at(Step::Keyring)?;
        self.take_streams(terminal).at(Step::Streams)?;
        sys::close_on_exec_from(3).at(Step::CloseFiles)?;
        umask(self.umask);
        self.rlimits.apply().at(Step::Rlimit)?;
        // A process that may gain privileges again must install its filter while it has CAP_SYS_ADMIN (seccomp(2)).
        if !self.no_new_privileges {
            self.apply_seccomp()?;
        }
        // As root first: the folder may be one that only root can reach, on purpose (runc does the same).
        let entered = chdir(&*self.cwd);
        self.take_identity()?;
        match entered {
            // …or one that only the user can reach, on a filesystem that trusts no root (NFS).
            Err(Errno::ACCESS | Errno::PERM) => chdir(&*self.cwd).at(Step::Cwd)?,
            done => done.at(Step::Cwd)?,
        }
        if !sys::cwd_is_inside().at(Step::CwdOutside)? {
            return Err(Errno::NOENT).at(Step::CwdOutside);
        }
        if self.no_new_privileges {
            thread::set_no_new_privs(true).at(Step::NoNewPrivileges)?;
            self.apply_seccomp()?;
        }
        Ok(())
    }

    fn take_streams(&self, terminal: Option<&OwnedFd>) -> Result<()> {
        let [stdin, stdout, stderr] = match (&self.streams, terminal) {
            (Stdio::Fds([stdin, stdout, stderr]), _) => [stdin, stdout, stderr],
            (Stdio::Terminal(_), Some(slave)) => [slave, slave, slave],
            (Stdio::Terminal(_), None) => return Err(Errno::NOTTY),
        };
        rustix::stdio::dup2_stdin(stdin)?;
        rustix::stdio::dup2_stdout(stdout)?;
        rustix::stdio::dup2_stderr(stderr)
    }

    fn apply_seccomp(&self) -> Outcome {
        match &self.seccomp {
            Some(filter) => filter.apply().at(Step::Seccomp),
            None => Ok(()),
        }
    }

    /// From root to the user: groups before gid before uid, since each needs a right that the next takes away; then the
    /// rights themselves.
    fn take_identity(&self) -> Outcome {
        self.capabilities.limit().at(Step::BoundingSet)?;
        // Otherwise setresuid(2) from 0 would clear the sets before they are set.
        thread::set_keep_capabilities(true).at(Step::Capabilities)?;
        if let Some(groups) = &self.groups {
            thread::set_thread_groups(groups).at(Step::Groups)?;
        }
        thread::set_thread_res_gid(self.gid, self.gid, self.gid).at(Step::Gid)?;
        thread::set_thread_res_uid(self.uid, self.uid, self.uid).at(Step::Uid)?;
        thread::set_keep_capabilities(false).at(Step::Capabilities)?;
        self.capabilities.apply().at(Step::Capabilities)?;
        // A change of user clears the one (prctl(2), PR_SET_PDEATHSIG), and sets the other as the host's
        // fs.suid_dumpable says (proc(5)).
        die_with_parent().at(Step::Parent)?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Step::Parent)
    }
}

/// A session of the process's own, with the terminal if there is one.
pub(crate) fn begin_session(terminal: Option<&OwnedFd>) -> Outcome {
    setsid().at(Step::Session)?;
    terminal.map_or(Ok(()), terminal::control).at(Step::Streams)
}

/// SIGKILL for this process when its parent dies. It does not survive a change of user.
pub(crate) fn die_with_parent() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
}

impl Stdio {
    fn new(streams: Streams) -> Result<Self> {
        match streams {
            // Above 2, so that making one of them a standard stream cannot overwrite another.
            Streams::Fds { stdin, stdout, stderr } => Ok(Self::Fds([above(stdin)?, above(stdout)?, above(stderr)?])),
            Streams::Terminal { height, width } => {
                Ok(Self::Terminal(Winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 }))
            }
        }
    }
}

fn above(fd: OwnedFd) -> Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    if fd.as_raw_fd() > 2 { Ok(fd) } else { io::fcntl_dupfd_cloexec(fd.as_fd(), 3) }
}

/// None where nobody may set them: then an image's own groups are lost, which a single user would gain nothing from.
fn groups(user: &oci::User) -> Option<Vec<Gid>> {
    let groups = user.additional_gids().as_deref().unwrap_or_default();
    crate::userns::lets_set_groups().then(|| groups.iter().map(|&gid| Gid::from_raw(gid)).collect())
}

fn no_capabilities() -> oci::LinuxCapabilities {
    let mut none = oci::LinuxCapabilities::default();
    none.set_bounding(None).set_effective(None).set_permitted(None).set_inheritable(None).set_ambient(None);
    none
}

/// What a specification may ask for and this runtime does not do is refused, never forgotten.
fn refuse(process: &oci::Process) -> CrateResult<()> {
    let asked = [
        ("apparmorProfile", process.apparmor_profile().as_ref().is_some_and(|profile| !profile.is_empty())),
        ("selinuxLabel", process.selinux_label().as_ref().is_some_and(|label| !label.is_empty())),
        ("ioPriority", process.io_priority().is_some()),
        ("scheduler", process.scheduler().is_some()),
        ("execCPUAffinity", process.exec_cpu_affinity().is_some()),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => Err(Error::Unsupported(format!("process.{name} is not supported"))),
        None => Ok(()),
    }
}

/// A failed step in words, where only the process matters.
pub(crate) fn explain(plan: &Plan, Failure { step, errno, .. }: Failure) -> Error {
    let name = plan.command.name.clone();
    let cwd = plan.cwd.to_string_lossy();
    let what = match step {
        Step::CommandNotFound => return Error::CommandNotFound(name),
        Step::CommandMissing => return Error::CommandMissing { name, errno },
        Step::CommandDenied => return Error::CommandDenied { name, errno },
        Step::Exec => return Error::Exec { name, errno },
        // runc's own words.
        Step::Cwd => format!("chdir to cwd ({cwd:?}) set in config.json failed"),
        Step::CwdOutside => {
            "current working directory is outside of container mount namespace root -- possible container breakout detected"
                .to_owned()
        }
        Step::MakeCwd => format!("mkdir {cwd}"),
        Step::Parent => "the engine that started this container has died".to_owned(),
        Step::UserNamespace => "cannot become root of the user namespace".to_owned(),
        Step::EnterNamespaces => "cannot enter the container's namespaces".to_owned(),
        Step::Clone => "clone3: cannot make the container's process".to_owned(),
        Step::CgroupNamespace => "cannot enter the container's cgroup".to_owned(),
        Step::OomScore => "write /proc/self/oom_score_adj".to_owned(),
        Step::Loopback => "cannot bring the loopback interface up".to_owned(),
        Step::Hostname => "sethostname".to_owned(),
        Step::Domainname => "setdomainname".to_owned(),
        Step::MountNamespace => "error preparing rootfs: cannot make its mounts private".to_owned(),
        Step::Rootfs => "error preparing rootfs".to_owned(),
        Step::DeviceFolder => "error preparing /dev".to_owned(),
        Step::Terminal => "cannot open a terminal in the container's /dev/pts".to_owned(),
        Step::Console => "cannot make /dev/console".to_owned(),
        Step::ReadonlyRootfs => "cannot make the root read-only".to_owned(),
        Step::PivotRoot => "error jailing process inside rootfs: pivot_root".to_owned(),
        Step::Session => "setsid".to_owned(),
        Step::Keyring => "unable to join session keyring".to_owned(),
        Step::Streams => "cannot set up standard input, output and error".to_owned(),
        Step::CloseFiles => "close_range".to_owned(),
        Step::Rlimit => "error setting rlimits".to_owned(),
        Step::Groups => "setgroups".to_owned(),
        Step::Gid => format!("setgid {}", plan.gid.as_raw()),
        Step::Uid => format!("setuid {}", plan.uid.as_raw()),
        Step::BoundingSet => "unable to apply bounding set".to_owned(),
        Step::Capabilities => "unable to apply caps".to_owned(),
        Step::NoNewPrivileges => "cannot set no_new_privs".to_owned(),
        Step::Seccomp => "unable to init seccomp".to_owned(),
        Step::Init => "cannot fork the command from its init".to_owned(),
        // They name an object, which their own plans know.
        Step::Mount | Step::Device | Step::Sysctl | Step::MaskedPath | Step::ReadonlyPath => String::new(),
    };
    Error::start(step, what, errno)
}
