//! `cp`, as a user has it: into and out of containers that run and that do not, and whatever they try meanwhile.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/dockerd.rs"]
mod dockerd;
mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use support::{Sandbox, eventually, installed, is_root, not_run};

/// A folder of the sandbox's user, with something in it.
fn folder(sandbox: &Sandbox, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = sandbox.path().join(name);
    let owner = fs::metadata(sandbox.path()).unwrap();
    let own = |path: &Path| std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::create_dir_all(&path).unwrap();
    own(&path);
    for (file, text) in files {
        let file = path.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        own(file.parent().unwrap());
        own(&file);
    }
    path
}

/// A container that runs this script.
fn start(sandbox: &Sandbox, name: &str, flags: &[&str], script: &str) {
    let run = ["run", "-d", "--network", "none", "--name", name];
    sandbox.ok(&[&run, flags, &["workbench", "sh", "-c", script]].concat());
}

fn exec(sandbox: &Sandbox, container: &str, script: &str) -> String {
    sandbox.ok(&["exec", container, "sh", "-c", script])
}

#[test]
fn what_is_copied_is_the_same_whether_the_container_runs_or_not() {
    Sandbox::each(|sandbox| {
        let there = folder(sandbox, "there", &[("file", "one\n"), ("deep/er/file", "two\n")]);
        fs::set_permissions(there.join("deep/er"), fs::Permissions::from_mode(0o2751)).unwrap();
        fs::hard_link(there.join("file"), there.join("again")).unwrap();
        symlink("/nowhere/at/all", there.join("link")).unwrap();
        let there = there.to_str().unwrap();
        let back = |name: &str| sandbox.path().join(name);

        start(sandbox, "c1", &["-v", "volume:/v", "--tmpfs", "/memory"], "sleep 1000");
        for place in ["/", "/v/", "/memory/"] {
            sandbox.ok(&["cp", there, &format!("c1:{place}")]);
        }
        let look = "for d in / /v /memory; do cd $d/there; cat file deep/er/file; stat -c '%a %h %u:%g' deep/er again; readlink link; done";
        let seen = exec(sandbox, "c1", look);
        assert_eq!(seen, ["one\ntwo\n2751 2 0:0\n644 2 0:0\n/nowhere/at/all"; 3].join("\n"));
        for (source, name) in [("/memory/there", "memory"), ("/v/there/.", "running")] {
            sandbox.ok(&["cp", &format!("c1:{source}"), back(name).to_str().unwrap()]);
        }
        sandbox.ok(&["kill", "c1"]);

        // It does not run any more: the volume is there, the memory is not.
        sandbox.ok(&["cp", "c1:/v/there", back("stopped").to_str().unwrap()]);
        sandbox.ok(&["cp", &format!("{there}/file"), "c1:/v/there/late"]);
        sandbox.ok(&["cp", "-L", &format!("{there}/again"), "c1:/late"]);
        let missing = sandbox.fails(1, &["cp", "c1:/memory/there", back("no").to_str().unwrap()]);
        assert_eq!(missing, "Error response from daemon: Could not find the file /memory/there in container c1\n");
        for name in ["memory", "running", "stopped"] {
            let copy = back(name);
            assert_eq!(fs::read_to_string(copy.join("deep/er/file")).unwrap(), "two\n", "{name}");
            assert_eq!(fs::metadata(copy.join("deep/er")).unwrap().mode() & 0o7777, 0o2751);
            assert_eq!(fs::metadata(copy.join("file")).unwrap().nlink(), 2);
            assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("/nowhere/at/all"));
            let (mine, its) = (fs::metadata(there).unwrap(), fs::metadata(copy.join("file")).unwrap());
            assert_eq!((mine.uid(), mine.gid()), (its.uid(), its.gid()), "what comes out is whose who copies");
        }
        let changes = sandbox.ok(&["diff", "c1"]);
        assert!(changes.contains("A /late") && !changes.contains("/v") && !changes.contains("/memory"), "{changes}");
        sandbox.ok(&["start", "c1"]);
        assert_eq!(exec(sandbox, "c1", "cat /v/there/late /late"), "one\none");
        let told = sandbox.ok(&["events", "--since", "1", "--until", &now(), "--format", "{{.Action}}"]);
        assert!(told.contains("archive-path") && told.contains("extract-to-dir"), "{told}");
        sandbox.ok(&["rm", "-f", "c1"]);
        sandbox.ok(&["volume", "rm", "volume"]);
    });
}

