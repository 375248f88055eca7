//! Kernel parameters of the container alone (sysctl(8)).
//!
//! Most parameters belong to the machine. Those of the network, of System V IPC and of message queues have a value in
//! each namespace; only these may be set, and only where the container has that namespace to itself.

use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::BorrowedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::{Error, Result, oci};
use oci::LinuxNamespaceType as Namespace;

/// The parameters of an IPC namespace; see ipc_namespaces(7).
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Parameters as files beneath `/proc/sys`, and what is to be written to them.
#[derive(Debug, Clone, Default)]
pub struct Prepared(Vec<(CString, Vec<u8>)>);

impl Prepared {
    /// # Errors
    /// A parameter of the whole machine, or one whose namespace the container shares with the host, in runc's words.
    pub fn new(sysctls: &HashMap<String, String>, namespaces: &[oci::LinuxNamespace]) -> Result<Self> {
        let private = |wanted| namespaces.iter().any(|namespace| namespace.typ() == wanted);
        let mut prepared = vec![];
        for (name, value) in sysctls {
            let refuse = |why: &str| Error::Sysctl(format!("sysctl {name:?} {why}"));
            match namespace_of(name) {
                Some(Namespace::Network) if !private(Namespace::Network) => {
                    return Err(refuse("not allowed in host network namespace"));
                }
                Some(Namespace::Ipc) if !private(Namespace::Ipc) => {
                    return Err(refuse("is not allowed in the hosts ipc namespace"));
                }
                Some(_) => {}
                None => return Err(refuse("is not in a separate kernel namespace")),
            }
            let path = path(name).ok_or_else(|| refuse("is not in a separate kernel namespace"))?;
            tracing::info!(
                target: "explain",
                man = "sysctl(8)",
                shell = format!("sysctl -w {name}='{value}'"),
                "setting {name} in the container's own namespace"
            );
            prepared.push((path, value.clone().into_bytes()));
        }
        prepared.sort();
        Ok(Self(prepared))
    }

    /// Writes them all, from inside the container's namespaces, beneath its `/proc/sys`. Async-signal-safe.
    ///
    /// # Errors
    /// Which parameter failed ([`Prepared::name`]), and why.
    pub fn apply(&self, proc_sys: BorrowedFd<'_>) -> Result<(), (usize, rustix::io::Errno)> {
        for (index, (path, value)) in self.0.iter().enumerate() {
            // Neither a link nor another mount on the way: an image's link can have led one of the container's mounts
            // here, and the value would go to a file of the host's (CVE-2025-52881).
            let flags = OFlags::WRONLY | OFlags::CLOEXEC;
            let exactly = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
            let file = rustix::fs::openat2(proc_sys, path, flags, Mode::empty(), exactly);
            file.and_then(|file| rustix::io::write(&file, value)).map_err(|error| (index, error))?;
        }
        Ok(())
    }

    /// The file of a parameter, beneath /proc/sys.
    pub fn name(&self, index: usize) -> Option<std::borrow::Cow<'_, str>> {
        self.0.get(index).map(|(path, _)| path.to_string_lossy())
    }

    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Which namespace holds a parameter; none, if it is the machine's.
fn namespace_of(name: &str) -> Option<Namespace> {
    if name.starts_with("net.") {
        Some(Namespace::Network)
    } else if name.starts_with("fs.mqueue.") || IPC.contains(&name) {
        Some(Namespace::Ipc)
    } else {
        None
    }
}

/// `net.ipv4.conf.eth0/1.forwarding` is the file `net/ipv4/conf/eth0.1/forwarding`, as in sysctl(8). A name that would
/// leave its folder has no file.
fn path(name: &str) -> Option<CString> {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path: String = name.chars().map(swap).collect();
    let inside = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if inside { CString::new(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepare(name: &str, namespaces: &[Namespace]) -> Result<Prepared> {
        let namespaces: Vec<_> =
            namespaces.iter().map(|typ| oci::LinuxNamespaceBuilder::default().typ(*typ).build().unwrap()).collect();
        Prepared::new(&HashMap::from([(name.to_owned(), "1".to_owned())]), &namespaces)
    }

    #[test]
    fn only_what_a_namespace_holds_may_be_set() {
        let both = [Namespace::Network, Namespace::Ipc];
        let refused = |name, namespaces: &[_]| prepare(name, namespaces).unwrap_err().to_string();
        assert!(!prepare("net.ipv4.ip_forward", &both).unwrap().is_empty());
        assert!(!prepare("kernel.shmmax", &both).unwrap().is_empty());
        assert_eq!(
            refused("kernel.core_pattern", &both),
            "sysctl \"kernel.core_pattern\" is not in a separate kernel namespace"
        );
        assert_eq!(
            refused("net.ipv4.ip_forward", &[Namespace::Ipc]),
            "sysctl \"net.ipv4.ip_forward\" not allowed in host network namespace"
        );
        assert_eq!(
            refused("fs.mqueue.msg_max", &[Namespace::Network]),
            "sysctl \"fs.mqueue.msg_max\" is not allowed in the hosts ipc namespace"
        );
    }

    #[test]
    fn a_value_goes_nowhere_but_to_its_file() {
        use std::os::fd::AsFd;
        let folder = tempfile::tempdir().unwrap();
        let (proc_sys, other) = (folder.path().join("sys"), folder.path().join("other"));
        std::fs::create_dir_all(proc_sys.join("net/ipv4")).unwrap();
        std::fs::write(&other, "untouched").unwrap();
        std::os::unix::fs::symlink(&other, proc_sys.join("net/ipv4/ip_forward")).unwrap();
        let root = std::fs::File::open(&proc_sys).unwrap();
        let prepared = prepare("net.ipv4.ip_forward", &[Namespace::Network]).unwrap();
        assert!(prepared.apply(root.as_fd()).is_err());
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "untouched");
        std::fs::remove_file(proc_sys.join("net/ipv4/ip_forward")).unwrap();
        std::fs::write(proc_sys.join("net/ipv4/ip_forward"), "").unwrap();
        prepared.apply(root.as_fd()).unwrap();
    }

    #[test]
    fn a_name_cannot_climb_out_of_its_folder() {
        assert_eq!(path("net.ipv4.conf.eth0/1.forwarding").unwrap().to_str(), Ok("net/ipv4/conf/eth0.1/forwarding"));
        for name in ["net.//.kernel.core_pattern", "net..ipv4", "net./.x", "net."] {
            assert_eq!(path(name), None, "{name}");
        }
    }
}
