//! A detached overlay mount on kernels before 6.7, which cannot take lower folders one at a time.
//!
//! There fsconfig(2) would have to carry all layers in one string of 255 bytes. mount(2) takes 4096, but mounts into
//! the tree: so a thread steps into a mount namespace of its own, mounts there, and takes the mount out with
//! open_tree(2). The namespace ends with the thread.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::thread;

use nix::mount::{MsFlags, mount as mount_into_tree};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::CWD;
use rustix::mount::{OpenTreeFlags, open_tree};

use crate::error::{Error, Result};
use crate::overlay::{Stack, folders, open_folder};

/// Makes the detached mount.
pub(crate) fn mount(stack: &Stack<'_>) -> Result<OwnedFd> {
    // In a thread that does nothing else: what it unshares is gone with it.
    thread::scope(|scope| scope.spawn(|| mount_and_take(stack)).join()).unwrap_or_else(|_| {
        Err(Error::Overlay { step: "start a thread", source: io::ErrorKind::Other.into(), message: String::new() })
    })
}

fn mount_and_take(stack: &Stack<'_>) -> Result<OwnedFd> {
    let failed = |step| move |errno: nix::Error| Error::Overlay { step, source: errno.into(), message: String::new() };
    unshare(CloneFlags::CLONE_NEWNS).map_err(failed("unshare"))?;
    let none = None::<&str>;
    // Without this the mount would propagate to the host.
    mount_into_tree(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).map_err(failed("make private"))?;

    // Opened only now: overlayfs takes no folder of another mount namespace. They are given by number, relative to
    // /proc/thread-self/fd, so that 500 of them fit into a page.
    let open = |(key, folder)| Ok((key, open_folder(folder)?));
    let opened: Vec<(&str, OwnedFd)> =
        folders(stack.lower, stack.upper_work).into_iter().map(open).collect::<Result<_>>()?;
    let (lower, upper_work): (Vec<_>, Vec<_>) = opened.iter().partition(|(key, _)| *key == "lowerdir+");
    let lower: Vec<_> = lower.iter().map(|(_, folder)| folder.as_raw_fd().to_string()).collect();
    let mut options = format!("lowerdir={}", lower.join(":"));
    for (key, folder) in &upper_work {
        options += &format!(",{key}={}", folder.as_raw_fd());
    }
    let flags = if upper_work.is_empty() { MsFlags::MS_RDONLY } else { MsFlags::empty() };
    for (key, value) in stack.options() {
        options += &value.map_or_else(|| format!(",{key}"), |value| format!(",{key}={value}"));
    }
    nix::unistd::chdir("/proc/thread-self/fd").map_err(failed("change folder"))?;
    mount_into_tree(Some("overlay"), "/proc/sys", Some("overlay"), flags, Some(options.as_str()))
        .map_err(failed("mount"))?;
    open_tree(CWD, "/proc/sys", OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)
        .map_err(|errno| Error::Overlay { step: "open", source: errno.into(), message: String::new() })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn all_layers_fit_into_one_page() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: String| {
            let path = folder.path().join(&name);
            fs::create_dir(&path).unwrap();
            path
        };
        let lower: Vec<PathBuf> = (0..500).map(|number| make(format!("layer:{number},"))).collect();
        for (number, layer) in lower.iter().enumerate() {
            fs::write(layer.join("top"), number.to_string()).unwrap();
        }
        let (upper, work) = (make("upper".to_string()), make("work".to_string()));
        let stack = Stack {
            lower: &lower,
            upper_work: Some((&upper, &work)),
            volatile: true,
            userxattr: crate::sys::in_user_namespace(),
        };
        let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = match mount(&stack) {
            Err(Error::Overlay { step: "unshare", source, .. }) => {
                crate::not_run::not_run(
                    "all_layers_fit_into_one_page",
                    &format!("a mount namespace is refused here: {source}"),
                );
                return;
            }
            result => result.unwrap(),
        };
        let seen = PathBuf::from(format!("/proc/self/fd/{}/.", mount.as_raw_fd()));
        assert_eq!(fs::read_to_string(seen.join("top")).unwrap(), "499");
        fs::write(seen.join("new"), "").unwrap();
        assert!(upper.join("new").exists());
        assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before, "the mount is detached");
    }
}
