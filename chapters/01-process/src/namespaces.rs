//! Which namespaces a container gets (namespaces(7)).
//!
//! Each kind is new, joined, or the engine's own: a specification names it alone, names it with a path, or does not name it. New ones
//! come from the clone itself; joined ones are entered just before it (`birth.rs`).

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::report::{At, Outcome, Step};
use crate::{Error, Result, oci};
use oci::LinuxNamespaceType as Kind;

/// linux/sched.h; clone(2) cannot take it, and so the C library does not name it, but clone3(2) can.
const CLONE_NEWTIME: u64 = 0x80;

/// The flags of clone3(2) that give a container its new namespaces.
///
/// `wanted` is `linux.namespaces` of its specification: one entry for each kind of namespace (`Kind`, in this file) that it does
/// not share with the host: its kind is `entry.typ()`, its path `entry.path()`. An entry without a path, or with an empty one, is a namespace to be made, and clone(2) has a flag for each
/// kind: `libc::CLONE_NEWUTS as u64` for a hostname of its own, … (namespaces(7) has the table). An entry with a path (`docker run
/// --network container:web`) is a namespace that exists already, which is joined, not made.
///
/// One kind is not for the clone, a cgroup namespace: its root is the cgroup that its maker is in (cgroup_namespaces(7)), which would be the
/// engine's. The child makes it later, when it is where it belongs.
pub fn clone_flags(wanted: &[oci::LinuxNamespace]) -> u64 {
    // exercise: 1.2 clone_flags: a flag for each namespace that is to be new
    todo!("exercise 1.2, clone_flags: a flag for each namespace that is to be new")
    // end exercise
}

/// The plan for all of them.
#[derive(Debug, Default)]
pub(crate) struct Namespaces {
    /// `CLONE_NEW…` flags for the clone.
    pub flags: u64,
    pub user: bool,
    pub network: bool,
    /// Made by the child after it is in its cgroup, since the namespace's root is the cgroup of its maker.
    pub cgroup: bool,
    joined: Vec<Joined>,
    /// All that are not the engine's own.
    named: Vec<Kind>,
}

#[derive(Debug)]
struct Joined {
    kind: LinkNameSpaceType,
    there: OwnedFd,
}

impl Namespaces {
    pub(crate) fn new(wanted: &[oci::LinuxNamespace]) -> Result<Self> {
        let mut namespaces = Self { flags: clone_flags(wanted), ..Self::default() };
        for namespace in wanted {
            namespaces.named.push(namespace.typ());
            match namespace.path().as_ref().filter(|path| !path.as_os_str().is_empty()) {
                None => namespaces.will_make(namespace.typ()),
                Some(path) => namespaces.joined.push(Joined::open(namespace.typ(), path)?),
            }
        }
        if namespaces.flags & libc::CLONE_NEWNS as u64 == 0 {
            return Err(Error::Unsupported("a container needs a mount namespace of its own".to_owned()));
        }
        Ok(namespaces)
    }

    fn will_make(&mut self, kind: Kind) {
        let (option, what) = match kind {
            Kind::Mount => ("--mount", "its own mounts"),
            Kind::Uts => ("--uts", "its own hostname"),
            Kind::Ipc => ("--ipc", "its own System V IPC and message queues"),
            Kind::Pid => ("--pid --fork", "its own process numbers, from 1"),
            Kind::Network => ("--net", "its own network, with a loopback interface"),
            Kind::User => ("--user", "its own users"),
            Kind::Cgroup => ("--cgroup", "its own root of the cgroup tree"),
            Kind::Time => ("--time", "its own clocks"),
        };
        self.user |= kind == Kind::User;
        self.network |= kind == Kind::Network;
        self.cgroup |= kind == Kind::Cgroup;
        tracing::info!(target: "explain", man = "clone3(2)", shell = format!("unshare {option}"), "giving the container {what}");
    }

    /// Some filesystems show a namespace, and only who owns that may mount them. Where it is the host's, an ordinary user can have the
    /// host's own mount of it instead.
    pub(crate) fn host_mount(&self, fstype: &str) -> Option<&'static std::ffi::CStr> {
        let (kind, place) = match fstype {
            "proc" => (Kind::Pid, c"/proc"),
            "sysfs" => (Kind::Network, c"/sys"),
            "mqueue" => (Kind::Ipc, c"/dev/mqueue"),
            _ => return None,
        };
        (!self.named.contains(&kind)).then_some(place)
    }

    /// Whether anything is to be joined.
    pub(crate) fn joins(&self) -> bool {
        !self.joined.is_empty()
    }

    /// Enters what is joined. Async-signal-safe.
    pub(crate) fn enter(&self) -> Outcome {
        let mut joined = self.joined.iter().enumerate();
        joined.try_for_each(|(index, joined)| {
            move_into_link_name_space(joined.there.as_fd(), Some(joined.kind)).at_index(Step::EnterNamespaces, index)
        })
    }
}

impl Joined {
    fn open(kind: Kind, path: &std::path::Path) -> Result<Self> {
        let (kind, name) = match kind {
            Kind::Uts => (LinkNameSpaceType::HostNameAndNISDomainName, "uts"),
            Kind::Ipc => (LinkNameSpaceType::InterProcessCommunication, "ipc"),
            Kind::Pid => (LinkNameSpaceType::ProcessID, "pid"),
            Kind::Network => (LinkNameSpaceType::Network, "net"),
            Kind::Cgroup => (LinkNameSpaceType::ControlGroup, "cgroup"),
            Kind::Mount | Kind::User | Kind::Time => {
                return Err(Error::Unsupported(format!("joining a {kind} namespace by path is not supported")));
            }
        };
        let there =
            File::open(path).map_err(|source| Error::System { step: format!("open {}", path.display()), source })?;
        tracing::info!(
            target: "explain",
            man = "setns(2)",
            shell = format!("nsenter --{name}={}", path.display()),
            "sharing the {name} namespace of {}", path.display()
        );
        Ok(Self { kind, there: OwnedFd::from(there) })
    }
}
