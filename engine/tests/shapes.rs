//! Whatever a script can ask of Docker's JSON, it can ask of ours: every field of a real dockerd's answers (20.10, in
//! `dockerd/`) is there with a value of the same type, but for the ones named here with the reason.

#![allow(clippy::unwrap_used, clippy::panic)]

extern crate kesako_engine as engine;

use engine::api::{ContainerConfig, CreateRequest, HostConfig, MountRequest, TmpfsOptions};
use engine::{Engine, Filters, ImportOptions, ListOptions, Roots};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

/// The same container as the one that dockerd was asked about.
fn engine() -> (TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let roots = Roots { data: folder.path().join("data"), run: folder.path().join("run") };
    let engine = Engine::open(roots).unwrap();
    let changes = ["CMD [\"sh\"]", "EXPOSE 80", "LABEL a=b"].map(Into::into).into();
    let options = ImportOptions { repo: "bb".into(), changes, ..Default::default() };
    engine.import(&mut [0u8; 1024].as_slice(), &options).unwrap();
    let config = ContainerConfig {
        image: "bb".into(),
        env: Some(vec!["A=1".into()]),
        cmd: Some(vec!["sleep".into(), "1 2".into()]),
        attach_stdout: true,
        attach_stderr: true,
        ..Default::default()
    };
    let mount = MountRequest {
        r#type: "tmpfs".into(),
        target: "/m".into(),
        tmpfs_options: Some(TmpfsOptions { size_bytes: 1 << 20, ..Default::default() }),
        ..Default::default()
    };
    let host_config = HostConfig {
        network_mode: "none".into(),
        tmpfs: Some([("/t".to_owned(), String::new())].into()),
        mounts: Some(vec![mount]),
        ..Default::default()
    };
    engine.create(Some("one"), CreateRequest { config, host_config, networking_config: None }).unwrap();
    (folder, engine)
}

/// The paths of what differs, a line each.
fn differences(file: &str, ours: &impl Serialize) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dockerd").join(file);
    let theirs: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut found = Vec::new();
    compare("", &theirs, &serde_json::to_value(ours).unwrap(), &mut found);
    found
}

fn compare(path: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (key, value) in theirs {
                match ours.get(key) {
                    Some(own) => compare(&format!("{path}.{key}"), value, own, found),
                    None => found.push(format!("{path}.{key} is missing")),
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
                compare(&format!("{path}[]"), theirs, ours, found);
            }
        }
        // What may be null may be anything.
        (Value::Null, _) | (_, Value::Null) => {}
        _ if std::mem::discriminant(theirs) != std::mem::discriminant(ours) => {
            found.push(format!("{path} is {ours}, and {theirs} with Docker"));
        }
        _ => {}
    }
}

#[test]
fn of_a_container() {
    let (_folder, engine) = engine();
    // Gone since Docker 28: kernel memory.
    insta::assert_snapshot!(differences("container.json", &engine.inspect("one", false).unwrap()).join("\n"), @r"
    .HostConfig.KernelMemory is missing
    .HostConfig.KernelMemoryTCP is missing
    ");
    let rows = engine.list(&ListOptions { all: true, ..Default::default() }).unwrap();
    assert_eq!(differences("containers.json", &rows), [""; 0]);
}

#[test]
fn of_an_image() {
    let (_folder, engine) = engine();
    // Gone since API 1.44: the size's second name. Two folders of a mount that an image does not have.
    insta::assert_snapshot!(differences("image.json", &engine.image_inspect("bb").unwrap()).join("\n"), @r"
    .VirtualSize is missing
    .GraphDriver.Data.MergedDir is missing
    .GraphDriver.Data.WorkDir is missing
    ");
    let rows = engine.images(false, &Filters::new()).unwrap();
    assert_eq!(differences("images.json", &rows), ["[].VirtualSize is missing"]);
    assert_eq!(differences("history.json", &engine.image_history("bb").unwrap()), [""; 0]);
}

#[test]
fn of_the_engine() {
    let (_folder, engine) = engine();
    // Gone since Docker 28: kernel memory, the bridge's netfilter, layers that may not be distributed. And what this
    // dockerd has by name: its runtimes, its registry.
    insta::assert_snapshot!(differences("info.json", &engine.info().unwrap()).join("\n"), @r"
    .KernelMemory is missing
    .KernelMemoryTCP is missing
    .BridgeNfIptables is missing
    .BridgeNfIp6tables is missing
    .RegistryConfig.AllowNondistributableArtifactsCIDRs is missing
    .RegistryConfig.AllowNondistributableArtifactsHostnames is missing
    .RegistryConfig.IndexConfigs.docker.io is missing
    .Runtimes.io.containerd.runc.v2 is missing
    .Runtimes.io.containerd.runtime.v1.linux is missing
    .Runtimes.runc is missing
    ");
    // We are not built by Go, nor from a commit that the binary would know.
    let details =
        ["BuildTime", "GitCommit", "GoVersion"].map(|field| format!(".Components[].Details.{field} is missing"));
    assert_eq!(differences("version.json", &engine.version()), details);
}
