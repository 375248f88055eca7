//! Archives of images that lie. Each is refused with an error that says what is wrong, and leaves the store as it was.

#![allow(clippy::unwrap_used, reason = "tests, and what they share")]

mod support;

use serde_json::{Value, json};
use solution_2::Digest;
use support::{
    INDEX, MANIFEST, Tar, TestStore, config, descriptor, docker_archive, docker_manifest, layer, manifest, oci_archive,
};

/// Loads an archive that has to be refused, into a store that holds an image already.
fn refusal(archive: &[u8]) -> String {
    let test = TestStore::new();
    test.load(&docker_archive(&["good:1"], &[&layer("good", "x")]).bytes()).unwrap();
    let before = (test.listing(), std::fs::read(test.root.path().join("content/index.json")).unwrap());
    let error = test.load(archive).unwrap_err().to_string();
    let after = (test.listing(), std::fs::read(test.root.path().join("content/index.json")).unwrap());
    assert_eq!(before, after, "a refused archive ({error}) leaves nothing behind");
    let root = test.root.path().display().to_string();
    error.replace(&root, "STORE")
}

#[test]
fn of_the_docker_kind() {
    let good = layer("a", "a");
    let other = layer("b", "b");
    let tar = || Tar::new().file("0.tar", &good).json("config.json", &config(&[&good]));
    let twice = json!([
        {"Config": "config.json", "RepoTags": ["fine:1"], "Layers": ["0.tar"]},
        {"Config": "config.json", "RepoTags": ["bad:1"], "Layers": ["gone.tar"]},
    ]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no tar", b"#!/bin/sh\necho hello, I am not a tar archive at all\n".repeat(40)),
        ("an unknown compression", b"BZh91AY&SY".repeat(100)),
        ("a tar without images", layer("a", "a")),
        ("bad manifest.json", tar().file("manifest.json", "[{]").bytes()),
        ("manifest.json of another shape", tar().file("manifest.json", r#"{"a":1}"#).bytes()),
        ("something after its end", {
            [docker_archive(&[], &[&good]).bytes(), docker_archive(&[], &[&other]).bytes()].concat()
        }),
        ("no config", Tar::new().file("0.tar", &good).json("manifest.json", &docker_manifest(&[], 1)).bytes()),
        ("a bad config", tar().file("config.json", "[]").json("manifest.json", &docker_manifest(&[], 1)).bytes()),
        (
            "a rootfs of another type",
            tar()
                .file("config.json", r#"{"rootfs":{"type":"x"}}"#)
                .json("manifest.json", &docker_manifest(&[], 1))
                .bytes(),
        ),
        ("a missing layer", tar().json("manifest.json", &docker_manifest(&[], 2)).bytes()),
        ("the second image is bad", tar().json("manifest.json", &twice).bytes()),
        ("more layers than the config says", {
            tar().file("1.tar", &other).json("manifest.json", &docker_manifest(&[], 2)).bytes()
        }),
        (
            "another layer than the config says",
            tar().file("0.tar", &other).json("manifest.json", &docker_manifest(&[], 1)).bytes(),
        ),
        ("a bad name", docker_archive(&["../etc:1"], &[&good]).bytes()),
        ("an upper-case name", docker_archive(&["Good:1"], &[&good]).bytes()),
        ("a path that climbs", tar().file("../../etc/x", "x").bytes()),
        ("a link that climbs", tar().link("x", "../../../etc/passwd").bytes()),
        ("a link in circles", {
            let tar = Tar::new().link("0.tar", "1.tar").link("1.tar", "0.tar").json("config.json", &config(&[&good]));
            tar.json("manifest.json", &docker_manifest(&[], 1)).bytes()
        }),
        ("a layer that is none", docker_archive(&["x:1"], &[b"not a tar, but named as one"]).bytes()),
        ("a layer with a path that climbs", docker_archive(&["x:1"], &[&layer("../../x", "x")]).bytes()),
        ("legacy: in circles", {
            let tar = Tar::new().file("a/layer.tar", &good).file("a/json", r#"{"id":"a","parent":"a"}"#);
            tar.file("repositories", r#"{"x":{"1":"a"}}"#).bytes()
        }),
        ("legacy: no such layer", Tar::new().file("repositories", r#"{"x":{"1":"a"}}"#).bytes()),
    ];
    let texts: Vec<String> = cases.iter().map(|(case, archive)| format!("{case}: {}", refusal(archive))).collect();
    support::with_digests_hidden(|| insta::assert_snapshot!(texts.join("\n")));
}

#[test]
fn of_the_oci_kind() {
    let good = layer("a", "a");
    let config = config(&[&good]).to_string();
    let whole = manifest(config.as_bytes(), &[&good]);
    let tar = |manifest: &Value| Tar::new().blob(&good).blob(&config).blob(manifest.to_string());
    let listed = |manifest: &Value| descriptor(MANIFEST, manifest.to_string());
    let with = |key: &str, value: Value| {
        let mut manifest = whole.clone();
        manifest[key] = value;
        manifest
    };
    let lying_size = |mut d: Value| {
        d["size"] = json!(7);
        d
    };
    let short_layer = with("layers", json!([lying_size(whole["layers"][0].clone())]));
    let no_layers = with("layers", json!([]));
    let both = with("manifests", json!([]));
    let other_kind = with("mediaType", json!(INDEX));
    let huge = with("annotations", json!({"x": "x".repeat(5 << 20)}));
    let deep = (0..200_000).map(|_| "[").collect::<String>();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a blob that is not what its name says", {
            let path = format!("blobs/sha256/{}", Digest::of(b"promised").hex());
            oci_archive(tar(&whole).file(&path, "delivered"), &[listed(&whole)])
        }),
        ("a blob without a digest for a name", oci_archive(tar(&whole).file("blobs/sha256/x", "x"), &[])),
        ("a missing manifest", oci_archive(Tar::new().blob(&good).blob(&config), &[listed(&whole)])),
        ("a missing config", oci_archive(Tar::new().blob(&good).blob(whole.to_string()), &[listed(&whole)])),
        ("a missing layer", oci_archive(Tar::new().blob(&config).blob(whole.to_string()), &[listed(&whole)])),
        ("a wrong size in index.json", oci_archive(tar(&whole), &[lying_size(listed(&whole))])),
        ("a wrong size in the manifest", oci_archive(tar(&short_layer), &[listed(&short_layer)])),
        ("fewer layers than the config says", oci_archive(tar(&no_layers), &[listed(&no_layers)])),
        ("a manifest that is an index too", oci_archive(tar(&both), &[listed(&both)])),
        ("a manifest that calls itself an index", oci_archive(tar(&other_kind), &[listed(&other_kind)])),
        ("a manifest too large", oci_archive(tar(&huge), &[listed(&huge)])),
        ("brackets without end", oci_archive(Tar::new().blob(&deep), &[descriptor(MANIFEST, &deep)])),
        ("an index of nothing", {
            let empty = json!({"schemaVersion": 2, "manifests": []}).to_string();
            oci_archive(Tar::new().blob(&empty), &[descriptor(INDEX, &empty)])
        }),
        ("an index of another machine's", {
            let mut arm = listed(&whole);
            arm["platform"] = json!({"os": "linux", "architecture": "s390x"});
            let index = json!({"schemaVersion": 2, "manifests": [arm]}).to_string();
            oci_archive(tar(&whole).blob(&index), &[descriptor(INDEX, &index)])
        }),
        ("indexes within indexes", {
            let mut tar = tar(&whole);
            let mut below = listed(&whole);
            for _ in 0..6 {
                let index = json!({"schemaVersion": 2, "manifests": [below]}).to_string();
                below = descriptor(INDEX, &index);
                tar = tar.blob(&index);
            }
            oci_archive(tar, &[below])
        }),
        ("a bad name", {
            let mut named = listed(&whole);
            named["annotations"] = json!({"io.containerd.image.name": "a b"});
            oci_archive(tar(&whole), &[named])
        }),
        ("bad index.json", tar(&whole).file("oci-layout", "{}").file("index.json", "{").bytes()),
    ];
    let texts: Vec<String> = cases.iter().map(|(case, archive)| format!("{case}: {}", refusal(archive))).collect();
    support::with_digests_hidden(|| insta::assert_snapshot!(texts.join("\n")));
}

/// An index that lists another many times, which lists another many times…: each is entered once.
#[test]
fn an_index_that_fans_out_is_read_once() {
    let good = layer("a", "a");
    let config = config(&[&good]).to_string();
    let whole = manifest(config.as_bytes(), &[&good]).to_string();
    let mut tar = Tar::new().blob(&good).blob(&config).blob(&whole);
    let mut below = descriptor(MANIFEST, &whole);
    for _ in 0..3 {
        let index = json!({"schemaVersion": 2, "manifests": vec![below; 15_000]}).to_string();
        below = descriptor(INDEX, &index);
        tar = tar.blob(&index);
    }
    let test = TestStore::new();
    let start = std::time::Instant::now();
    assert_eq!(test.load(&oci_archive(tar, &[below])).unwrap().len(), 1);
    assert!(start.elapsed().as_secs() < 20, "15,000³ steps would take longer");
}

/// Wherever the stream ends, nothing is registered before its last image is complete.
#[test]
fn truncated_anywhere() {
    let layers = [layer("a", "a"), layer("b", "b")];
    let whole = docker_archive(&["x:1"], &[&layers[0], &layers[1]]).bytes();
    // The two zero blocks at the end may be missing; all before must not.
    let content = whole.len() - 1024;
    for length in (0..content).step_by(911) {
        refusal(&whole[..length]);
    }
    let gzipped = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &whole).unwrap();
        encoder.finish().unwrap()
    };
    assert!(TestStore::new().load(&gzipped).is_ok());
    for length in (0..gzipped.len() - 8).step_by(61) {
        refusal(&gzipped[..length]);
    }
}
