//! `system check`: a store that is broken, in each way that one can be, and what becomes of it.

use crate::served::{Served, build, folder};
use crate::support::Sandbox;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// Of the layer that is broken.
const SIZE: usize = 100_000;

/// A store with the image `NAME`, which the registry has too, beside `workbench`.
struct Broken {
    /// Ends before its sandbox does.
    served: Served,
    sandbox: Sandbox,
    name: String,
    manifest: Value,
}

impl Broken {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let served = Served::start(&sandbox, &[]);
        let name = format!("{}/app", served.host);
        build(&sandbox, &name, SIZE);
        sandbox.ok(&["push", "-q", &name]);
        // What builds remember would keep blobs, too.
        sandbox.ok(&["builder", "prune", "-af"]);
        assert!(sandbox.ok(&["system", "check"]).ends_with("everything is whole"));
        let digest = sandbox.ok(&["image", "inspect", "-f", "{{index .RepoDigests 0}}", &name]);
        let digest = digest.split(':').next_back().unwrap().to_owned();
        let manifest = serde_json::from_slice(&fs::read(blob(&sandbox, &digest)).unwrap()).unwrap();
        let broken = Self { served, sandbox, name, manifest };
        assert_eq!(broken.path("manifest"), blob(&broken.sandbox, &digest));
        broken
    }

    /// Of the manifest, the config, or the upper layer.
    fn path(&self, which: &str) -> PathBuf {
        let digest = match which {
            "manifest" => {
                let digest = self.sandbox.ok(&["image", "inspect", "-f", "{{index .RepoDigests 0}}", &self.name]);
                return blob(&self.sandbox, digest.split(':').next_back().unwrap());
            }
            "config" => &self.manifest["config"]["digest"],
            _ => &self.manifest["layers"][1]["digest"],
        };
        blob(&self.sandbox, digest.as_str().unwrap().strip_prefix("sha256:").unwrap())
    }

    /// It is found, with these words; nothing is changed by looking.
    fn found(&self, words: &[&str]) {
        for _ in 0..2 {
            let output = self.sandbox.output(&["system", "check"]);
            let told = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(1), "{told}");
            for word in words {
                assert!(told.contains(word), "{word} is not in: {told}");
            }
        }
    }

    fn repaired(&self) {
        let told = self.sandbox.ok(&["system", "check", "--repair"]);
        assert!(told.ends_with("mended: everything is whole"), "{told}");
        self.whole();
    }

    fn whole(&self) {
        let told = self.sandbox.ok(&["system", "check"]);
        assert!(told.ends_with("everything is whole"), "{told}");
        self.sandbox.ok(&["run", "--rm", "--network", "none", "workbench", "true"]);
    }

    /// It can be had again, and is as it was.
    fn pulled_again(&self) {
        self.sandbox.ok(&["pull", "-q", &self.name]);
        self.runs();
        self.whole();
    }

    fn runs(&self) {
        let size = self.sandbox.ok(&["run", "--rm", "--network", "none", &self.name, "sh", "-c", "wc -c < /data"]);
        assert_eq!(size, SIZE.to_string());
    }
}

fn blob(sandbox: &Sandbox, hex: &str) -> PathBuf {
    sandbox.root().join("content/blobs/sha256").join(hex)
}

