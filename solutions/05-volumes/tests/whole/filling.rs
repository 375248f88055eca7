//! A new volume, and what the image has in its place.

use super::sandbox::{all_powerful, sandboxed};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::mount::{MountFlags, mount};
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use volumes::settle::{Wishes, mounts};
use volumes::{Held, MountPoint, NewVolume, Store, VolumeName};

/// An image's files, and a store.
struct Ground {
    root: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("image/data")).unwrap();
        Self { root }
    }

    fn image(&self, path: &str) -> PathBuf {
        self.root.path().join("image").join(path)
    }

    /// The volume `db`, filled as `-v db:/data` has it.
    fn filled(&self) -> (Held, bool) {
        self.filled_as(&point("db:/data"))
    }

    fn filled_as(&self, point: &MountPoint) -> (Held, bool) {
        let name = VolumeName::parse("db").unwrap();
        let (held, _) = Store::new(self.root.path()).hold_or_make(&name, &NewVolume::default()).unwrap();
        let image = File::open(self.image("")).unwrap();
        let copied = held.fill(point, image.as_fd(), true).unwrap();
        (held, copied)
    }
}

fn point(bind: &str) -> MountPoint {
    mounts(Wishes { binds: &[bind.to_owned()], ..Wishes::default() }).unwrap().remove(0)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Type, mode, owner, links, size, time and name of all in a folder, and of itself.
fn listing(root: &Path) -> String {
    let mut lines = vec![line(root, root)];
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            lines.push(line(root, &entry.path()));
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    lines.sort();
    lines.join("\n")
}

fn line(root: &Path, path: &Path) -> String {
    let status = fs::symlink_metadata(path).unwrap();
    let size = if status.is_dir() { 0 } else { status.len() };
    let to = fs::read_link(path).map(|to| format!(" -> {}", to.display())).unwrap_or_default();
    let links = if status.is_dir() { 0 } else { status.nlink() };
    format!(
        "{:<12} {:o} {}:{} {links} {size} {}.{} {}{to}",
        path.strip_prefix(root).unwrap().display(),
        status.mode(),
        status.uid(),
        status.gid(),
        status.mtime(),
        status.mtime_nsec(),
        status.rdev()
    )
}

sandboxed! {
    fn a_copy_is_as_the_image_is() {
        let ground = Ground::new();
        let data = ground.image("data");
        let own = |path: &Path| if all_powerful() { chown(path, Some(7), Some(8)).unwrap() };
        fs::write(data.join("a"), "content").unwrap();
        fs::hard_link(data.join("a"), data.join("b")).unwrap();
        own(&data.join("a"));
        symlink("a", data.join("link")).unwrap();
        symlink("/etc/passwd", data.join("absolute")).unwrap();
        fs::create_dir_all(data.join("deep/er/still")).unwrap();
        fs::write(data.join("deep/er/program"), "#!/bin/sh").unwrap();
        fs::hard_link(data.join("a"), data.join("deep/c")).unwrap();
        own(&data.join("deep/er/program"));
        mode(&data.join("deep/er/program"), 0o4755);
        mknodat(CWD, data.join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        mknodat(CWD, data.join("socket"), FileType::Socket, Mode::RWXU, 0).unwrap();
        if all_powerful() {
            mknodat(CWD, data.join("null"), FileType::CharacterDevice, Mode::RWXU, rustix::fs::makedev(1, 3)).unwrap();
        }
        fs::write(data.join("secret"), "x").unwrap();
        mode(&data.join("secret"), 0o0);
        mode(&data.join("deep/er"), 0o500);
        mode(&data.join("deep"), 0o1777);
        own(&data);
        mode(&data, 0o2750);
        let before = listing(&data);

        let (held, copied) = ground.filled();
        assert!(copied);
        assert_eq!(listing(&held.volume.data()), before, "owner, mode, size, time, links: all as in the image");
        let inode = |name: &str| fs::metadata(held.volume.data().join(name)).unwrap().ino();
        assert_eq!((inode("a"), inode("a")), (inode("b"), inode("deep/c")), "one file with three names");
        assert_eq!(fs::read_to_string(held.volume.data().join("deep/c")).unwrap(), "content");
        let left: Vec<_> = fs::read_dir(held.volume.mountpoint().parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 2, "volume.json and _data, and nothing of the copying: {left:?}");
    }

    fn a_hole_stays_a_hole() {
        let ground = Ground::new();
        let original = File::create(ground.image("data/disk")).unwrap();
        original.set_len(64 << 20).unwrap();
        original.write_all_at(b"middle", 32 << 20).unwrap();
        let (held, _) = ground.filled();
        let copy = File::open(held.volume.data().join("disk")).unwrap();
        let status = copy.metadata().unwrap();
        assert_eq!(status.len(), 64 << 20);
        assert!(status.blocks() * 512 < 1 << 20, "{} bytes of disk", status.blocks() * 512);
        let mut middle = [0; 6];
        copy.read_exact_at(&mut middle, 32 << 20).unwrap();
        assert_eq!(&middle, b"middle");
    }

    fn a_thousand_folders_in_each_other_are_copied() {
        let ground = Ground::new();
        let mut deep = String::from("data");
        for _ in 0..1000 {
            deep.push_str("/d");
        }
        fs::create_dir_all(ground.image(&deep)).unwrap();
        // More than there would be descriptors for, if each level kept one.
        rustix::process::setrlimit(
            rustix::process::Resource::Nofile,
            rustix::process::Rlimit { current: Some(64), maximum: Some(64) },
        )
        .unwrap();
        let (held, copied) = ground.filled();
        assert!(copied && held.volume.data().join(deep.strip_prefix("data/").unwrap()).is_dir());
    }

    fn a_full_disk_leaves_the_volume_as_it_was() {
        let ground = Ground::new();
        let volumes = ground.root.path().join("volumes");
        fs::create_dir(&volumes).unwrap();
        mount("tmpfs", &volumes, "tmpfs", MountFlags::empty(), c"size=256k").unwrap();
        fs::write(ground.image("data/small"), "fits").unwrap();
        fs::write(ground.image("data/large"), vec![7; 1 << 20]).unwrap();
        let name = VolumeName::parse("db").unwrap();
        let (held, _) = Store::new(ground.root.path()).hold_or_make(&name, &NewVolume::default()).unwrap();
        let image = File::open(ground.image("")).unwrap();
        let error = held.fill(&point("db:/data"), image.as_fd(), true).unwrap_err();
        assert!(error.to_string().starts_with("cannot copy into a volume large: No space left"), "{error}");
        assert!(held.volume.is_empty());
        assert_eq!(fs::read_dir(held.volume.mountpoint().parent().unwrap()).unwrap().count(), 2);
        drop(held);
        fs::remove_file(ground.image("data/large")).unwrap();
        assert!(ground.filled().1, "with less, it goes");
        rustix::mount::unmount(&volumes, rustix::mount::UnmountFlags::empty()).unwrap();
    }

    fn an_empty_folder_gives_its_owner_and_mode() {
        let ground = Ground::new();
        mode(&ground.image("data"), 0o1777);
        let (held, copied) = ground.filled();
        assert!(copied);
        assert_eq!(fs::metadata(held.volume.data()).unwrap().mode() & 0o7777, 0o1777);
    }
}

#[test]
fn what_is_there_is_not_touched() {
    let ground = Ground::new();
    fs::write(ground.image("data/new"), "image").unwrap();
    let nocopy = point("db:/data:nocopy");
    let (held, copied) = ground.filled_as(&nocopy);
    assert!(!copied && held.volume.is_empty());
    fs::write(held.volume.data().join("mine"), "mine").unwrap();
    let (held, copied) = ground.filled();
    assert!(!copied);
    assert!(!held.volume.data().join("new").exists());
}

#[test]
fn a_place_is_found_as_it_would_be_in_the_container() {
    let ground = Ground::new();
    fs::create_dir_all(ground.image("run/app")).unwrap();
    fs::write(ground.image("run/app/state"), "image").unwrap();
    fs::create_dir_all(ground.image("var")).unwrap();
    // As Debian has it, and as an attacker would.
    symlink("/run", ground.image("var/run")).unwrap();
    symlink("../../../../../../run", ground.image("up")).unwrap();
    for place in ["db:/var/run/app", "db:/up/app"] {
        let (held, copied) = ground.filled_as(&point(place));
        assert!(copied, "{place}");
        assert_eq!(fs::read_to_string(held.volume.data().join("state")).unwrap(), "image");
        fs::remove_file(held.volume.data().join("state")).unwrap();
    }
}

#[test]
fn an_image_cannot_have_files_of_the_host_copied() {
    let host = tempfile::tempdir().unwrap();
    fs::write(host.path().join("secret"), "the host's").unwrap();
    let ground = Ground::new();
    fs::remove_dir(ground.image("data")).unwrap();
    for target in [host.path().to_path_buf(), Path::new("../../../..").join(host.path().strip_prefix("/").unwrap())] {
        symlink(target, ground.image("data")).unwrap();
        let (held, copied) = ground.filled();
        assert!(!copied && held.volume.is_empty());
        fs::remove_file(ground.image("data")).unwrap();
    }
    // A link within the folder is copied as a link.
    fs::create_dir(ground.image("data")).unwrap();
    symlink(host.path(), ground.image("data/link")).unwrap();
    let (held, _) = ground.filled();
    assert_eq!(fs::read_link(held.volume.data().join("link")).unwrap(), host.path());
}

#[test]
fn two_at_once_fill_a_volume_once() {
    let ground = Ground::new();
    for file in 0..200 {
        fs::write(ground.image(&format!("data/{file}")), "image").unwrap();
    }
    let times: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| ground.filled().1)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(times, 1);
    let (held, _) = ground.filled();
    assert_eq!(fs::read_dir(held.volume.data()).unwrap().count(), 200);
}

#[test]
fn sockets_and_pipes_are_no_trap() {
    let ground = Ground::new();
    mknodat(CWD, ground.image("data/pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let (held, _) = ground.filled();
    assert!(fs::metadata(held.volume.data().join("pipe")).unwrap().file_type().is_fifo());
}
