//! Images there and back between us and the tools that are installed here: skopeo, umoci, podman, a real dockerd.
//!
//! Each test that finds its tool missing says so and proves nothing; CI pins the list of those.

#![allow(clippy::unwrap_used, reason = "tests, and what they share")]

#[path = "../../../tests/support/not_run.rs"]
mod not_run;
mod support;

use not_run::not_run;
use solution_2::{Image, Reference, archive};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::{TestStore, docker_archive, layer};

/// Whether these programs are here; if not, says which test thereby does not run.
fn installed(test: &str, programs: &[&str]) -> bool {
    let missing: Vec<_> =
        programs.iter().filter(|program| Command::new(program).arg("--version").output().is_err()).collect();
    if !missing.is_empty() {
        not_run(test, &format!("{missing:?} is not installed"));
    }
    let root = rustix::process::geteuid().is_root();
    if !root {
        not_run(test, "images of other tools hold files of root's");
    }
    root && missing.is_empty()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{program} {arguments:?}: {text}{}", String::from_utf8_lossy(&stderr));
    text
}

/// An image of two layers, one of them with a whiteout.
fn image() -> (TestStore, Image) {
    let test = TestStore::new();
    let layers =
        [layer("etc/greeting", "hello"), support::Tar::new().file("etc/.wh.greeting", "").file("new", "x").bytes()];
    test.load(&docker_archive(&["app:1", "app:2"], &[&layers[0], &layers[1]]).bytes()).unwrap();
    let image = test.store.resolve("app:1").unwrap();
    (test, image)
}

fn save(test: &TestStore, names: &[&str], to: &str) -> PathBuf {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let path = test.root.path().join(to);
    archive::save(&test.store, &names, &mut fs::File::create(&path).unwrap()).unwrap();
    path
}

fn load(path: &Path) -> (TestStore, Vec<String>) {
    let test = TestStore::new();
    let lines = test.load(&fs::read(path).unwrap()).unwrap();
    (test, lines)
}

#[test]
fn skopeo_reads_ours_and_we_read_skopeos() {
    if !installed("skopeo_reads_ours_and_we_read_skopeos", &["skopeo"]) {
        return;
    }
    let (test, image) = image();
    let ours = save(&test, &["app:1"], "ours.tar").display().to_string();
    let target = |name: &str| test.root.path().join(name);
    for (source, kind, extra) in [
        (format!("docker-archive:{ours}:app:1"), "docker-archive", ""),
        (format!("oci-archive:{ours}:1"), "oci-archive", ""),
        (format!("oci-archive:{ours}:1"), "oci-archive", "--dest-compress-format=zstd"),
        // Our store itself, as it lies there.
        (format!("oci:{}/content:app:1", test.root.path().display()), "oci-archive", ""),
    ] {
        let theirs = target("theirs.tar");
        let destination = format!("{kind}:{}:app:3", theirs.display());
        let mut arguments = vec!["copy", "-q", &source, &destination];
        arguments.extend(Some(extra).filter(|e| !e.is_empty()));
        run("skopeo", &arguments);
        let (again, lines) = load(&theirs);
        assert_eq!(lines, ["Loaded image: app:3"], "{source} → {kind} {extra}");
        let loaded = again.store.resolve("app:3").unwrap();
        assert_eq!(loaded.config.rootfs, image.config.rootfs);
        assert_eq!(again.store.size(&loaded).unwrap(), 6);
        fs::remove_file(theirs).unwrap();
    }
}

#[test]
fn umoci_and_skopeo_work_on_our_store_in_place() {
    if !installed("umoci_and_skopeo_work_on_our_store_in_place", &["umoci", "skopeo"]) {
        return;
    }
    let (test, image) = image();
    let layout = test.root.path().join("content").display().to_string();
    assert_eq!(run("umoci", &["ls", "--layout", &layout]).lines().collect::<Vec<_>>(), ["app:1", "app:2"]);
    let inspected = run("skopeo", &["inspect", &format!("oci:{layout}:app:2")]);
    assert!(inspected.contains(&image.manifest_digest.to_string()));
    // What they write there is an image of ours.
    run("skopeo", &["copy", "-q", &format!("oci:{layout}:app:1"), &format!("oci:{layout}:theirs:1")]);
    assert_eq!(test.store.resolve("theirs:1").unwrap().config.rootfs, image.config.rootfs);
    test.store.remove("theirs:1", false, true, &|| Ok(Vec::new())).unwrap();
    assert!(test.store.resolve("app:1").is_ok() && test.store.resolve("theirs:1").is_err());
}

