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
        let mut namespaces = Self::default();
        for namespace in wanted {
            namespaces.named.push(namespace.typ());
            match namespace.path().as_ref().filter(|path| !path.as_os_str().is_empty()) {
                None => namespaces.make(namespace.typ()),
                Some(path) => namespaces.joined.push(Joined::open(namespace.typ(), path)?),
            }
        }
        if namespaces.flags & libc::CLONE_NEWNS as u64 == 0 {
            return Err(Error::Unsupported("a container needs a mount namespace of its own".to_owned()));
        }
        Ok(namespaces)
    }

    fn make(&mut self, kind: Kind) {
        let (flag, option, what) = match kind {
            Kind::Mount => (libc::CLONE_NEWNS, "--mount", "its own mounts"),
            Kind::Uts => (libc::CLONE_NEWUTS, "--uts", "its own hostname"),
            Kind::Ipc => (libc::CLONE_NEWIPC, "--ipc", "its own System V IPC and message queues"),
            Kind::Pid => (libc::CLONE_NEWPID, "--pid --fork", "its own process numbers, from 1"),
            Kind::Network => (libc::CLONE_NEWNET, "--net", "its own network, with a loopback interface"),
            Kind::User => (libc::CLONE_NEWUSER, "--user", "its own users"),
            Kind::Cgroup => (0, "--cgroup", "its own root of the cgroup tree"),
            // CLONE_NEWTIME, which clone(2) cannot take and clone3(2) can.
            Kind::Time => (0x80, "--time", "its own clocks"),
        };
        self.flags |= flag as u64;
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
