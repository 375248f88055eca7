//! /dev: the device files every program expects, and those that were asked for.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::fs::{self, AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::{Errno, Result};
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};

use crate::beneath::{self, Make};
use crate::mounts::inside;
use crate::report::{At, Outcome, Step};
use crate::{Result as CrateResult, c_string, oci};

/// A device file to make.
#[derive(Debug)]
pub(crate) struct Device {
    /// In the container, relative to its root.
    pub path: CString,
    /// The same device on the host, to be bound where mknod(2) is not allowed.
    host: CString,
    kind: FileType,
    number: u64,
    mode: Mode,
    owner: Option<(Uid, Gid)>,
}

/// What a container always has (OCI runtime specification, config-linux.md, "Default Devices").
const DEFAULT: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Links in /dev that shells and daemons expect. The last is there on hosts that have it; it is masked in the container.
const LINKS: [(&CStr, &CStr); 6] = [
    (c"/proc/self/fd", c"fd"),
    (c"/proc/self/fd/0", c"stdin"),
    (c"/proc/self/fd/1", c"stdout"),
    (c"/proc/self/fd/2", c"stderr"),
    (c"pts/ptmx", c"ptmx"),
    (c"/proc/kcore", c"core"),
];

/// The default devices and the specification's.
pub(crate) fn plan(devices: &[oci::LinuxDevice]) -> CrateResult<Vec<Device>> {
    let mut plan = Vec::with_capacity(DEFAULT.len() + devices.len());
    for (name, major, minor) in DEFAULT {
        plan.push(Device {
            path: c_string(&format!("dev/{name}"))?,
            host: c_string(&format!("/dev/{name}"))?,
            kind: FileType::CharacterDevice,
            number: fs::makedev(major, minor),
            mode: Mode::from_raw_mode(0o666),
            owner: None,
        });
    }
    for device in devices {
        let path = inside(device.path())?;
        if plan.iter().any(|known| known.path == path) {
            continue;
        }
        let kind = match device.typ() {
            oci::LinuxDeviceType::B => FileType::BlockDevice,
            oci::LinuxDeviceType::P => FileType::Fifo,
            _ => FileType::CharacterDevice,
        };
        let number = fs::makedev(device.major() as u32, device.minor() as u32);
        let owner = (device.uid().unwrap_or(0), device.gid().unwrap_or(0));
        plan.push(Device {
            path,
            host: host_path(device.path(), kind, number)?,
            kind,
            number,
            mode: Mode::from_raw_mode(device.file_mode().unwrap_or(0o666)),
            owner: (owner != (0, 0)).then(|| (Uid::from_raw(owner.0), Gid::from_raw(owner.1))),
        });
    }
    tracing::info!(
        target: "explain",
        man = "mknod(2)",
        shell = "mknod -m 666 ROOT/dev/null c 1 3 # and so on",
        "making the {} device files a program expects in /dev", plan.len()
    );
    Ok(plan)
}

/// Where the host has this device: at the same path, or where the kernel itself names it (sysfs).
fn host_path(path: &Path, kind: FileType, number: u64) -> CrateResult<CString> {
    let same = std::fs::metadata(path).is_ok_and(|found| {
        found.rdev() == number && (found.file_type().is_char_device() || found.file_type().is_block_device())
    });
    if !same {
        let folder = if kind == FileType::BlockDevice { "block" } else { "char" };
        let uevent = format!("/sys/dev/{folder}/{}:{}/uevent", fs::major(number), fs::minor(number));
        let text = std::fs::read_to_string(uevent).unwrap_or_default();
        if let Some(name) = text.lines().find_map(|line| line.strip_prefix("DEVNAME=")) {
            return c_string(&format!("/dev/{name}"));
        }
    }
    c_string(&path.to_string_lossy())
}

/// Makes the links and the files. `root` is the container's; its /dev is a fresh tmpfs.
pub(crate) fn make(root: BorrowedFd<'_>, devices: &[Device]) -> Outcome {
    let dev = beneath::open_no_links(root, c"dev", OFlags::PATH | OFlags::DIRECTORY).at(Step::DeviceFolder)?;
    for (target, name) in LINKS {
        if name == c"core" && fs::access(c"/proc/kcore", fs::Access::EXISTS).is_err() {
            continue;
        }
        match fs::symlinkat(target, &dev, name) {
            Ok(()) | Err(Errno::EXIST) => {}
            failed => failed.at(Step::DeviceFolder)?,
        }
    }
    for (index, device) in devices.iter().enumerate() {
        make_one(root, dev.as_fd(), device).at_index(Step::Device, index)?;
    }
    Ok(())
}

fn make_one(root: BorrowedFd<'_>, dev: BorrowedFd<'_>, device: &Device) -> Result<()> {
    // Nearly all are right in /dev, which is open already.
    let direct = device.path.to_bytes().strip_prefix(b"dev/").is_some_and(|rest| !rest.contains(&b'/'));
    let elsewhere;
    let (folder, name) = if direct {
        let bytes = device.path.to_bytes_with_nul();
        (dev, CStr::from_bytes_with_nul(&bytes[4..]).map_err(|_| Errno::INVAL)?)
    } else {
        let (parent, name) = beneath::make_parent(root, &device.path)?;
        elsewhere = parent;
        (elsewhere.as_fd(), name)
    };
    match fs::mknodat(folder, name, device.kind, device.mode, device.number) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(()),
        // Only the host's own root may make devices; the root of a user namespace borrows the host's.
        Err(Errno::PERM) => return bind(root, device),
        Err(error) => return Err(error),
    }
    if let Some((uid, gid)) = device.owner {
        fs::chownat(folder, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(())
}

fn bind(root: BorrowedFd<'_>, device: &Device) -> Result<()> {
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, &device.host, clone)?;
    if fs::fstat(&tree)?.st_rdev != device.number {
        return Err(Errno::NXIO);
    }
    let place = beneath::make(root, &device.path, Make::File)?;
    let by_descriptor = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&tree, c"", &place, c"", by_descriptor)
}
