//! The specification's mounts, made ready.
//!
//! A bind mount is cloned here, in the parent, as a detached tree: host paths are resolved with the parent's rights,
//! options are set before anybody can see the mount, and the child has only to move it into place. A new filesystem is
//! mounted by the child, since a proc shows the PID namespace of whoever mounts it, a sysfs the network namespace, an
//! mqueue the IPC namespace.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, OpenTreeFlags, open_tree};

use crate::mount_options::{self, MountOptions, RDONLY};
use crate::namespaces::Namespaces;
use crate::report::Step;
use crate::sys::{MountAttributes, mount_setattr};
use crate::{Error, Result, c_string, oci};

/// One mount of the plan.
#[derive(Debug)]
pub(crate) struct Mount {
    /// In the container, relative to its root.
    pub destination: CString,
    pub kind: Kind,
    /// What to say if it fails, in runc's words.
    pub label: String,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// A new filesystem, by mount(2).
    New(Filesystem),
    /// A detached tree, by move_mount(2).
    Tree { tree: OwnedFd, folder: bool },
    /// Nothing more is to be made in what is mounted there: read-only from now on.
    Seal,
}

#[derive(Debug)]
pub(crate) struct Filesystem {
    pub fstype: CString,
    pub source: CString,
    pub flags: MountFlags,
    pub data: CString,
    /// What to try when the kernel does not know the group of `data` (a user namespace with one ID has no group 5).
    pub data_without_gid: CString,
    pub propagation: Option<MountPropagationFlags>,
    /// What to show when the kernel does not let us mount it.
    pub instead: Option<&'static CStr>,
    /// Its place in the container may not be a symbolic link: others look for it by that name.
    pub no_links: bool,
}

impl Mount {
    pub(crate) fn new(mount: &oci::Mount, namespaces: &Namespaces) -> Result<Self> {
        let options = MountOptions::parse(mount.options().as_deref().unwrap_or_default())?;
        if mount.uid_mappings().is_some() || mount.gid_mappings().is_some() {
            return Err(Error::Unsupported("ID-mapped mounts are not supported".to_owned()));
        }
        let destination = inside(mount.destination())?;
        let fstype = mount.typ().as_deref().unwrap_or(if options.bind { "bind" } else { "" });
        let source = mount.source().as_deref().unwrap_or(Path::new(""));
        let is_bind = options.bind || fstype == "bind";
        refuse_disguise(mount, if is_bind { is_proc(source) } else { fstype == "proc" })?;
        let kind = if is_bind {
            tell_bind(source, mount.destination(), &options);
            let recursive = options.recursive;
            tree(source, recursive, &options).map_err(|error| Error::start(Step::Mount, label(mount), error))?
        } else {
            let instead = namespaces.host_mount(fstype);
            let filesystem = Filesystem { instead, ..filesystem(fstype, mount, &options)? };
            tracing::info!(
                target: "explain",
                man = "mount(2)",
                shell = format!("mount -t {fstype} {fstype} ROOT{}", mount.destination().display()),
                "mounting a {fstype} of the container's own on {}", mount.destination().display()
            );
            Kind::New(filesystem)
        };
        Ok(Self { destination, kind, label: label(mount) })
    }
}

/// The files of /proc that may be replaced: lxcfs(1) shows a container its own limits there.
const REPLACEABLE: [&str; 11] = [
    "cpuinfo",
    "diskstats",
    "loadavg",
    "meminfo",
    "net/dev",
    "slabinfo",
    "stat",
    "swaps",
    "sys/crypto/fips_enabled",
    "sys/kernel/ns_last_pid",
    "uptime",
];

/// Refuses to mount something in the place of /proc, or in it: an image can ask for a volume there, and then what programs believe to
/// hear from the kernel, the image would tell them. runc has the same rule and the same exceptions.
fn refuse_disguise(mount: &oci::Mount, is_proc: bool) -> Result<()> {
    let Ok(within) = mount.destination().strip_prefix("/proc") else { return Ok(()) };
    let why = match within.to_str() {
        Some("") if is_proc => return Ok(()),
        Some("") => "not of type proc",
        Some(file) if REPLACEABLE.contains(&file) => return Ok(()),
        _ => "inside /proc",
    };
    Err(Error::Disguise { label: label(mount), destination: mount.destination().clone(), why })
}

