//! 1.3: a new root, and no way back to the old one.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use super::expect::expect;
use super::sandbox::sandboxed;
use process::rootfs::change_root;
use rustix::fs::{CWD, Mode, OFlags, open, openat};
use rustix::mount::{MountFlags, mount};

/// A folder with a filesystem of its own, one more mounted in it, and a file. What was there before is /proc, kept open, since it will be out
/// of reach by name.
fn new_root() -> (OwnedFd, OwnedFd) {
    let folder = std::env::temp_dir();
    let tmpfs = |place: &Path| mount("tmpfs", place, "tmpfs", MountFlags::empty(), None).unwrap();
    tmpfs(&folder);
    fs::create_dir(folder.join("data")).unwrap();
    tmpfs(&folder.join("data"));
    fs::write(folder.join("greeting"), "hello").unwrap();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    (open(&folder, flags, Mode::empty()).unwrap(), open("/proc", flags, Mode::empty()).unwrap())
}

fn mount_table(proc: &OwnedFd) -> String {
    let file = openat(proc, "self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let mut text = String::new();
    File::from(file).read_to_string(&mut text).unwrap();
    let line = |line: &str| {
        let (place, rest) = (line.split(' ').nth(4).unwrap(), line.split_once(" - ").unwrap().1);
        format!("    {place:<28} {}\n", rest.split(' ').next().unwrap())
    };
    text.lines().map(line).collect()
}

sandboxed! {
    fn the_root_is_the_new_folder() {
        let (root, _) = new_root();
        change_root(root.as_fd()).unwrap_or_else(|error| panic!("change_root failed: {error}. Which call does pivot_root(2) say this of?"));
        let greeting = fs::read_to_string("/greeting");
        expect(
            greeting.unwrap_or_else(|error| error.to_string()),
            "hello".to_owned(),
            "/greeting is a file of the new root, and says hello. If it cannot be read, \"/\" is another folder still. Read pivot_root(2).",
        );
        assert!(!Path::new("/proc/self").exists(), "/proc was the old root's, and must not be found any more");
        expect(
            std::env::current_dir().unwrap().display().to_string(),
            "/".to_owned(),
            "The working directory must be the new root: else a relative path still leads to where it was before. Read chdir(2).",
        );
    }

    fn the_old_root_is_no_longer_mounted() {
        let (root, proc) = new_root();
        change_root(root.as_fd()).unwrap();
        // Not a snapshot in a file: no file of the old root can be found any more.
        let expected = format!("\n    {:<28} tmpfs\n    {:<28} tmpfs\n", "/", "/data");
        expect(
            format!("\n{}", mount_table(&proc)),
            expected,
            "The new root and what is mounted in it should be the whole mount table. Other lines are the old root and what is mounted in that: \
             hidden perhaps, but there, and the container can lay it open. Read pivot_root(2), NOTES.",
        );
    }

    fn nobody_climbs_back() {
        let (root, _) = new_root();
        let inside = rustix::fs::fstat(&root).unwrap();
        change_root(root.as_fd()).unwrap();
        // The classic way out of a chroot: go down into another one, which leaves the working directory above it.
        rustix::process::chroot("/data").unwrap();
        rustix::process::chdir("../../../../../../..").unwrap();
        let found = rustix::fs::statat(CWD, ".", rustix::fs::AtFlags::empty()).unwrap();
        assert!(
            (found.st_dev, found.st_ino) == (inside.st_dev, inside.st_ino),
            "\nexpected: the working directory is still in the new root\nfound:    it is the old root\nAfter `chroot(\"/data\")`, `cd ../../..` has \
             led out of the new root and into the old one, which is still mounted. chroot(2) says of itself that it is no security measure; read \
             pivot_root(2)."
        );
    }

    fn what_is_no_mount_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = open(folder.path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let result = change_root(root.as_fd());
        rustix::process::chdir("/").unwrap();
        assert!(
            result.is_err(),
            "pivot_root(2) refuses a folder that is no mount. An error that is not handed on would leave the container in the host's root."
        );
    }
}
