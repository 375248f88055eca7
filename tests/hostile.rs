//! Archives that mean harm: each is refused in its own words, writes nothing outside, and leaves nothing registered.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use sha2::{Digest, Sha256};
use support::Sandbox;
use tar::{Builder, EntryType, Header};

/// A layer under construction.
type Layer = Builder<Vec<u8>>;

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An entry whose name and link are written as they are: `tar` would refuse the ones we need.
fn entry(layer: &mut Layer, kind: EntryType, name: &str, link: &str, data: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(data.len() as u64);
    let raw = header.as_old_mut();
    raw.name[..name.len()].copy_from_slice(name.as_bytes());
    raw.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    layer.append(&header, data).unwrap();
}

/// A docker-archive with this one layer, honest about its digest unless told otherwise.
fn archive(layer: &[u8], diff_id: Option<&str>) -> Vec<u8> {
    let diff_id = diff_id.map_or_else(|| hex(layer), str::to_owned);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Cmd":["sh"]}},"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#
    );
    let manifest = r#"[{"Config":"config.json","RepoTags":["evil:latest"],"Layers":["layer.tar"]}]"#;
    let mut out = Builder::new(Vec::new());
    for (name, data) in
        [("config.json", config.as_bytes()), ("layer.tar", layer), ("manifest.json", manifest.as_bytes())]
    {
        let mut header = Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, name, data).unwrap();
    }
    out.into_inner().unwrap()
}

fn layer(build: impl FnOnce(&mut Layer)) -> Vec<u8> {
    let mut layer = Builder::new(Vec::new());
    build(&mut layer);
    layer.into_inner().unwrap()
}

/// Loads it (and runs it, should the load only have stored it): somewhere on the way it must be refused with words that
/// tell why, and the sandbox must hold no image and nothing outside its root.
fn refused(archive: &[u8], why: &str) {
    let sandbox = Sandbox::new();
    let loaded = sandbox.kesako(&["load"]).write_stdin(archive.to_vec()).output().unwrap();
    let text = String::from_utf8_lossy(&loaded.stderr).into_owned();
    assert!(!loaded.status.success(), "{why}: was loaded");
    assert!(text.to_lowercase().contains(why), "expected {why:?} in {text:?}");
    assert_eq!(sandbox.ok(&["images", "-aq"]), "", "{why}: half an image is registered");
    let layers = sandbox.root().join("layers");
    let left: Vec<_> = std::fs::read_dir(layers).into_iter().flatten().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "{why}: left {left:?}");
    assert!(!sandbox.path().join("escaped").exists(), "{why}: wrote outside");
}

#[test]
fn parent_folders() {
    refused(&archive(&layer(|l| entry(l, EntryType::Regular, "../../../../../escaped", "", b"x")), None), "..");
}

#[test]
fn absolute_and_symlinked_parents_stay_beneath_the_root() {
    // An absolute link as parent is lawful (real layers have them); it must lead to the container's own /tmp.
    let made = layer(|l| {
        entry(l, EntryType::Directory, "tmp/", "", b"");
        entry(l, EntryType::Symlink, "link", "/tmp", b"");
        entry(l, EntryType::Regular, "link/kesako-escaped", "", b"x");
    });
    let sandbox = Sandbox::new();
    sandbox.kesako(&["load"]).write_stdin(archive(&made, None)).assert().success();
    sandbox.ok(&["create", "evil:latest", "true"]);
    assert!(!std::path::Path::new("/tmp/kesako-escaped").exists());
    let climbs = layer(|l| {
        entry(l, EntryType::Symlink, "up", "../../../../../../tmp", b"");
        entry(l, EntryType::Regular, "up/kesako-escaped", "", b"x");
    });
    refused(&archive(&climbs, None), "climbs out of the root");
    assert!(!std::path::Path::new("/tmp/kesako-escaped").exists());
}

#[test]
fn hard_links_out() {
    refused(
        &archive(&layer(|l| entry(l, EntryType::Link, "shadow", "../../../../../../etc/shadow", b"")), None),
        "link",
    );
    refused(&archive(&layer(|l| entry(l, EntryType::Link, "nowhere", "not/there", b"")), None), "link");
}

#[test]
fn whiteouts_out() {
    refused(&archive(&layer(|l| entry(l, EntryType::Regular, "a/.wh...", "", b"")), None), "whiteout");
    refused(&archive(&layer(|l| entry(l, EntryType::Regular, ".wh.", "", b"")), None), "whiteout");
}

#[test]
fn wrong_digests() {
    let honest = layer(|l| entry(l, EntryType::Regular, "file", "", b"x"));
    refused(&archive(&honest, Some(&"0".repeat(64))), "but the image's config says");
}

#[test]
fn truncated_and_garbage() {
    let honest = archive(&layer(|l| entry(l, EntryType::Regular, "file", "", &[7; 4096])), None);
    for length in [10, 700, honest.len() / 2] {
        let sandbox = Sandbox::new();
        let output = sandbox.kesako(&["load"]).write_stdin(honest[..length].to_vec()).output().unwrap();
        assert!(!output.status.success(), "{length} bytes of an archive were loaded");
        assert_eq!(sandbox.ok(&["images", "-aq"]), "");
    }
    let sandbox = Sandbox::new();
    sandbox.kesako(&["load"]).write_stdin(vec![0xa5; 100_000]).assert().failure();
}