fn is_proc(source: &Path) -> bool {
    rustix::fs::statfs(source).is_ok_and(|found| found.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

/// What the caller has open already, to be seen in the container.
#[derive(Debug)]
pub struct Tree {
    /// In the container.
    pub destination: PathBuf,
    /// A folder or a file, opened with `O_PATH`, or a detached mount.
    pub source: OwnedFd,
    pub readonly: bool,
}

impl Mount {
    /// The mount of a tree that is open.
    pub(crate) fn of_tree(given: &Tree) -> Result<Self> {
        let place = given.destination.display();
        let label = format!("error mounting to rootfs at \"{place}\"");
        let failed = |error| Error::start(Step::Mount, label.clone(), error);
        tracing::info!(
            target: "explain", man = "open_tree(2), move_mount(2)",
            shell = format!("mount --rbind {}/proc/self/fd/{} ROOT{place}", if given.readonly { "-o ro " } else { "" }, given.source.as_raw_fd()),
            "showing it something on {place}"
        );
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_RECURSIVE
            | OpenTreeFlags::AT_EMPTY_PATH;
        let tree = match open_tree(&given.source, c"", flags) {
            // A mount that is attached nowhere cannot be copied before Linux 6.15; nor need it be, nobody else has it.
            Err(Errno::INVAL) => rustix::io::fcntl_dupfd_cloexec(&given.source, 0),
            tree => tree,
        };
        let tree = tree.map_err(failed)?;
        let set = if given.readonly { RDONLY } else { 0 };
        let attributes = MountAttributes { set, propagation: mount_options::PRIVATE, ..MountAttributes::default() };
        mount_setattr(tree.as_fd(), true, attributes).map_err(failed)?;
        let folder = is_folder(&tree).map_err(failed)?;
        Ok(Self { destination: inside(&given.destination)?, kind: Kind::Tree { tree, folder }, label })
    }
}

fn is_folder(tree: &OwnedFd) -> rustix::io::Result<bool> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(tree)?.st_mode) == FileType::Directory)
}

/// A folder or file of the host as a detached tree with these options.
pub(crate) fn tree(source: &Path, recursive: bool, options: &MountOptions) -> rustix::io::Result<Kind> {
    let recursion = if recursive { OpenTreeFlags::AT_RECURSIVE } else { OpenTreeFlags::empty() };
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | recursion;
    let tree = open_tree(CWD, source, clone)?;
    // Private, unless the mount's own options say otherwise: what happens beneath it in the container must not happen
    // on the host.
    let mut wanted = options.attributes;
    let mut propagates_down = options.recursive_propagation;
    if wanted.propagation == 0 {
        (wanted.propagation, propagates_down) = (mount_options::PRIVATE, true);
    }
    let propagation = MountAttributes { propagation: wanted.propagation, ..MountAttributes::default() };
    mount_setattr(tree.as_fd(), propagates_down, propagation)?;
    let own = MountAttributes { propagation: 0, ..wanted };
    if own != MountAttributes::default() {
        mount_setattr(tree.as_fd(), false, own)?;
    }
    if options.recursive_attributes != MountAttributes::default() {
        mount_setattr(tree.as_fd(), true, options.recursive_attributes)?;
    }
    let folder = is_folder(&tree)?;
    Ok(Kind::Tree { tree, folder })
}

fn filesystem(fstype: &str, mount: &oci::Mount, options: &MountOptions) -> Result<Filesystem> {
    let without_gid: Vec<_> =
        options.data.iter().filter(|word| !word.starts_with("gid=")).map(String::as_str).collect();
    let source = mount.source().as_ref().map_or(fstype.to_owned(), |source| source.to_string_lossy().into_owned());
    let propagation = match options.attributes.propagation {
        0 => None,
        kind => {
            let recursion =
                if options.recursive_propagation { MountPropagationFlags::REC } else { MountPropagationFlags::empty() };
            Some(MountPropagationFlags::from_bits_retain(kind as u32) | recursion)
        }
    };
    Ok(Filesystem {
        fstype: c_string(fstype)?,
        source: c_string(&source)?,
        flags: options.flags,
        data: c_string(&options.data.join(","))?,
        data_without_gid: c_string(&without_gid.join(","))?,
        propagation,
        instead: None,
        no_links: matches!(fstype, "proc" | "sysfs"),
    })
}

/// A path of the container, relative to its root.
pub(crate) fn inside(path: &Path) -> Result<CString> {
    let text = path.as_os_str().to_string_lossy();
    let relative = text.trim_start_matches('/');
    c_string(if relative.is_empty() { "." } else { relative })
}

fn label(mount: &oci::Mount) -> String {
    let source = mount.source().as_deref().unwrap_or(Path::new("")).to_string_lossy();
    format!("error mounting {source:?} to rootfs at {:?}", mount.destination())
}

fn tell_bind(source: &Path, destination: &Path, options: &MountOptions) {
    let ro = (options.attributes.set | options.recursive_attributes.set) & RDONLY != 0;
    tracing::info!(
        target: "explain",
        man = "open_tree(2), move_mount(2)",
        shell = format!(
            "mount --{} {}{} ROOT{}",
            if options.recursive { "rbind" } else { "bind" },
            if ro { "-o ro " } else { "" },
            source.display(),
            destination.display()
        ),
        "showing {} of the host as {}{}", source.display(), destination.display(), if ro { ", read-only" } else { "" }
    );
}
