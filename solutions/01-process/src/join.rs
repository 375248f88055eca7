//! `exec`: another process in a container that runs already.
//!
//! A copy of the engine enters the container's PID namespace (setns(2) moves only the children yet to be born), and gives birth there to a process that is the
//! engine's own child (`birth.rs`). It can be seen from inside before it has become the command: until then it is not dumpable, so nobody
//! without CAP_SYS_PTRACE on the host can look into it (CVE-2016-9962), and the first thing it does is to close every file of the engine's.

use std::convert::Infallible;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::process::{DumpableBehavior, Pid, PidfdFlags, pidfd_open, set_dumpable_behavior};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use crate::beneath;
use crate::birth::Birth;
use crate::launch::{finish_from_outside, follow};
use crate::report::{self, At, Outcome, Step};
use crate::{Error, Options, Result, Running, Streams, cgroup::Cgroup, oci, process, sys};
use oci::LinuxNamespaceType as Kind;

/// Everything the child does.
#[derive(Debug)]
struct Plan {
    /// The container's init, whose namespaces are entered.
    init: OwnedFd,
    namespaces: ThreadNameSpaceType,
    user_namespace: bool,
    cgroups: Vec<OwnedFd>,
    oom_score_adj: Option<Vec<u8>>,
    /// Descriptors that the child needs, ascending.
    keep: Vec<i32>,
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
    let (namespaces, has_pid) = namespaces(spec);
    tracing::info!(
        target: "explain",
        man = "setns(2)",
        shell = format!("nsenter --target {init_pid} --all …"),
        "entering the namespaces of process {init_pid}"
    );
    let (ours, theirs) = report::channel().map_err(|error| Error::system("socketpair", error))?;
    let mut plan = Plan {
        user_namespace: namespaces.contains(ThreadNameSpaceType::USER),
        namespaces,
        cgroups: options.cgroup.map(Cgroup::joins).transpose()?.unwrap_or_default(),
        oom_score_adj: process.oom_score_adj().map(|score| score.to_string().into_bytes()),
        keep: Vec::new(),
        process: process::Plan::new(spec, process, streams, false)?,
        init,
    };
    plan.note_descriptors(&theirs);

    let enter = || {
        // From here on this copy of the engine, and the process made from it, can be looked into by nobody.
        set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Step::EnterNamespaces)?;
        if has_pid {
            move_into_thread_name_spaces(plan.init.as_fd(), ThreadNameSpaceType::PROCESS_ID)
                .at(Step::EnterNamespaces)?;
        }
        Ok(())
    };
    let cgroup = options.cgroup.and_then(Cgroup::fd);
    let birth = Birth { namespaces: 0, cgroup, enter: Some(&enter) };
    let born = birth.give(&|in_cgroup| run(&plan, &theirs, cgroup.is_some() && !in_cgroup));
    let (cloned, in_cgroup) = born.map_err(|failure| process::explain(&plan.process, failure))?;
    drop(theirs);
    let add = options.cgroup.filter(|_| cgroup.is_some() && !in_cgroup);
    let prepared = finish_from_outside(&cloned, ours.as_fd(), None, add);
    follow(cloned, &ours, prepared, |failure| process::explain(&plan.process, failure))
}

/// Which namespaces the container does not share with the engine. To enter one's own user namespace again is an error (setns(2)),
/// the others would be harmless.
fn namespaces(spec: &oci::Spec) -> (ThreadNameSpaceType, bool) {
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
    let has_pid = flags.contains(ThreadNameSpaceType::PROCESS_ID);
    (flags - ThreadNameSpaceType::PROCESS_ID, has_pid)
}

impl Plan {
    fn note_descriptors(&mut self, channel: &OwnedFd) {
        let streams = self.process.stdio().map(<[_; 3]>::as_slice).unwrap_or_default();
        let needed = streams.iter().chain(&self.cgroups).chain([&self.init, channel]);
        self.keep = needed.map(AsRawFd::as_raw_fd).collect();
        self.keep.sort_unstable();
    }
}

/// The child. System calls only, as in `child.rs`.
fn run(plan: &Plan, channel: &OwnedFd, wait: bool) -> Infallible {
    let parent = channel.as_fd();
    let failure = match enter(plan, parent, wait) {
        Ok(terminal) => plan.process.become_command(terminal.as_ref(), parent),
        Err(failure) => failure,
    };
    report::send_failure(parent, failure);
    sys::exit_now(127)
}

fn enter(plan: &Plan, parent: BorrowedFd<'_>, wait: bool) -> Outcome<Option<OwnedFd>> {
    sys::close_all_but(&plan.keep).at(Step::CloseFiles)?;
    process::die_with_parent().at(Step::Parent)?;
    report::parent_lives(parent).at(Step::Parent)?;
    sys::default_signals();
    if let Some(score) = &plan.oom_score_adj {
        let file = beneath::open_host(c"/proc/self/oom_score_adj", OFlags::WRONLY).at(Step::OomScore)?;
        rustix::io::write(&file, score).at(Step::OomScore)?;
    }
    for group in &plan.cgroups {
        rustix::io::write(group, b"0").at(Step::CgroupNamespace)?;
    }
    if wait {
        report::wait_for_go(parent).at(Step::Parent)?;
    }
    // All at once, or none. The mount namespace brings its root and working directory along.
    move_into_thread_name_spaces(plan.init.as_fd(), plan.namespaces).at(Step::EnterNamespaces)?;
    if plan.user_namespace {
        crate::child::become_root_of_namespace().at(Step::UserNamespace)?;
    }
    let root = beneath::open_host(c"/", OFlags::PATH | OFlags::DIRECTORY).at(Step::EnterNamespaces)?;
    plan.process.open_terminal(root.as_fd(), parent).at(Step::Terminal)
}