fn now() -> String {
    (std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 1).to_string()
}

#[test]
fn archives_go_in_and_out_by_the_standard_streams() {
    Sandbox::each(|sandbox| {
        start(sandbox, "c1", &[], "mkdir -p /a/b; echo x > /a/b/x; exec sleep 1000");
        eventually("it has written", || sandbox.output(&["cp", "c1:/a/b/x", "-"]).status.success());
        let archive = sandbox.output(&["cp", "c1:/a", "-"]).stdout;
        let names = |archive: &[u8]| {
            let mut archive = tar::Archive::new(archive);
            let entries = archive.entries().unwrap();
            entries.map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&archive), "a/ a/b/ a/b/x");
        assert_eq!(names(&sandbox.output(&["cp", "c1:/a/b/.", "-"]).stdout), "./ ./x");
        let all = names(&sandbox.output(&["cp", "c1:/", "-"]).stdout);
        assert!(all.contains("/a/b/x") && all.contains("/proc/"), "{all}");
        assert!(!all.contains("/proc/1") && !all.contains("/sys/kernel") && !all.contains("/dev/null"), "{all}");
        // As it is, and compressed.
        let mut zipped =
            std::process::Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        zipped.stdin.take().unwrap().write_all(&archive).unwrap();
        let zipped = zipped.wait_with_output().unwrap().stdout;
        for (archive, place) in [(archive, "/tmp"), (zipped, "/home")] {
            let mut copy = sandbox.kesako(&["cp", "-", &format!("c1:{place}")]);
            copy.write_stdin(archive).assert().success();
            assert_eq!(exec(sandbox, "c1", &format!("cat {place}/a/b/x")), "x");
        }
        let refused = sandbox.kesako(&["cp", "-", "c1:/tmp"]).write_stdin("no archive at all").assert().code(1);
        assert!(!refused.get_output().stderr.is_empty());
    });
}

#[test]
fn a_user_of_the_container_gets_what_is_copied_with_a() {
    let sandbox = Sandbox::new();
    if !sandbox.is_root() {
        return not_run("a_user_of_the_container_gets_what_is_copied_with_a", "it needs root");
    }
    folder(&sandbox, "mine", &[("file", "x")]);
    start(&sandbox, "c1", &["-u", "123:45"], "sleep 1000");
    sandbox.ok(&["cp", "mine", "c1:/plain"]);
    sandbox.ok(&["cp", "-a", "mine", "c1:/archive"]);
    assert_eq!(exec(&sandbox, "c1", "stat -c %u:%g /plain/file /archive /archive/file"), "0:0\n123:45\n123:45");
}

#[test]
fn what_is_mounted_stays_mounted() {
    Sandbox::each(|sandbox| {
        folder(sandbox, "mine", &[("hosts", "1.2.3.4 evil\n"), ("v", "no folder\n")]);
        start(sandbox, "c1", &["-v", "kept:/v", "--read-only", "--tmpfs", "/t"], "echo > /v/file; exec sleep 1000");
        let refused = sandbox.fails(1, &["cp", "mine/hosts", "c1:/"]);
        assert_eq!(refused, "Error response from daemon: container rootfs is marked read-only\n");
        sandbox.ok(&["cp", "mine/hosts", "c1:/t"]);
        start(sandbox, "c2", &["-v", "kept:/v"], "sleep 1000");
        let refused = sandbox.fails(1, &["cp", "mine/hosts", "c2:/etc/hosts"]);
        assert!(refused.contains("device or resource busy"), "{refused}");
        assert!(exec(sandbox, "c2", "cat /etc/hosts").contains("localhost"));
        let refused = sandbox.fails(1, &["cp", "mine/v", "c2:/"]);
        assert!(refused.contains("cannot overwrite directory \"/v\" with non-directory \"/\""), "{refused}");
        assert_eq!(exec(sandbox, "c2", "ls /v"), "file");
    });
}

