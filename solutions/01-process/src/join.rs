//! `exec`: another process in a container that runs already.
//!
//! A copy of the engine enters all the container's namespaces, takes on everything that a process of the container has
//! — its cgroup, its user, its rights, its filter — and only then gives birth (`birth.rs`) to a process that the
//! container can see: setns(2) moves into a PID namespace only the children yet to be born. So what can be seen from
//! inside never holds more rights or files than the container has. A container with CAP_SYS_PTRACE may take hold of it,
//! and gains nothing; without that right nobody can, since it is not dumpable until it is the command (CVE-2016-9962).

use std::cell::OnceCell;
use std::convert::Infallible;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::Timespec;
use rustix::fs::OFlags;
use rustix::process::{DumpableBehavior, Pid, PidfdFlags, pidfd_open, set_dumpable_behavior};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use crate::beneath;
use crate::birth::Birth;
use crate::launch::{finish_from_outside, follow};
use crate::report::{self, At, Outcome, Step};
use crate::{Error, Options, Result, Running, Streams, cgroup::Cgroup, oci, process, sys, unfinished};
use oci::LinuxNamespaceType as Kind;

/// How long the new process may take to become the command. It has hardly anything left to do then; but the container
/// can see it, and may stop it (SIGSTOP): the engine must not wait for ever.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Everything that is done before it.
#[derive(Debug)]
struct Plan {
    /// The container's init, whose namespaces are entered.
    init: OwnedFd,
    namespaces: ThreadNameSpaceType,
    user_namespace: bool,
    cgroups: Vec<OwnedFd>,
    oom_score_adj: Option<Vec<u8>>,
    process: process::Plan,
}

/// Starts another process in a running container (`exec`): in all namespaces of `init_pid`, which must be an unreaped
/// child of the caller. `spec` is the container's, `process` what to run.
///
/// # Errors
/// As for [`crate::launch`]; ESRCH if the container has just ended.
pub fn join(
    init_pid: i32,
    spec: &oci::Spec,
    process: &oci::Process,
    streams: Streams,
    options: &Options,
) -> Result<Running> {
    let ended = |error| Error::system("cannot join the container: its first process has ended", error);
    let init = Pid::from_raw(init_pid).ok_or_else(|| ended(rustix::io::Errno::SRCH))?;
    let init = pidfd_open(init, PidfdFlags::empty()).map_err(ended)?;
    let namespaces = namespaces(spec);
    tracing::info!(
        target: "explain",
        man = "setns(2)",
        shell = format!("nsenter --target {init_pid} --all …"),
        "entering the namespaces of process {init_pid}"
    );
    let (ours, theirs) = report::channel().map_err(|error| Error::system("socketpair", error))?;
    let plan = Plan {
        user_namespace: namespaces.contains(ThreadNameSpaceType::USER),
        namespaces,
        cgroups: options.cgroup.map(Cgroup::joins).transpose()?.unwrap_or_default(),
        oom_score_adj: process.oom_score_adj().map(|score| score.to_string().into_bytes()),
        process: process::Plan::new(spec, process, streams, false)?,
        init,
    };

    let terminal = OnceCell::new();
    let enter = |midwife: BorrowedFd<'_>| plan.become_of_the_container(theirs.as_fd(), midwife, &terminal);
    let cgroup = options.cgroup.and_then(Cgroup::fd);
    let birth = Birth { namespaces: 0, cgroup, enter: Some(&enter) };
    unfinished::before_clone();
    let born = birth.give(&|in_cgroup| run(&plan, &theirs, terminal.get(), cgroup.is_some() && !in_cgroup));
    let (cloned, in_cgroup) = born.map_err(|failure| process::explain(&plan.process, failure))?;
    drop(theirs);
    let add = options.cgroup.filter(|_| cgroup.is_some() && !in_cgroup);
    let prepared = finish_from_outside(&cloned, ours.as_fd(), None, add);
    follow(cloned, &ours, prepared, Some(&PATIENCE), |failure| process::explain(&plan.process, failure))
}

