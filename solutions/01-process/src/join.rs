//! `exec`: another process in a container that runs already.
//!
//! A copy of the engine enters the container's PID namespace (setns(2) moves only its future children there), and clones once more
//! with the engine as parent, so the new process is at once the engine's own child and a process of the container. It can therefore be seen from inside before it has become the
//! command: until then it is not dumpable, so nobody without CAP_SYS_PTRACE on the host can look into it (CVE-2016-9962), and
//! the first thing it does is to close every file of the engine's.

use std::convert::Infallible;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, WaitId, WaitIdOptions, dumpable_behavior, pidfd_open, set_dumpable_behavior,
    waitid,
};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use crate::beneath;
use crate::launch::follow;
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

    let before = dumpable_behavior().map_err(|error| Error::system("prctl", error))?;
    let hidden = |behavior| set_dumpable_behavior(behavior).map_err(|error| Error::system("prctl", error));
    hidden(DumpableBehavior::NotDumpable)?;
    let cloned = clone_inside(&plan, has_pid, options.cgroup, &theirs);
    if before == DumpableBehavior::Dumpable {
        hidden(before)?;
    }
    let (cloned, added) = cloned?;
    drop(theirs);
    follow(cloned, &ours, added, |failure| process::explain(&plan.process, failure))
}

/// The clone. Where a process cannot be born in the container's cgroup, it is moved there.
fn clone_inside(
    plan: &Plan,
    has_pid: bool,
    cgroup: Option<&Cgroup>,
    channel: &OwnedFd,
) -> Result<(sys::Cloned, Result<()>)> {
    let start = |born_in: Option<BorrowedFd<'_>>| match has_pid {
        true => clone_in_pid_namespace(plan, born_in, channel),
        false => sys::clone_into(0, born_in, || run(plan, channel)),
    };
    let born_in = cgroup.and_then(Cgroup::fd);
    let mut add = None;
    let cloned = match start(born_in) {
        Err(_) if born_in.is_some() => {
            add = cgroup;
            start(None)
        }
        cloned => cloned,
    };
    let cloned = cloned.map_err(|error| Error::system("cannot start a process in the container", error))?;
    let added = add.map_or(Ok(()), |cgroup| cgroup.add(cloned.pid));
    Ok((cloned, added))
}

/// The clone, by a process in between: who enters a PID namespace does so for all its future children, and only root of the host
/// could come back. The new process is ours all the same, not that of the one in between (`CLONE_PARENT`).
fn clone_in_pid_namespace(
    plan: &Plan,
    cgroup: Option<BorrowedFd<'_>>,
    channel: &OwnedFd,
) -> rustix::io::Result<sys::Cloned> {
    let (told, tell) = pipe_with(PipeFlags::CLOEXEC)?;
    let between = sys::fork(|| {
        let entered = move_into_thread_name_spaces(plan.init.as_fd(), ThreadNameSpaceType::PROCESS_ID);
        let cloned = entered.and_then(|()| sys::clone_for_parent(cgroup, || run(plan, channel)));
        let word = cloned.unwrap_or_else(|error| -error.raw_os_error());
        // If nobody listens any more, the new process finds that out by itself.
        let _ = rustix::io::write(&tell, &word.to_ne_bytes());
        sys::exit_now(0)
    })?;
    drop(tell);
    let mut word = [0; size_of::<i32>()];
    let heard = rustix::io::retry_on_intr(|| rustix::io::read(&told, &mut word));
    let between = Pid::from_raw(between).ok_or(Errno::SRCH)?;
    rustix::io::retry_on_intr(|| waitid(WaitId::Pid(between), WaitIdOptions::EXITED))?;
    match (heard?, i32::from_ne_bytes(word)) {
        (4, pid) if pid > 0 => {
            // Our own child, and not reaped: the number is nobody else's.
            let child = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
            Ok(sys::Cloned { pid, pidfd: pidfd_open(child, PidfdFlags::empty())? })
        }
        (4, errno) => Err(Errno::from_raw_os_error(-errno)),
        _ => Err(Errno::CHILD),
    }
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
fn run(plan: &Plan, channel: &OwnedFd) -> Infallible {
    let parent = channel.as_fd();
    let failure = match enter(plan, parent) {
        Ok(terminal) => plan.process.become_command(terminal.as_ref(), parent),
        Err(failure) => failure,
    };
    report::send_failure(parent, failure);
    sys::exit_now(127)
}

fn enter(plan: &Plan, parent: BorrowedFd<'_>) -> Outcome<Option<OwnedFd>> {
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
    // All at once, or none. The mount namespace brings its root and working directory along.
    move_into_thread_name_spaces(plan.init.as_fd(), plan.namespaces).at(Step::EnterNamespaces)?;
    if plan.user_namespace {
        crate::child::become_root_of_namespace().at(Step::UserNamespace)?;
    }
    let root = beneath::open_host(c"/", OFlags::PATH | OFlags::DIRECTORY).at(Step::EnterNamespaces)?;
    plan.process.open_terminal(root.as_fd(), parent).at(Step::Terminal)
}
