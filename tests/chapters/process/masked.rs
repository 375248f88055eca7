//! 1.4: what the container must not see.

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::Path;

use super::expect::expect;
use super::sandbox::sandboxed;
use process::rootfs::{Covers, mask};
use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountFlags, mount};
use tempfile::TempDir;

/// A folder that stands for a container's root. It is in a filesystem of the sandbox's own, and is gone with that: what is mounted on cannot
/// be removed.
fn root() -> (TempDir, OwnedFd) {
    mount("tmpfs", std::env::temp_dir(), "tmpfs", MountFlags::empty(), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("proc/acpi")).unwrap();
    fs::write(folder.path().join("proc/kcore"), "the password").unwrap();
    fs::write(folder.path().join("proc/keys"), "another").unwrap();
    fs::write(folder.path().join("proc/acpi/wakeup"), "").unwrap();
    let root = open(folder.path(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    (folder, root)
}

/// Masks these paths.
fn masked(root: &OwnedFd, paths: &[&str]) {
    let mut covers = Covers::default();
    for path in paths {
        mask(root.as_fd(), &CString::new(*path).unwrap(), &mut covers).unwrap_or_else(|error| {
            panic!("mask({path:?}) failed: {error}. Of a path that does not exist, there is nothing to hide, and no error to make.")
        });
    }
}

fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

sandboxed! {
    fn a_file_reads_as_empty() {
        let (folder, root) = root();
        masked(&root, &["proc/kcore", "proc/keys"]);
        for name in ["proc/kcore", "proc/keys"] {
            let found = text(&folder, name);
            let why = format!("/{name} is masked, and so must read like /dev/null. Read mount(8), \"Bind mount operation\".");
            expect(&*found, "", &why);
        }
    }

    fn a_folder_is_empty() {
        let (folder, root) = root();
        masked(&root, &["proc/acpi"]);
        let count = fs::read_dir(folder.path().join("proc/acpi")).expect("a masked folder is a folder still").count();
        expect(count, 0, "/proc/acpi is masked, and so must have nothing in it.");
        assert!(
            fs::write(folder.path().join("proc/acpi/new"), "").is_err(),
            "and nobody may write there: the folder that covers it is read-only"
        );
        expect(&*text(&folder, "proc/kcore"), "the password", "Nobody has asked for /proc/kcore to be masked.");
    }

    fn what_is_not_there_need_not_be_hidden() {
        let (folder, root) = root();
        // Every kernel has other files in /proc; Docker's list names those of all.
        masked(&root, &["proc/absent", "sys/firmware", "proc/kcore/below", "proc/keys"]);
        expect(&*text(&folder, "proc/keys"), "", "What comes after a missing path must be masked all the same.");
        assert!(!folder.path().join("proc/absent").exists(), "nothing is made for a mask");
    }

    fn a_link_does_not_lead_out() {
        let (folder, root) = root();
        let host = tempfile::tempdir().unwrap();
        fs::write(host.path().join("file"), "the host's").unwrap();
        symlink(host.path().join("file"), folder.path().join("trap")).unwrap();
        symlink("/proc/kcore", folder.path().join("link")).unwrap();
        masked(&root, &["trap", "link"]);
        expect(
            &*fs::read_to_string(Path::new(host.path()).join("file")).unwrap(),
            "the host's",
            "A link in the image has led the mask to a file of the host. An absolute link begins at the *container's* root: read \
             openat2(2), RESOLVE_IN_ROOT.",
        );
        let why = "A link within the root is followed: this one to /proc/kcore, which must be masked.";
        expect(&*text(&folder, "proc/kcore"), "", why);
    }
}
