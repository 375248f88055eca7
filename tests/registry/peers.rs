//! Everybody else's clients with our registry, and our client with everybody else's registry.

use crate::dockerd::Dockerd;
use crate::served::{HTPASSWD, Served, folder};
use crate::support::{Sandbox, eventually, installed, is_root, not_run};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).stdin(Stdio::null()).output().unwrap()
}

fn ok(program: &str, args: &[&str]) -> String {
    let output = run(program, args);
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn skopeo_copies_from_and_to_our_registry() {
    if !installed("skopeo") {
        return not_run("skopeo_copies_from_and_to_our_registry", "skopeo is not installed");
    }
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox, &[]);
    let at = |name: &str| format!("docker://{}/{name}", served.host);
    sandbox.ok(&["tag", "workbench", &format!("{}/ours", served.host)]);
    sandbox.ok(&["push", "-q", &format!("{}/ours", served.host)]);
    for format in ["oci", "v2s2"] {
        let to = at(&format!("by/skopeo:{format}"));
        let flags = ["--src-tls-verify=false", "--dest-tls-verify=false", "--format", format];
        ok("skopeo", &[&["copy", "-q"], &flags[..], &[&at("ours"), &to]].concat());
        let name = format!("{}/by/skopeo:{format}", served.host);
        assert_eq!(sandbox.ok(&["run", "--rm", &name, "echo", format]), format);
    }
    let listed = ok("skopeo", &["list-tags", "--tls-verify=false", &at("by/skopeo")]);
    assert!(listed.contains("\"oci\"") && listed.contains("\"v2s2\""), "{listed}");
    // What is on disk is an OCI layout, which others read in place.
    let layout = format!("oci:{}:by/skopeo:oci", folder(&sandbox).display());
    assert!(ok("skopeo", &["inspect", &layout]).contains("\"Digest\""));
    ok("skopeo", &["delete", "--tls-verify=false", &at("by/skopeo:oci")]);
    assert!(!run("skopeo", &["inspect", "--tls-verify=false", &at("by/skopeo:oci")]).status.success());
}

#[test]
fn skopeo_looks_at_our_certificate() {
    if !installed("skopeo") {
        return not_run("skopeo_looks_at_our_certificate", "skopeo is not installed");
    }
    let sandbox = Sandbox::new();
    let sealed = Sealed::start(&sandbox);
    let ours = format!("{}/ours", sealed.host);
    sandbox.ok(&["login", "-u", "ana", "-p", "secret", &sealed.host]);
    sandbox.ok(&["tag", "workbench", &ours]);
    sandbox.ok(&["push", "-q", &ours]);
    let (from, to) = (format!("docker://{ours}"), format!("docker://{}/by/skopeo", sealed.host));
    let copy = |user: &str, trusted: &str| {
        let who = ["--src-creds", user, "--dest-creds", user];
        let trust = ["--src-cert-dir", trusted, "--dest-cert-dir", trusted];
        run("skopeo", &[&["copy", "-q"], &who[..], &trust, &[&from, &to]].concat())
    };
    let said = |output: Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let stranger = said(copy("ana:secret", "/nowhere"));
    assert!(stranger.contains("certificate"), "{stranger}");
    let wrong = said(copy("ana:wrong", &sealed.trusted));
    assert!(wrong.contains("unauthorized"), "{wrong}");
    let right = copy("ana:secret", &sealed.trusted);
    assert!(right.status.success(), "{right:?}");
    let name = format!("{}/by/skopeo", sealed.host);
    assert_eq!(sandbox.ok(&["run", "--rm", "--network", "none", &name, "echo", "sealed"]), "sealed");
}