/// Which namespaces the container does not share with the engine. To enter one's own user namespace again is an error
/// (setns(2)), the others would be harmless.
fn namespaces(spec: &oci::Spec) -> ThreadNameSpaceType {
    let mut flags = ThreadNameSpaceType::empty();
    let wanted = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
    for namespace in wanted.into_iter().flatten() {
        flags |= match namespace.typ() {
            Kind::Mount => ThreadNameSpaceType::MOUNT,
            Kind::Uts => ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME,
            Kind::Ipc => ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION,
            Kind::Pid => ThreadNameSpaceType::PROCESS_ID,
            Kind::Network => ThreadNameSpaceType::NETWORK,
            Kind::User => ThreadNameSpaceType::USER,
            Kind::Cgroup => ThreadNameSpaceType::CONTROL_GROUP,
            Kind::Time => ThreadNameSpaceType::TIME,
        };
    }
    flags
}

impl Plan {
    /// The midwife's part, unseen by the container. System calls only, as in `child.rs`.
    fn become_of_the_container(
        &self,
        parent: BorrowedFd<'_>,
        midwife: BorrowedFd<'_>,
        terminal: &OnceCell<OwnedFd>,
    ) -> Outcome {
        set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Step::EnterNamespaces)?;
        process::die_with_parent().at(Step::Parent)?;
        report::parent_lives(parent).at(Step::Parent)?;
        sys::default_signals();
        for group in &self.cgroups {
            rustix::io::write(group, b"0").at(Step::CgroupNamespace)?;
        }
        self.close_what_is_the_engines(parent, midwife)?;
        if let Some(score) = &self.oom_score_adj {
            let file = beneath::open_host(c"/proc/self/oom_score_adj", OFlags::WRONLY).at(Step::OomScore)?;
            rustix::io::write(&file, score).at(Step::OomScore)?;
        }
        // All at once, or none. The mount namespace brings its root and working directory along.
        move_into_thread_name_spaces(self.init.as_fd(), self.namespaces).at(Step::EnterNamespaces)?;
        if self.user_namespace {
            crate::child::become_root_of_namespace().at(Step::UserNamespace)?;
        }
        let root = beneath::open_host(c"/", OFlags::PATH | OFlags::DIRECTORY).at(Step::EnterNamespaces)?;
        if let Some(slave) = self.process.open_terminal(root.as_fd(), parent).at(Step::Terminal)? {
            // Set here alone, so it was empty.
            let _ = terminal.set(slave);
        }
        self.process.become_user(terminal.get())
    }

    fn close_what_is_the_engines(&self, parent: BorrowedFd<'_>, midwife: BorrowedFd<'_>) -> Outcome {
        let (parent, init) = (parent.as_raw_fd(), self.init.as_raw_fd());
        // The first three stay taken until the streams replace them: nothing opened meanwhile may get their numbers.
        let mut keep = [0, 1, 2, parent, init, midwife.as_raw_fd(), parent, parent, parent];
        if let Some(streams) = self.process.stdio() {
            keep[6..].iter_mut().zip(streams).for_each(|(keep, stream)| *keep = stream.as_raw_fd());
        }
        keep.sort_unstable();
        sys::close_all_but(&keep).at(Step::CloseFiles)
    }
}

/// The process that the container sees.
fn run(plan: &Plan, channel: &OwnedFd, terminal: Option<&OwnedFd>, wait: bool) -> Infallible {
    let parent = channel.as_fd();
    unfinished::in_child(channel.as_raw_fd());
    let failure = match begin(parent, terminal, wait) {
        Ok(()) => plan.process.command.exec(),
        Err(failure) => failure,
    };
    report::send_failure(parent, failure);
    sys::exit_now(127)
}

fn begin(parent: BorrowedFd<'_>, terminal: Option<&OwnedFd>, wait: bool) -> Outcome {
    process::die_with_parent().at(Step::Parent)?;
    report::parent_lives(parent).at(Step::Parent)?;
    if wait {
        report::wait_for_go(parent).at(Step::Parent)?;
    }
    process::begin_session(terminal)
}
