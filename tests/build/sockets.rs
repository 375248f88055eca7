//! Builds by a daemon: for our own client, for Docker's, and for whoever speaks HTTP.

use crate::place::{Place, ends};
use crate::support::{Sandbox, eventually, installed, not_run};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};

/// A daemon, told to end when dropped.
struct Served {
    process: Child,
    socket: PathBuf,
}

impl Served {
    fn by(sandbox: &Sandbox) -> Self {
        let socket = sandbox.path().join("kesako.sock");
        let process = sandbox.spawn(&["daemon", "-H", &format!("unix://{}", socket.display())]);
        eventually("the daemon listens", || UnixStream::connect(&socket).is_ok());
        Self { process, socket }
    }

    fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn our_own_client_sends_what_the_daemon_cannot_open() {
    Sandbox::each(|sandbox| {
        let served = Served::by(sandbox);
        let (host, place) = (served.host(), Place::new(sandbox));
        place.file("a", "sent").file("ignored", "x").file(".dockerignore", "ignored");
        place.dockerfile("FROM workbench\nCOPY . /all\nRUN cat /all/a\nCMD ls -A /all\n");
        let build = |flags: &[&str]| sandbox.output(&[&["-H", &host][..], &place.words(flags)].concat());
        let told = |output: std::process::Output| String::from_utf8(output.stderr).unwrap();
        let first = told(build(&["-t", "built"]));
        assert!(first.lines().any(|line| line.starts_with('#') && line.ends_with(" sent")), "{first}");
        assert_eq!(ends(&first), "DONE DONE");
        assert_eq!(ends(&told(build(&[]))), "CACHED CACHED", "another copy of the same files");
        assert_eq!(sandbox.ok(&["run", "--rm", "built"]), ".dockerignore\nDockerfile\na");
        for flags in [&["-o", "out"][..], &["--build-context", "x=/etc"], &["--ssh", "x=/dev/null"]] {
            let refused = told(build(flags));
            assert!(refused.contains("the daemon does not open files"), "{refused}");
        }
        assert!(!sandbox.path().join("out").exists());
    });
}

#[test]
fn a_client_that_leaves_takes_its_build_with_it() {
    let sandbox = Sandbox::new();
    let served = Served::by(&sandbox);
    let place = Place::new(&sandbox);
    place.dockerfile("FROM workbench\nRUN exec sleep 3219\n");
    let host = served.host();
    let words = [&["-H", &host][..], &place.words(&[])].concat();
    let sleeps = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter(|process| std::fs::read(process.path().join("cmdline")).is_ok_and(|c| c == b"sleep\x003219\x00"))
            .count()
    };
    let mut client = sandbox.spawn(&words);
    eventually("the command runs", || sleeps() == 1);
    client.kill().unwrap();
    client.wait().unwrap();
    eventually("it has ended", || sleeps() == 0 && place.drafts().is_empty());
    // Asked to, it says goodbye.
    let client = sandbox.spawn(&words);
    eventually("the command runs", || sleeps() == 1);
    Command::new("kill").args(["-INT", &client.id().to_string()]).status().unwrap();
    assert_eq!(client.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!((sleeps(), place.drafts().len()), (0, 0));
}

#[test]
fn dockers_own_client() {
    let test = "dockers_own_client";
    if !installed("docker") {
        return not_run(test, "it needs the docker client");
    }
    let sandbox = Sandbox::new();
    let served = Served::by(&sandbox);
    let place = Place::new(&sandbox);
    place
        .file("a", "sent")
        .dockerfile("FROM workbench\nENV A=1\nCOPY a /\nRUN cat /a; exit $CODE\nCMD [\"cat\", \"/a\"]\n");
    let docker = |words: &[&str]| {
        let mut command = Command::new("docker");
        command.args(words).env("DOCKER_HOST", served.host()).env("DOCKER_BUILDKIT", "0");
        command.env("DOCKER_CONFIG", sandbox.path()).current_dir(sandbox.path()).output().unwrap()
    };
    let built = docker(&["build", "-t", "built", "-t", "second:tag", "context"]);
    assert!(built.status.success(), "{built:?}");
    insta::with_settings!({ filters => vec![
        (r"\b[0-9a-f]{12}\b", "<id>"), (r"(?m)^Sending build context.*\n", ""),
    ] }, {
        insta::assert_snapshot!("docker_build", String::from_utf8(built.stdout).unwrap().replace('\r', ""));
    });
    let again = String::from_utf8(docker(&["build", "--compress", "context"]).stdout).unwrap();
    assert_eq!(again.matches(" ---> Using cache\n").count(), 4, "{again}");
    let quiet = docker(&["build", "-q", "context"]);
    assert_eq!(quiet.stdout, docker(&["images", "-q", "--no-trunc", "built"]).stdout);
    place.dockerfile("FROM workbench\nRUN exit 3\n");
    let failed = docker(&["build", "context"]);
    assert_eq!(failed.status.code(), Some(3), "the command's own code");
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(said.contains("The command '/bin/sh -c exit 3' returned a non-zero code: 3"), "{said}");
    let refused = String::from_utf8(docker(&["build", "--memory", "1g", "context"]).stderr).unwrap();
    assert!(refused.contains("memory: not supported"), "{refused}");
}

/// No path that is named in a request is opened: it would be the daemon's, who may be root.
#[test]
fn a_request_through_a_socket_names_no_files() {
    let sandbox = Sandbox::new();
    let served = Served::by(&sandbox);
    let ask = |options: serde_json::Value| {
        let document = options.to_string();
        let mut stream = UnixStream::connect(&served.socket).unwrap();
        let length = document.len();
        let head = format!(
            "POST /build?kesako={length} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + &document).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for options in [
        serde_json::json!({ "context_folder": "/" }),
        serde_json::json!({ "contexts": { "a": "/etc" } }),
        serde_json::json!({ "ssh": [["default", ["/run/agent"]]] }),
        serde_json::json!({ "outputs": [{ "kind": "local", "dest": "/tmp/never" }] }),
    ] {
        let answer = ask(options);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("does not open files"), "{answer}");
    }
    let nonsense = ask(serde_json::json!(["x"]));
    assert!(nonsense.starts_with("HTTP/1.1 400 "), "{nonsense}");
}