#[test]
fn podman_pulls_and_pushes() {
    let test = "podman_pulls_and_pushes";
    if !installed("podman") || !is_root() {
        return not_run(test, "podman is not installed, or we are not root");
    }
    let sandbox = Sandbox::new();
    let sealed = Sealed::start(&sandbox);
    let (ours, theirs) = (format!("{}/ours", sealed.host), format!("{}/by/podman", sealed.host));
    sandbox.ok(&["login", "-u", "ana", "-p", "secret", &sealed.host]);
    sandbox.ok(&["tag", "workbench", &ours]);
    sandbox.ok(&["push", "-q", &ours]);
    let at = |name: &str| sandbox.path().join(name).display().to_string();
    let podman = |args: &[&str]| {
        let place = ["--root", &at("podman"), "--runroot", &at("podman-run"), "--storage-driver", "vfs"];
        ok("podman", &[&place, args].concat())
    };
    // The same file of credentials does for all.
    let auth = at(".docker/config.json");
    let trust = ["-q", "--cert-dir", &sealed.trusted, "--authfile", &auth];
    podman(&[&["pull"], &trust[..], &[&ours]].concat());
    podman(&[&["push"], &trust[..], &[&ours, &theirs]].concat());
    assert_eq!(sandbox.ok(&["run", "--rm", &theirs, "echo", "by podman"]), "by podman");
}

#[test]
fn docker_pulls_and_pushes() {
    let test = "docker_pulls_and_pushes";
    if !is_root() || !installed("docker") {
        return not_run(test, "docker is not installed, or we are not root");
    }
    let dockerd = match Dockerd::start() {
        Ok(dockerd) => dockerd,
        Err(why) => return not_run(test, &why),
    };
    let sandbox = Sandbox::new();
    let users = sandbox.path().join("htpasswd");
    fs::write(&users, HTPASSWD).unwrap();
    let served = Served::start(&sandbox, &["--htpasswd", &users.display().to_string()]);
    let (ours, theirs) = (format!("{}/ours:v1", served.host), format!("{}/by/docker:v1", served.host));
    sandbox.ok(&["login", "-u", "ana", "-p", "secret", &served.host]);
    sandbox.ok(&["tag", "workbench", &ours]);
    sandbox.ok(&["push", "-q", &ours]);
    let socket = format!("unix://{}", dockerd.socket().display());
    let config = sandbox.path().join(".docker").display().to_string();
    let docker = |args: &[&str]| ok("docker", &[&["--config", &config, "-H", &socket], args].concat());
    assert!(docker(&["pull", &ours]).contains(&format!("Status: Downloaded newer image for {ours}")));
    docker(&["tag", &ours, &theirs]);
    assert!(docker(&["push", &theirs]).contains("v1: digest: sha256:"));
    assert!(docker(&["push", &theirs]).contains("Layer already exists"));
    assert_eq!(sandbox.ok(&["run", "--rm", &theirs, "echo", "by docker"]), "by docker");
    // Another machine has nothing of it yet; and docker calls every layer gzipped that it pushes.
    let other = Sandbox::new();
    other.ok(&["login", "-u", "ana", "-p", "secret", &served.host]);
    assert_eq!(other.ok(&["run", "--rm", &theirs, "echo", "by docker"]), "by docker");
    // The other way: what we push again is what docker has.
    let id = docker(&["images", "-q", "--no-trunc", &theirs]);
    assert_eq!(sandbox.ok(&["images", "-q", "--no-trunc", &theirs]), id);
    let manifest = |output: String| serde_json::from_str::<serde_json::Value>(&output).unwrap();
    let told = manifest(docker(&["manifest", "inspect", "--insecure", &theirs]));
    assert_eq!(manifest(sandbox.ok(&["manifest", "inspect", &theirs])), told);
    docker(&["rmi", "-f", &ours, &theirs]);
    docker(&["login", "-u", "ana", "-p", "secret", &served.host]);
    drop(served);
    // And sealed.
    let sealed = Sealed::start(&sandbox);
    let (ours, theirs) = (format!("{}/ours:v1", sealed.host), format!("{}/by/docker:v1", sealed.host));
    docker(&["login", "-u", "ana", "-p", "secret", &sealed.host]);
    sandbox.ok(&["tag", "workbench", &ours]);
    sandbox.ok(&["push", "-q", &ours]);
    docker(&["pull", &ours]);
    docker(&["tag", &ours, &theirs]);
    assert!(docker(&["push", &theirs]).contains("v1: digest: sha256:"));
    assert_eq!(sandbox.ok(&["run", "--rm", "--network", "none", &theirs, "echo", "sealed"]), "sealed");
    docker(&["rmi", "-f", &ours, &theirs]);
}

