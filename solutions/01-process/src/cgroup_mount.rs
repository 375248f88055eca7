//! /sys/fs/cgroup, as the container sees it.
//!
//! A container sees the groups that are its own and no others: the hierarchy it was born into, and each v1 controller
//! that one of its limits needed, by a bind mount of its own folder. So `cat
//! /sys/fs/cgroup/memory/memory.limit_in_bytes` tells its own limit, as programs expect that size themselves by it. On
//! a host with the unified hierarchy alone, its own folder is /sys/fs/cgroup itself.

use std::ffi::CString;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::mount::MountFlags;

use crate::cgroup::Cgroup;
use crate::mount_options::MountOptions;
use crate::mounts::{Filesystem, Kind, Mount, inside, tree};
use crate::report::Step;
use crate::{Error, Result, c_string, oci};

const HOST: &str = "/sys/fs/cgroup";

/// The mounts for the specification's mount of type `cgroup`. `private`: the container has a cgroup namespace.
pub(crate) fn plan(mount: &oci::Mount, cgroup: Option<&Cgroup>, private: bool) -> Result<Vec<Mount>> {
    let options = MountOptions::parse(mount.options().as_deref().unwrap_or_default())?;
    let bind = |source: &Path, destination: &Path| {
        let label = label(destination);
        let kind = tree(source, true, &options).map_err(|error| Error::start(Step::Mount, label.clone(), error))?;
        Ok(Mount { destination: inside(destination)?, kind, label })
    };
    let place = mount.destination();
    tracing::info!(
        target: "explain",
        man = "cgroups(7)",
        shell = format!("mount --bind {HOST}/… ROOT{}", place.display()),
        "showing the container's own cgroups on {}", place.display()
    );
    if !private {
        // The host's view was asked for: all of it.
        return Ok(vec![bind(Path::new(HOST), place)?]);
    }
    let own = own_folders(cgroup)?;
    match own.as_slice() {
        // The unified hierarchy alone.
        [Own { name: None, folder }] => Ok(vec![bind(folder, place)?]),
        [] => Ok(vec![new_filesystem("cgroup2", place, &options, "")?]),
        several => {
            let open = MountOptions { flags: options.flags - MountFlags::RDONLY, ..MountOptions::default() };
            let mut mounts = vec![new_filesystem("tmpfs", place, &open, "mode=755,size=4k")?];
            for Own { name, folder } in several {
                mounts.push(bind(folder, &place.join(name.as_deref().unwrap_or("unified")))?);
            }
            if options.flags.contains(MountFlags::RDONLY) {
                mounts.push(Mount { destination: inside(place)?, kind: Kind::Seal, label: label(place) });
            }
            Ok(mounts)
        }
    }
}

/// One of the container's cgroup folders on the host.
struct Own {
    /// Its hierarchy's name beneath /sys/fs/cgroup; none, if the hierarchy is mounted right there.
    name: Option<String>,
    folder: PathBuf,
}

fn own_folders(cgroup: Option<&Cgroup>) -> Result<Vec<Own>> {
    let Some(cgroup) = cgroup else { return Ok(Vec::new()) };
    let unified = cgroup.fd().map(|fd| path_of(fd.as_raw_fd())).transpose()?;
    let mut folders: Vec<PathBuf> = unified.into_iter().collect();
    for procs in cgroup.joins()? {
        // …/memory/kesako/ID/cgroup.procs
        folders.extend(path_of(procs.as_raw_fd())?.parent().map(Path::to_path_buf));
    }
    let on_top = Path::new(HOST).join("cgroup.controllers").exists();
    let name = |folder: &Path| {
        let hierarchy = folder.strip_prefix(HOST).ok()?.components().next()?;
        Some(hierarchy.as_os_str().to_string_lossy().into_owned()).filter(|_| !on_top)
    };
    Ok(folders.into_iter().map(|folder| Own { name: name(&folder), folder }).collect())
}

fn path_of(fd: i32) -> Result<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{fd}")).map_err(|source| Error::System {
        step: "cannot find the container's cgroup in /proc/self/fd".to_owned(),
        source,
    })
}

fn new_filesystem(fstype: &str, place: &Path, options: &MountOptions, data: &str) -> Result<Mount> {
    let kind = Kind::New(Filesystem {
        fstype: c_string(fstype)?,
        source: c_string(fstype)?,
        flags: options.flags,
        data: c_string(data)?,
        data_without_gid: CString::default(),
        propagation: None,
        instead: None,
        no_links: true,
    });
    Ok(Mount { destination: inside(place)?, kind, label: label(place) })
}

fn label(place: &Path) -> String {
    format!("error mounting \"cgroup\" to rootfs at {place:?}")
}