/// The container exchanges a folder for a link to a folder of the host, all the time. What is copied may come from either, in
/// the container; never from the host.
#[test]
fn a_container_that_swaps_its_paths_gains_nothing() {
    Sandbox::each(|sandbox| {
        let host = folder(sandbox, "host", &[("secret", "HOST\n"), ("sub/secret", "HOST\n")]);
        let mine = folder(sandbox, "mine", &[("planted", "planted\n")]);
        let up = "../".repeat(20);
        let script = format!(
            "mkdir -p /race/a/sub /race/real; cd /race; echo mine > a/secret; echo mine > a/sub/secret; ln -s {0} b; ln -s {up}{0} c; \
             mv a x; touch ready; while :; do mv x a; mv b x; mv x b; mv c x; mv x c; mv a x; done",
            host.display()
        );
        start(sandbox, "racing", &[], &script);
        eventually("it has begun", || sandbox.output(&["cp", "racing:/race/ready", "-"]).status.success());
        let mut copied = 0;
        for round in 0..100 {
            let path = ["x/secret", "x/sub/secret", "x", "x/", "x/."][round % 5];
            let output = sandbox.output(&["cp", &format!("racing:/race/{path}"), "-"]);
            assert!(!output.stdout.windows(4).any(|window| window == b"HOST"), "{path}: read on the host");
            copied += usize::from(output.status.success());
            let path = ["x", "x/", "x/sub/.", "x/sub"][round % 4];
            sandbox.output(&["cp", "mine/.", &format!("racing:/race/{path}")]);
        }
        assert!(copied > 0, "it was never there");
        let mut names: Vec<_> = fs::read_dir(&host).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["secret", "sub"], "written on the host");
        assert_eq!(fs::read_dir(host.join("sub")).unwrap().count(), 1, "written on the host");
        assert_eq!(fs::read_dir(&mine).unwrap().count(), 1);
    });
}

