//! A disk without room, at either end: told at once, nothing half, and the room is given back.

use crate::http::{ask, digest};
use crate::served::{Served, build, folder};
use crate::support::{Sandbox, is_root, not_run};
use serde_json::json;
use std::fs;
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

#[test]
fn a_registry_without_room_says_so_and_keeps_what_it_has() {
    if !is_root() {
        let test = "full::a_registry_without_room_says_so_and_keeps_what_it_has";
        return not_run(test, "only root may mount a small disk");
    }
    let sandbox = Sandbox::new();
    let disk = Disk::mount(folder(&sandbox), 6);
    let served = Served::start(&sandbox, &[]);
    let send = |bytes: &[u8]| {
        let path = format!("/v2/a/blobs/uploads/?digest={}", digest(bytes));
        ask(&served.host, "POST", &path, "", bytes).unwrap().status
    };
    let manifest = |text: &str| {
        let config = json!({"mediaType": "application/x", "digest": digest(b"{}"), "size": 2});
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [], "annotations": {"text": text}});
        let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
        ask(&served.host, "PUT", "/v2/a/manifests/v1", kind, manifest.to_string().as_bytes()).unwrap()
    };
    let listed = || fs::read(folder(&sandbox).join("index.json")).unwrap();
    let large = vec![0; 4 << 20];
    assert_eq!((send(b"{}"), manifest("first").status, send(&large)), (201, 201, 201));
    let before = listed();
    for _ in 0..3 {
        let told = manifest(&"x".repeat(3 << 20));
        let text = String::from_utf8_lossy(&told.body).into_owned();
        assert_eq!(told.status, 507, "{text}");
        assert!(text.contains("the registry's disk is full"), "{text}");
        assert_eq!(send(&vec![1; 4 << 20]), 507);
    }
    assert!(listed() == before && disk.free() > 1 << 20, "{} bytes are free", disk.free());
    let kept = ask(&served.host, "GET", "/v2/a/manifests/v1", "", b"").unwrap();
    assert!(String::from_utf8_lossy(&kept.body).contains("first"));
    let delete = ask(&served.host, "DELETE", &format!("/v2/a/blobs/{}", digest(&large)), "", b"").unwrap();
    assert_eq!((delete.status, manifest(&"x".repeat(3 << 20)).status), (202, 201), "there is room again");
    drop(served);
}