/// A registry of ours with users and a certificate.
struct Sealed {
    _served: Served,
    /// `localhost:PORT`, which is what the certificate is for.
    host: String,
    /// A folder with what is to be trusted.
    trusted: String,
}

impl Sealed {
    fn start(sandbox: &Sandbox) -> Self {
        let (users, trusted) = (sandbox.path().join("users"), sandbox.path().join("trusted"));
        fs::write(&users, HTPASSWD).unwrap();
        fs::create_dir_all(&trusted).unwrap();
        fs::copy(certificate("localhost.crt"), trusted.join("ca.crt")).unwrap();
        let files = [users.display().to_string(), certificate("localhost.crt"), certificate("localhost.key")];
        let flags = ["--htpasswd", &files[0], "--tls-cert", &files[1], "--tls-key", &files[2]];
        let served = Served::start(sandbox, &flags);
        let host = served.host.replace("127.0.0.1", "localhost");
        Self { _served: served, host, trusted: trusted.display().to_string() }
    }
}

/// Of `localhost`, for a thousand years.
fn certificate(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions/06-registry/tests/whole");
    folder.join(name).display().to_string()
}

/// Debian's registry.
struct Debians {
    process: Child,
    host: String,
}

impl Debians {
    fn start(sandbox: &Sandbox, name: &str, more: &str, http: &str) -> Self {
        // (Somebody else may take the port in between; then it does not start, which is told.)
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let data = sandbox.path().join(name);
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n{more}http:\n  addr: {host}\n{http}",
            data.display()
        );
        let file = sandbox.path().join(format!("{name}.yml"));
        fs::write(&file, config).unwrap();
        let log = fs::File::create(sandbox.path().join(format!("{name}.log"))).unwrap();
        let process = Command::new("docker-registry").arg("serve").arg(&file).stdout(Stdio::null()).stderr(log).spawn();
        let process = process.unwrap();
        eventually("Debian's registry listens", || std::net::TcpStream::connect(&host).is_ok());
        Self { process, host }
    }
}

impl Drop for Debians {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Pushes, forgets, and pulls again; what was pushed from another repository is mounted.
fn there_and_back(sandbox: &Sandbox, host: &str) {
    let (one, two) = (format!("{host}/team/one:v1"), format!("{host}/team/two:v1"));
    for (name, how) in [(&one, "Pushed"), (&one, "Layer already exists"), (&two, "Mounted from team/one")] {
        sandbox.ok(&["tag", "workbench", name]);
        let told = sandbox.ok(&["push", name]);
        assert!(told.contains(how), "{how}: {told}");
    }
    sandbox.ok(&["rmi", "-f", &one, &two]);
    assert_eq!(sandbox.ok(&["run", "--rm", &two, "echo", "back"]), "back");
    let nothing = sandbox.fails(1, &["pull", &format!("{host}/team/none:v1")]);
    assert!(nothing.contains("not found"), "{nothing}");
}

#[test]
fn our_client_with_debians_registry() {
    if !installed("docker-registry") {
        return not_run("our_client_with_debians_registry", "docker-registry is not installed");
    }
    let sandbox = Sandbox::new();
    let plain = Debians::start(&sandbox, "plain", "", "");
    there_and_back(&sandbox, &plain.host);
    drop(plain);

    let users = sandbox.path().join("htpasswd");
    fs::write(&users, HTPASSWD).unwrap();
    let auth = format!("auth:\n  htpasswd:\n    realm: here\n    path: {}\n", users.display());
    let (chain, key) = (certificate("localhost.crt"), certificate("localhost.key"));
    let tls = format!("  tls:\n    certificate: {chain}\n    key: {key}\n");
    let strict = Debians::start(&sandbox, "strict", &auth, &tls);
    assert!(sandbox.fails(1, &["pull", &format!("{}/x", strict.host)]).contains("no basic auth credentials"));
    let wrong = sandbox.fails(1, &["login", "-u", "ana", "-p", "wrong", &strict.host]);
    assert!(
        wrong.contains(&format!("login attempt to https://{}/v2/ failed with status: 401", strict.host)),
        "{wrong}"
    );
    sandbox.ok(&["login", "-u", "ana", "-p", "secret", &strict.host]);
    there_and_back(&sandbox, &strict.host);
}
