//! Where this machine keeps its cgroups.
//!
//! There are two kinds, and a machine may have both. In **v2** one tree holds every group, and a folder's
//! `cgroup.controllers` says what can be limited there. In **v1** every controller has a tree of its own. A **hybrid**
//! machine has v1 trees for the controllers and an empty v2 tree beside them, which can still freeze, kill, list, and
//! filter devices (cgroups(7)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

/// A thing that can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Cpu,
    Cpuset,
    Pids,
    Devices,
    Freezer,
}

impl Controller {
    /// Its name in mount options and in `cgroup.controllers`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Cpuset => "cpuset",
            Self::Pids => "pids",
            Self::Devices => "devices",
            Self::Freezer => "freezer",
        }
    }
}

/// The folder that holds all of Kesako's groups, in every tree.
const PARENT: &str = "kesako";

/// The unified (v2) tree's mount point. The usual two places are tried first, since the mount table of a busy machine
/// is long.
pub(super) fn unified() -> Option<PathBuf> {
    let usual = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let found = usual.iter().map(PathBuf::from).find(|path| is_cgroup2(path));
    found.or_else(|| mounts().into_iter().find(|mount| mount.kind == "cgroup2").map(|mount| mount.point))
}

/// The mount point of a v1 controller's tree.
pub(super) fn v1(controller: Controller) -> Option<PathBuf> {
    let has =
        |mount: &Mount| mount.kind == "cgroup" && mount.options.split(',').any(|option| option == controller.name());
    mounts().into_iter().find(has).map(|mount| mount.point)
}

/// Where groups may be made in the tree mounted here: at its top (root; or in a container, whose top is its own
/// group), else beneath the group this process is in, where that was delegated to the user.
pub(super) fn places(mount: &Path, controller: Option<Controller>) -> Vec<PathBuf> {
    let mut places = vec![mount.join(PARENT)];
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    places.extend(
        own_group(&own, controller)
            .filter(|group| group != "/")
            .map(|group| mount.join(group.trim_start_matches('/')).join(PARENT)),
    );
    places
}

/// This process's group in one tree, from the lines of `/proc/self/cgroup`: `0::/path` for v2, `4:memory:/path` for v1.
fn own_group(text: &str, controller: Option<Controller>) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let same = match controller {
            None => controllers.is_empty(),
            Some(wanted) => controllers.split(',').any(|name| name == wanted.name()),
        };
        same.then(|| path.to_owned())
    })
}

/// Makes `<place>/<name>`, in the first place where that is allowed.
///
/// The parent may be removed by whoever removes the last group in it, at any moment: then it is made again.
pub(super) fn make(mount: &Path, controller: Option<Controller>, name: &str) -> io::Result<PathBuf> {
    let mut refusal = None;
    for place in places(mount, controller) {
        let path = place.join(name);
        for _ in 0..100 {
            match fs::create_dir(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(path),
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    refusal.get_or_insert(error);
                    break;
                }
                Err(_) => match fs::create_dir(&place) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => {
                        refusal.get_or_insert(error);
                        break;
                    }
                },
            }
        }
    }
    Err(refusal.unwrap_or_else(|| io::Error::from(io::ErrorKind::NotFound)))
}

/// Finds `<place>/<name>`.
pub(super) fn find(mount: &Path, controller: Option<Controller>, name: &str) -> Option<PathBuf> {
    places(mount, controller).into_iter().map(|place| place.join(name)).find(|path| path.is_dir())
}

/// A new v1 cpuset is empty, and nothing can run in it: it gets what its parent has.
pub(super) fn inherit_cpuset(mount: &Path, folder: &Path) -> io::Result<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    if parent.starts_with(mount) && parent != mount {
        inherit_cpuset(mount, parent)?;
    }
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let own = folder.join(file);
        if own.exists() && fs::read_to_string(&own)?.trim().is_empty() {
            fs::write(own, fs::read_to_string(parent.join(file))?.trim())?;
        }
    }
    Ok(())
}

/// Names of the groups that Kesako has in this tree.
pub(super) fn names(mount: &Path, controller: Option<Controller>) -> Vec<String> {
    let entries =
        places(mount, controller).into_iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// A line of the mount table that is about cgroups.
struct Mount {
    point: PathBuf,
    kind: String,
    options: String,
}

/// The cgroup mounts of this process's mount namespace (proc_pid_mountinfo(5)).
fn mounts() -> Vec<Mount> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().filter_map(parse_mount).collect()
}

/// `36 35 98:0 / /mnt rw shared:1 - ext4 /dev/root rw,errors=continue`: the fields that matter are the fifth, and the
/// three after the dash. A blank in a path is written `\040`.
fn parse_mount(line: &str) -> Option<Mount> {
    let (front, back) = line.split_once(" - ")?;
    let mut back = back.split(' ');
    let kind = back.next().filter(|kind| kind.starts_with("cgroup"))?;
    let point = front.split(' ').nth(4)?.replace("\\040", " ");
    Some(Mount { point: point.into(), kind: kind.to_owned(), options: back.nth(1)?.to_owned() })
}

fn is_cgroup2(path: &Path) -> bool {
    const CGROUP2_SUPER_MAGIC: i64 = 0x6367_7270;
    let folder = rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    folder.and_then(rustix::fs::fstatfs).is_ok_and(|stat| stat.f_type == CGROUP2_SUPER_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_of_a_hybrid_machine() {
        let line = "35 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct";
        let mount = parse_mount(line).unwrap();
        assert_eq!((mount.point.to_str().unwrap(), mount.kind.as_str()), ("/sys/fs/cgroup/cpu,cpuacct", "cgroup"));
        assert!(mount.options.split(',').any(|option| option == Controller::Cpu.name()));
        assert!(parse_mount("23 1 8:1 / / rw - ext4 /dev/sda1 rw").is_none());
        assert_eq!(parse_mount("1 2 0:1 / /a\\040b rw - cgroup2 none rw").unwrap().point, Path::new("/a b"));
    }

    #[test]
    fn the_own_group_is_found_in_either_kind_of_tree() {
        let text = "4:memory:/docker/abc\n3:cpu,cpuacct:/x\n1:name=systemd:/s\n0::/user.slice/a:b\n";
        assert_eq!(own_group(text, None).as_deref(), Some("/user.slice/a:b"));
        assert_eq!(own_group(text, Some(Controller::Memory)).as_deref(), Some("/docker/abc"));
        assert_eq!(own_group(text, Some(Controller::Cpu)).as_deref(), Some("/x"));
        assert_eq!(own_group(text, Some(Controller::Pids)), None);
    }
}
