//! Archives of images, made by hand, good ones and bad ones.

#![allow(dead_code, clippy::unwrap_used, reason = "each test takes what it needs")]

use serde_json::{Value, json};
use solution_2::{Digest, Store};
use std::path::Path;

/// A tar in the making.
pub(crate) struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    pub(crate) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        let mut header = tar::Header::new_gnu();
        // Written raw: the builder would refuse what a hostile archive holds.
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        own(&mut header);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    pub(crate) fn link(mut self, path: &str, to: &str) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        own(&mut header);
        self.0.append_link(&mut header, path, to).unwrap();
        self
    }

    pub(crate) fn json(self, path: &str, value: &Value) -> Self {
        self.file(path, value.to_string())
    }

    /// Puts a blob where an OCI layout has it.
    pub(crate) fn blob(self, content: impl AsRef<[u8]>) -> Self {
        let path = format!("blobs/sha256/{}", Digest::of(content.as_ref()).hex());
        self.file(&path, content)
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// A snapshot whose digests depend on the owner of the files in it.
pub(crate) fn with_digests_hidden(assert: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("sha256:[0-9a-f]{64}", "sha256:[digest]");
    settings.bind(assert);
}

/// Files of whoever runs the test: only root may give files away.
fn own(header: &mut tar::Header) {
    header.set_uid(rustix::process::geteuid().as_raw().into());
    header.set_gid(rustix::process::getegid().as_raw().into());
}

/// A layer that holds one file.
pub(crate) fn layer(path: &str, content: &str) -> Vec<u8> {
    Tar::new().file(path, content).bytes()
}

/// An image config of these layers.
pub(crate) fn config(layers: &[&[u8]]) -> Value {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    let history: Vec<Value> = (0..layers.len()).map(|n| json!({"created_by": format!("step {n}")})).collect();
    json!({
        "architecture": solution_2::manifest::Platform::host().architecture,
        "os": "linux",
        "created": "2026-01-02T03:04:05Z",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    })
}

/// `manifest.json` of one image: `config.json`, `0.tar`, `1.tar`…
pub(crate) fn docker_manifest(names: &[&str], layers: usize) -> Value {
    let layers: Vec<String> = (0..layers).map(|n| format!("{n}.tar")).collect();
    json!([{"Config": "config.json", "RepoTags": names, "Layers": layers}])
}

/// A docker-archive of one image.
pub(crate) fn docker_archive(names: &[&str], layers: &[&[u8]]) -> Tar {
    let numbered = layers.iter().enumerate();
    let tar = numbered.fold(Tar::new(), |tar, (n, layer)| tar.file(&format!("{n}.tar"), layer));
    tar.json("config.json", &config(layers)).json("manifest.json", &docker_manifest(names, layers.len()))
}

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What points at these bytes.
pub(crate) fn descriptor(media_type: &str, content: impl AsRef<[u8]>) -> Value {
    let content = content.as_ref();
    json!({"mediaType": media_type, "digest": Digest::of(content).to_string(), "size": content.len()})
}

/// The manifest of an image.
pub(crate) fn manifest(config: &[u8], layers: &[&[u8]]) -> Value {
    let layer = |layer: &&[u8]| descriptor("application/vnd.oci.image.layer.v1.tar", layer);
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    })
}

/// An OCI layout whose `index.json` lists these.
pub(crate) fn oci_archive(tar: Tar, manifests: &[Value]) -> Vec<u8> {
    tar.file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .json("index.json", &json!({"schemaVersion": 2, "manifests": manifests}))
        .bytes()
}

/// A store in a folder that goes with it.
pub(crate) struct TestStore {
    pub(crate) root: tempfile::TempDir,
    pub(crate) store: Store,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path()).unwrap();
        Self { root, store }
    }

    pub(crate) fn load(&self, archive: &[u8]) -> solution_2::Result<Vec<String>> {
        let loaded = solution_2::archive::load(&self.store, &mut &*archive)?;
        Ok(loaded.iter().map(ToString::to_string).collect())
    }

    /// All files and folders of the store; unpacked layers as a whole, locks and counted sizes left out.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(self.root.path(), self.root.path(), &mut found);
        found.retain(|path| !path.ends_with(".lock") && !path.ends_with("/size"));
        found.sort();
        found
    }
}

fn list(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("fs") {
            list(root, &path, found);
        }
        found.push(path.strip_prefix(root).unwrap().display().to_string());
    }
}
