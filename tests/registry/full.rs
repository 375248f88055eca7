//! A disk without room, at either end: told at once, nothing half, and the room is given back.

use crate::served::{Served, build, folder};
use crate::support::{Sandbox, is_root, not_run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk of so many megabytes, for as long as this lives.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, megabytes: usize) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        let size = format!("size={megabytes}m");
        assert!(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).status().unwrap().success());
        Self(at)
    }

    fn free(&self) -> u64 {
        let status = rustix::fs::statvfs(&self.0).unwrap();
        status.f_bavail * status.f_frsize
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args([Path::new("-l"), &self.0]).status();
    }
}

#[test]
fn a_pull_that_finds_no_room() {
    if !is_root() {
        return not_run("full::a_pull_that_finds_no_room", "only root may mount a small disk");
    }
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox, &[]);
    let (small, large) = (format!("{}/small", served.host), format!("{}/large", served.host));
    sandbox.ok(&["tag", "workbench", &small]);
    build(&sandbox, &large, 12 << 20);
    sandbox.ok(&["push", "-q", &small]);
    sandbox.ok(&["push", "-q", &large]);
    // No room for the blob; room for the blob, but not for what it unpacks to.
    for megabytes in [8, 20] {
        let machine = Sandbox::new();
        let disk = Disk::mount(machine.root(), megabytes);
        let told = machine.fails(1, &["pull", &large]);
        assert!(told.contains("No space left on device"), "{told}");
        assert_eq!(machine.ok(&["images", "-q"]), "");
        assert!(disk.free() > 6 << 20, "{} bytes are free of {megabytes} MB", disk.free());
        machine.ok(&["pull", "-q", &small]);
    }
}

#[test]
fn a_push_that_finds_no_room() {
    if !is_root() {
        return not_run("full::a_push_that_finds_no_room", "only root may mount a small disk");
    }
    let sandbox = Sandbox::new();
    let disk = Disk::mount(folder(&sandbox), 8);
    let served = Served::start(&sandbox, &[]);
    let (small, large) = (format!("{}/small", served.host), format!("{}/large", served.host));
    build(&sandbox, &large, 12 << 20);
    let told = sandbox.fails(1, &["push", &large]);
    assert!(told.contains("the registry's disk is full"), "{told}");
    assert!(disk.free() > 4 << 20, "{} bytes are free", disk.free());
    sandbox.ok(&["tag", "workbench", &small]);
    sandbox.ok(&["push", "-q", &small]);
    drop(served);
}