#[test]
fn podman_loads_ours_and_we_load_podmans() {
    if !installed("podman_loads_ours_and_we_load_podmans", &["podman"]) {
        return;
    }
    let (test, image) = image();
    let ours = save(&test, &["app:1"], "ours.tar").display().to_string();
    let root = test.root.path().display();
    let podman = |arguments: &[&str]| {
        let places = [format!("--root={root}/p"), format!("--runroot={root}/pr"), "--storage-driver=vfs".to_owned()];
        run("podman", &[&places.each_ref().map(String::as_str)[..], arguments].concat())
    };
    // Which registry a short name belongs to is a setting of podman's.
    let loaded = podman(&["load", "-q", "-i", &ours]);
    let name = loaded.trim().trim_start_matches("Loaded image: ");
    for format in ["docker-archive", "oci-archive"] {
        let theirs = test.root.path().join(format);
        podman(&["save", "-q", "--format", format, "-o", &theirs.display().to_string(), name]);
        let (again, lines) = load(&theirs);
        assert_eq!(lines, [format!("Loaded image: {}", Reference::parse(name).unwrap())]);
        assert_eq!(again.store.resolve(name).unwrap().config.rootfs, image.config.rootfs);
    }
}

const DOCKERD_TEST: &str = "a_real_dockerd_loads_ours_and_says_the_same";

/// A dockerd of our own, in a folder of our own; ends with the test.
struct Dockerd {
    process: Child,
    host: String,
}

impl Dockerd {
    fn start(root: &Path) -> Option<Self> {
        if !installed(DOCKERD_TEST, &["docker", "dockerd"]) {
            return None;
        }
        let place = |name: &str| root.join(name).display().to_string();
        let host = format!("unix://{}", place("docker.sock"));
        // Its mounts are in a namespace of its own: they go with it.
        let process = Command::new("unshare")
            .args([
                "--mount",
                "dockerd",
                "--host",
                &host,
                "--data-root",
                &place("d"),
                "--exec-root",
                &place("e"),
                "--pidfile",
                &place("pid"),
            ])
            .args(["--iptables=false", "--bridge=none", "--storage-driver=vfs"])
            .stdout(Stdio::null())
            .stderr(fs::File::create(root.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut dockerd = Self { process, host };
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) && dockerd.process.try_wait().unwrap().is_none() {
            if dockerd.docker(&["version"]).status.success() {
                return Some(dockerd);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        not_run(DOCKERD_TEST, &format!("dockerd does not start: {}", fs::read_to_string(root.join("log")).unwrap()));
        None
    }

    fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker").args(["--host", &self.host]).args(arguments).output().unwrap()
    }

    fn says(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.docker(arguments);
        assert!(status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap().trim().to_owned()
    }

    /// What docker prints in front of its refusal is the daemon's word.
    fn refuses(&self, arguments: &[&str]) -> String {
        let Output { status, stderr, .. } = self.docker(arguments);
        assert!(!status.success(), "docker {arguments:?}");
        let text = String::from_utf8(stderr).unwrap();
        text.trim().trim_start_matches("Error response from daemon: ").to_owned()
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        // SIGTERM: it has mounts and a containerd to put away.
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.process), rustix::process::Signal::TERM)
            .unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_real_dockerd_loads_ours_and_says_the_same() {
    let root = tempfile::tempdir().unwrap();
    let Some(dockerd) = Dockerd::start(root.path()) else { return };
    let (test, image) = image();
    let ours = save(&test, &["app:1", "app:2"], "ours.tar").display().to_string();

    assert_eq!(dockerd.says(&["load", "-i", &ours]), "Loaded image: app:1\nLoaded image: app:2");
    assert_eq!(dockerd.says(&["image", "inspect", "app:1", "-f", "{{.Id}}"]), image.id.to_string());
    let theirs = test.root.path().join("theirs.tar");
    dockerd.says(&["save", "-o", &theirs.display().to_string(), "app:1", "app:2"]);
    let (again, lines) = load(&theirs);
    assert_eq!(lines, ["Loaded image: app:1", "Loaded image: app:2"]);
    assert_eq!(again.store.resolve("app:1").unwrap().id, image.id);

    // The same refusals, word for word.
    let short = image.id.short();
    dockerd.says(&["tag", "app:1", "other/app:1"]);
    again.store.tag(&image, &Reference::parse("other/app:1").unwrap()).unwrap();
    for name in ["nothing", "nothing:1", "app", "0000", &short[..6].to_uppercase(), &short, "x@sha256:00"] {
        let own = again.store.remove(name, false, true, &|| Ok(Vec::new())).unwrap_err().to_string();
        let docker = dockerd.refuses(&["rmi", name]);
        // Since version 23 Docker names the repository that is not in lower case.
        let older = own.replace(&format!(" (library/{name})"), "");
        assert!(docker == own || docker == older, "{name}: docker says {docker:?}, we say {own:?}");
    }
    // The same removals, in the same order.
    for name in ["other/app:1", "app:2", "app:1"] {
        let removed = again.store.remove(name, false, true, &|| Ok(Vec::new())).unwrap();
        let own: Vec<String> = removed.iter().map(line).collect();
        assert_eq!(dockerd.says(&["rmi", name]), own.join("\n"));
    }
}

fn line(step: &solution_2::remove::Removed) -> String {
    match step {
        solution_2::remove::Removed::Untagged(name) => format!("Untagged: {name}"),
        solution_2::remove::Removed::Deleted(digest) => format!("Deleted: {digest}"),
    }
}
