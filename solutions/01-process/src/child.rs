//! From clone to exec: what a container's first process does to itself, in order. **Read this first.**
//!
//! The plan was made before the clone, so there is nothing left here but system calls. That is not only for speed: the
//! parent may have had other threads, one of which may have held the allocator's lock at the moment of the copy. Here
//! it would stay locked for ever.

use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{OFlags, Uid};
use rustix::io::{Errno, write};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread;

use crate::beneath::{self, Make};
use crate::report::{self, At, Outcome, Step};
use crate::{process, rootfs, sys, unfinished};

/// Everything the child does.
#[derive(Debug)]
pub(crate) struct Plan {
    pub user_namespace: bool,
    pub cgroup_namespace: bool,
    pub network_namespace: bool,
    /// `cgroup.procs` of groups that one cannot be born into.
    pub cgroups: Vec<OwnedFd>,
    pub oom_score_adj: Option<Vec<u8>>,
    pub hostname: Option<CString>,
    pub domainname: Option<CString>,
    pub filesystem: rootfs::Plan,
    pub process: process::Plan,
}

/// The child's whole life before the command. `channel` is its end of the socket, `other_end` the parent's, of which it
/// holds a copy.
pub(crate) fn run(plan: &Plan, channel: &OwnedFd, other_end: &OwnedFd, wait: bool) -> Infallible {
    let parent = channel.as_fd();
    unfinished::in_child(channel.as_raw_fd());
    // Otherwise neither side could see the other's end. (No other thread exists here that might hold this number.)
    if let Err(errno) = nix::unistd::close(other_end.as_raw_fd()) {
        sys::exit_now(errno as i32);
    }
    let failure = match prepare(plan, parent, wait) {
        Ok(terminal) => plan.process.become_command(terminal.as_ref(), parent),
        Err(failure) => failure,
    };
    report::send_failure(parent, failure);
    sys::exit_now(127)
}

// ANCHOR: prepare
fn prepare(plan: &Plan, parent: BorrowedFd<'_>, wait: bool) -> Outcome<Option<OwnedFd>> {
    // 1. Neither orphan nor heir: die with the parent, ignore what it ignored no longer.
    process::die_with_parent().at(Step::Parent)?;
    report::parent_lives(parent).at(Step::Parent)?;
    sys::default_signals();
    rustix::process::umask(rustix::fs::Mode::empty());

    // 2. What only the host's user may do, or must be done before the limits could bite.
    if let Some(score) = &plan.oom_score_adj {
        set_oom_score(score)?;
    }
    for group in &plan.cgroups {
        // "0" is whoever writes it (cgroups(7)).
        write(group, b"0").at(Step::CgroupNamespace)?;
    }
    if wait {
        report::wait_for_go(parent).at(Step::Parent)?;
    }

    // 3. Become the root of the new user namespace; before that we are nobody in it.
    if plan.user_namespace {
        become_root_of_namespace().at(Step::UserNamespace)?;
    }
    // From now on no process of the container may look into this one, which still has the engine's memory and files.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Step::Parent)?;

    // 4. The namespaces that have something in them to set.
    if plan.cgroup_namespace {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWCGROUP)
            .map_err(|errno| Errno::from_raw_os_error(errno as i32))
            .at(Step::CgroupNamespace)?;
    }
    if plan.network_namespace {
        sys::loopback_up().at(Step::Loopback)?;
    }
    if let Some(name) = &plan.hostname {
        rustix::system::sethostname(name.to_bytes()).at(Step::Hostname)?;
    }
    if let Some(name) = &plan.domainname {
        rustix::system::setdomainname(name.to_bytes()).at(Step::Domainname)?;
    }

    // 5. The filesystem, the terminal in it, and into it.
    let filesystem = &plan.filesystem;
    filesystem.build()?;
    let root = filesystem.root.as_fd();
    let terminal = plan.process.open_terminal(root, parent).at(Step::Terminal)?;
    if let Some(slave) = &terminal {
        crate::terminal::bind_console(root, slave).at(Step::Console)?;
    }
    make_cwd(root, &plan.process.cwd)?;
    filesystem.protect()?;
    filesystem.pivot()?;
    Ok(terminal)
}
// ANCHOR_END: prepare

/// Docker makes the working directory if the image does not have it.
fn make_cwd(root: BorrowedFd<'_>, cwd: &CString) -> Outcome {
    beneath::make(root, cwd, Make::Folder).map(drop).at(Step::MakeCwd)
}

/// oom_score_adj of proc(5). As long as the host's /proc is there; the file belongs to us only while we are dumpable.
fn set_oom_score(score: &[u8]) -> Outcome {
    set_dumpable_behavior(DumpableBehavior::Dumpable).at(Step::OomScore)?;
    let file = beneath::open_host(c"/proc/self/oom_score_adj", OFlags::WRONLY).at(Step::OomScore)?;
    write(&file, score).map(drop).at(Step::OomScore)
}

pub(crate) fn become_root_of_namespace() -> rustix::io::Result<()> {
    let root = Uid::ROOT;
    let group = rustix::fs::Gid::ROOT;
    thread::set_thread_res_gid(group, group, group)?;
    thread::set_thread_res_uid(root, root, root)?;
    // The change of user has cleared it.
    process::die_with_parent()
}
