//! `volume-subpath`: a part of a volume that somebody else may write to.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use volumes::{Error, subpath};

fn volume() -> tempfile::TempDir {
    let volume = tempfile::tempdir().unwrap();
    fs::create_dir_all(volume.path().join("a/b")).unwrap();
    fs::write(volume.path().join("a/file"), "").unwrap();
    volume
}

fn found(volume: &Path, part: &str) -> String {
    match subpath(volume, part) {
        Ok(fd) => {
            let path = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
            path.strip_prefix(volume).map_or_else(|_| "OUTSIDE".to_owned(), |path| path.display().to_string())
        }
        Err(Error::Escape { .. }) => "escapes".to_owned(),
        Err(Error::Subpath { source, .. }) => source.to_string(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_part_is_found_within() {
    let volume = volume();
    symlink("b", volume.path().join("a/link")).unwrap();
    symlink("../a/file", volume.path().join("a/up")).unwrap();
    for (part, at) in
        [("a", "a"), ("a/b", "a/b"), ("a/file", "a/file"), ("a/../a", "a"), ("a/link", "a/b"), ("a/up", "a/file")]
    {
        assert_eq!(found(volume.path(), part), at, "{part}");
    }
    assert_eq!(found(volume.path(), "nope"), "No such file or directory (os error 2)");
}

#[test]
fn no_link_leads_out() {
    let volume = volume();
    for (name, to) in
        [("root", "/"), ("etc", "/etc"), ("up", "../.."), ("far", "a/../../.."), ("self", "/proc/self/root")]
    {
        symlink(to, volume.path().join(name)).unwrap();
    }
    for part in ["root", "etc", "etc/passwd", "up", "far", "up/etc", "self", "..", "a/../.."] {
        assert_eq!(found(volume.path(), part), "escapes", "{part}");
    }
}

/// A folder that becomes a link to the host while we look, a few thousand times.
#[test]
fn no_exchange_leads_out() {
    let volume = volume();
    let (folder, link) = (volume.path().join("part"), volume.path().join("other"));
    fs::create_dir_all(folder.join("etc")).unwrap();
    symlink("/", &link).unwrap();
    let done = AtomicBool::new(false);
    let exchange = || {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        while !done.load(Ordering::Relaxed) {
            renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).unwrap();
        }
    };
    let seen = std::thread::scope(|scope| {
        scope.spawn(exchange);
        let mut seen: Vec<_> = (0..5000).map(|_| found(volume.path(), "part/etc")).collect();
        done.store(true, Ordering::Relaxed);
        seen.sort();
        seen.dedup();
        seen
    });
    assert!(seen.iter().all(|found| ["escapes", "part/etc", "other/etc"].contains(&found.as_str())), "{seen:?}");
    assert!(seen.len() > 1, "there was no race: {seen:?}");
}