/// A file that becomes a device between the look at it and the copy is not read: what is on a disk of the host, say.
#[test]
fn a_device_in_the_place_of_a_file_is_not_read() {
    let sandbox = Sandbox::new();
    if !sandbox.is_root() {
        return not_run("a_device_in_the_place_of_a_file_is_not_read", "it needs root, to make a device");
    }
    // /dev/urandom, which is no zeros.
    let script = "cd /; head -c 40000 /dev/zero > a; mknod b c 1 9; mv a x; touch ready; while :; do mv x a; mv b x; mv x b; mv a x; done";
    start(&sandbox, "racing", &[], script);
    eventually("it has begun", || sandbox.output(&["cp", "racing:/ready", "-"]).status.success());
    let mut copied = 0;
    for _ in 0..100 {
        let output = sandbox.output(&["cp", "racing:/x", "-"]);
        if !output.status.success() {
            continue;
        }
        for entry in tar::Archive::new(&output.stdout[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert!(content.iter().all(|byte| *byte == 0), "read from a device");
            copied += content.len();
        }
    }
    assert!(copied > 0, "it was never there");
}

/// Archives that lie, in both directions.
#[test]
fn an_archive_reaches_nothing_outside() {
    Sandbox::each(|sandbox| {
        let host = folder(sandbox, "host", &[("file", "untouched\n")]);
        let mut archive = tar::Builder::new(Vec::new());
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        link.set_mode(0o777);
        archive.append_link(&mut link, "way", &host).unwrap();
        let mut file = tar::Header::new_gnu();
        file.set_size(5);
        file.set_mode(0o644);
        archive.append_data(&mut file, "way/file", &b"evil\n"[..]).unwrap();
        let archive = archive.into_inner().unwrap();
        start(sandbox, "c1", &[], "sleep 1000");
        sandbox.kesako(&["cp", "-", "c1:/tmp"]).write_stdin(archive.clone()).assert().failure();
        assert_eq!(fs::read_to_string(host.join("file")).unwrap(), "untouched\n");
        assert_eq!(exec(sandbox, "c1", &format!("ls -d {} 2>/dev/null || echo none", host.display())), "none");
        let mut climbing = archive;
        climbing[..10].copy_from_slice(b"../outside");
        sandbox.kesako(&["cp", "-", "c1:/tmp"]).write_stdin(climbing).assert().failure();
        assert_eq!(exec(sandbox, "c1", "ls -d /outside 2>/dev/null || echo none"), "none");
    });
}

#[test]
fn a_copy_that_is_killed_leaves_nothing() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&["create", "--name", "c1", "--network", "none", "-v", "volume:/v", "workbench", "sleep", "1000"]);
        for command in [["cp", "-", "c1:/v"], ["cp", "c1:/", "-"]] {
            let mut copy = sandbox.std_command(&command);
            let mut copy = copy.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            if command[1] == "-" {
                copy.stdin.as_mut().unwrap().write_all(&[0; 100]).unwrap();
            } else {
                copy.stdout.as_mut().unwrap().read_exact(&mut [0; 100]).unwrap();
            }
            copy.kill().unwrap();
            copy.wait().unwrap();
        }
        sandbox.ok(&["start", "c1"]);
        sandbox.ok(&["rm", "-f", "c1"]);
        sandbox.ok(&["volume", "rm", "volume"]);
    });
}

#[test]
fn our_cp_copies_to_and_from_a_real_dockerd() {
    let test = "our_cp_copies_to_and_from_a_real_dockerd";
    for (there, what) in [
        (is_root(), "root"),
        (installed("docker"), "the docker client"),
        (Path::new("/bin/busybox").exists(), "a static busybox"),
    ] {
        if !there {
            return not_run(test, &format!("it needs {what}"));
        }
    }
    let dockerd = match dockerd::Dockerd::start() {
        Ok(dockerd) => dockerd,
        Err(why) => return not_run(test, &why),
    };
    let sandbox = Sandbox::new();
    let host = format!("unix://{}", dockerd.socket().display());
    let mut image = tar::Builder::new(Vec::new());
    image.append_path_with_name("/bin/busybox", "bin/sleep").unwrap();
    image.append_path_with_name("/bin/busybox", "bin/cat").unwrap();
    let image = image.into_inner().unwrap();
    let ours = |args: &[&str]| sandbox.ok(&[&["-H", &host], args].concat());
    sandbox.kesako(&["-H", &host, "import", "-", "box"]).write_stdin(image).assert().success();
    ours(&["run", "-d", "--name", "c1", "--network", "none", "box", "sleep", "1000"]);
    folder(&sandbox, "mine", &[("a/b", "x\n")]);
    ours(&["cp", "mine/a", "c1:/made"]);
    assert_eq!(ours(&["exec", "c1", "cat", "/made/b"]), "x");
    ours(&["cp", "c1:/made/.", "back"]);
    assert_eq!(fs::read_to_string(sandbox.path().join("back/b")).unwrap(), "x\n");
    let refused = sandbox.fails(1, &["-H", &host, "cp", "c1:/nope", "back"]);
    assert_eq!(refused, "Error response from daemon: Could not find the file /nope in container c1\n");
    ours(&["rm", "-f", "c1"]);
}