/// One bit, in the middle.
fn flip(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_layer_with_a_bit_flipped_goes_and_comes_again() {
    let broken = Broken::new();
    let layer = broken.path("layer");
    flip(&layer);
    let name = layer.file_name().unwrap().to_str().unwrap();
    broken.found(&[
        &format!("blob sha256:{name}: its "),
        "bytes are those of sha256:",
        &broken.name,
        "is damaged",
        "--repair",
    ]);
    // The image can still be run, so it is kept; what it lacks is told until it has come.
    let output = broken.sandbox.output(&["system", "check", "--repair"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!layer.exists());
    broken.runs();
    broken.found(&["is missing: it runs, since the layer is unpacked, but cannot be pushed or saved"]);
    broken.pulled_again();
    assert!(layer.exists());
}

#[test]
fn a_layer_that_was_cut_short_or_is_gone_comes_again() {
    let broken = Broken::new();
    let layer = broken.path("layer");
    fs::OpenOptions::new().write(true).open(&layer).unwrap().set_len(1000).unwrap();
    broken.found(&["its 1000 bytes are those of", "is damaged"]);
    fs::remove_file(&layer).unwrap();
    broken.found(&["is missing"]);
    broken.pulled_again();
    // With its unpacked layer gone, too, it is of no more use.
    fs::remove_file(&layer).unwrap();
    for folder in fs::read_dir(broken.sandbox.root().join("layers")).unwrap().flatten() {
        if folder.path().join("fs/data").exists() {
            fs::remove_dir_all(folder.path()).unwrap();
        }
    }
    broken.found(&["image ", "of its layers, sha256:", "--repair removes it, and it can be pulled or built again"]);
    broken.repaired();
    assert!(!broken.sandbox.ok(&["images"]).contains("app"), "half an image is none");
    broken.pulled_again();
}

#[test]
fn a_manifest_or_config_that_is_damaged_takes_its_image_along_and_no_other() {
    for which in ["manifest", "config"] {
        let broken = Broken::new();
        flip(&broken.path(which));
        broken.found(&["its manifest or config cannot be read", &broken.name, "blob sha256:"]);
        broken.repaired();
        assert!(!broken.sandbox.ok(&["images"]).contains("app"));
        broken.pulled_again();
        fs::write(broken.path(which), "").unwrap();
        broken.repaired();
        broken.pulled_again();
    }
}

#[test]
fn an_unpacked_layer_that_was_changed_is_unpacked_again() {
    let broken = Broken::new();
    let container = broken.sandbox.ok(&["create", "--network", "none", &broken.name, "sh", "-c", "wc -c < /data"]);
    let layers = fs::read_dir(broken.sandbox.root().join("layers")).unwrap().flatten();
    let data = layers.map(|layer| layer.path().join("fs/data")).find(|data| data.exists()).unwrap();
    flip(&data);
    broken.found(&["unpacked layer sha256:", "/data: ", "--repair unpacks it again"]);
    broken.repaired();
    fs::remove_file(&data).unwrap();
    fs::write(data.with_file_name("more"), "").unwrap();
    broken.found(&["unpacked layer sha256:"]);
    broken.repaired();
    assert!(!data.with_file_name("more").exists());
    assert_eq!(broken.sandbox.ok(&["start", "-a", &container]), SIZE.to_string(), "the container has its layer again");
    // All of it gone: the container cannot start, until it is unpacked.
    fs::remove_dir_all(data.ancestors().nth(2).unwrap()).unwrap();
    broken.found(&[&format!("container {}", &container[..12]), "is not unpacked"]);
    broken.repaired();
    assert_eq!(broken.sandbox.ok(&["start", "-a", &container]), SIZE.to_string());
}

#[test]
fn a_layer_is_not_taken_from_beneath_a_running_container() {
    let broken = Broken::new();
    let container = broken.sandbox.ok(&["run", "-d", "--network", "none", &broken.name, "sleep", "1000"]);
    let layers = fs::read_dir(broken.sandbox.root().join("layers")).unwrap().flatten();
    let data = layers.map(|layer| layer.path().join("fs/data")).find(|data| data.exists()).unwrap();
    flip(&data);
    let refused = broken.sandbox.fails(1, &["system", "check", "--repair"]);
    assert!(refused.contains(&container[..12]) && refused.contains("stop it first"), "{refused}");
    assert!(data.exists());
    broken.sandbox.ok(&["rm", "-f", &container]);
    broken.repaired();
}

#[test]
fn an_index_that_cannot_be_read_is_written_anew() {
    let broken = Broken::new();
    let index = broken.sandbox.root().join("content/index.json");
    let id = broken.sandbox.ok(&["images", "-q", "--no-trunc", &broken.name]);
    fs::write(&index, "{\"schemaVersion\":2,\"manif").unwrap();
    let found = broken.sandbox.output(&["system", "check"]);
    assert!(String::from_utf8_lossy(&found.stdout).contains("index.json: "), "{found:?}");
    let told = broken.sandbox.ok(&["system", "check", "--repair"]);
    assert!(told.ends_with("mended: everything is whole"), "{told}");
    assert!(index.with_file_name("index.json.damaged").exists());
    assert!(broken.sandbox.ok(&["images", "-q", "--no-trunc"]).contains(&id));
    broken.sandbox.ok(&["tag", &id, &broken.name]);
    broken.runs();
}

#[test]
fn what_belongs_to_nothing_goes_and_what_is_whole_stays() {
    let broken = Broken::new();
    let listed = ["images", "--format", "{{.Repository}} {{.Tag}} {{.Digest}} {{.ID}}"];
    let images = broken.sandbox.ok(&listed);
    let stray = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    fs::write(blob(&broken.sandbox, stray), "hello").unwrap();
    let half = broken.sandbox.root().join("content/blobs/sha256/.incoming-abcdef");
    fs::write(&half, "hel").unwrap();
    let layer = broken.sandbox.root().join("layers").join(stray).join("fs");
    fs::create_dir_all(&layer).unwrap();
    let scratch = broken.sandbox.root().join("layers/.check-abcdef");
    fs::create_dir(&scratch).unwrap();
    let told = broken.sandbox.ok(&["system", "check"]);
    assert!(told.contains("blobs and layers that nothing needs"), "{told}");
    assert!(blob(&broken.sandbox, stray).exists() && half.exists() && layer.exists(), "to look is not to touch");
    broken.sandbox.ok(&["system", "check", "--repair"]);
    assert!(!blob(&broken.sandbox, stray).exists() && !half.exists() && !layer.exists() && !scratch.exists());
    assert_eq!(broken.sandbox.ok(&listed), images);
    broken.runs();
    // A blob that is nobody's, and not even itself.
    fs::write(blob(&broken.sandbox, stray), "hallo").unwrap();
    broken.found(&[&format!("blob sha256:{stray}: its 5 bytes are those of")]);
    broken.repaired();
}

#[test]
fn a_container_whose_record_is_damaged_is_told() {
    let broken = Broken::new();
    let container = broken.sandbox.ok(&["create", "--network", "none", &broken.name, "true"]);
    let record = broken.sandbox.root().join("containers").join(&container).join("config.json");
    let whole = fs::read(&record).unwrap();
    fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    broken.found(&[&format!("container {}: {}", &container[..12], record.display()), "remove the folder"]);
    fs::write(&record, whole).unwrap();
    broken.whole();
}

#[test]
fn a_registry_is_proved_too() {
    let broken = Broken::new();
    let at = broken.sandbox.root().join("registry");
    std::os::unix::fs::symlink(folder(&broken.sandbox), &at).unwrap();
    let told = broken.sandbox.ok(&["system", "check"]);
    assert!(told.contains("; registry: 4 blobs"), "{told}");
    let layer = broken.path("layer");
    let theirs = at.join("blobs/sha256").join(layer.file_name().unwrap());
    flip(&theirs);
    broken.found(&["registry: blob sha256:"]);
    let refused = broken.sandbox.fails(1, &["system", "check", "--repair"]);
    assert!(refused.contains("and serves: end it first"), "{refused}");
    let Broken { served, sandbox, name, .. } = broken;
    let host = served.host.clone();
    drop(served);
    let output = sandbox.output(&["system", "check", "--repair"]);
    assert!(!theirs.exists(), "{output:?}");
    assert!(String::from_utf8_lossy(&sandbox.output(&["system", "check"]).stdout).contains("push it again"));
    let _served = Served::at(&sandbox, &host, &[]);
    sandbox.ok(&["push", "-q", &name]);
    assert!(sandbox.ok(&["system", "check"]).ends_with("everything is whole"));
}
