//! A place for containers that needs no rights: a user, mount and PID-less namespace around one test, and a root folder
//! in it.
#![allow(unsafe_code)]

use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use process::oci;
use process::{Error, ExitStatus, Options, Rootfs, Running, Streams, defaults, join, launch};
use rustix::mount::{MountPropagationFlags, mount_change};

const INSIDE: &str = "KESAKO_INSIDE_NAMESPACE";

/// Runs the body as root of a new user namespace: by executing this test, and it alone, once more. (The test runner has
/// threads, and unshare(2) refuses them a user namespace; the child of a fork has one.)
pub(super) fn sandboxed(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return unchanged(body);
    }
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let (uid_map, gid_map) = (format!("0 {uid} 1\n"), format!("0 {gid} 1\n"));
    let mut again = Command::new(std::env::current_exe().unwrap());
    let name = format!("{}::{test}", module_path!().split("::").nth(1).unwrap());
    again.args([&*name, "--exact", "--nocapture"]).env(INSIDE, "1");
    let enter = move || {
        use nix::sched::CloneFlags;
        nix::sched::unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
        for (file, text) in
            [(c"/proc/self/setgroups", "deny"), (c"/proc/self/uid_map", &*uid_map), (c"/proc/self/gid_map", &*gid_map)]
        {
            let file = rustix::fs::open(file, rustix::fs::OFlags::WRONLY, rustix::fs::Mode::empty())?;
            rustix::io::write(&file, text.as_bytes())?;
        }
        // What others mount meanwhile on the host is none of this test's business.
        Ok(mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?)
    };
    // SAFETY: the closure makes system calls only; its strings were made before the fork.
    unsafe { again.pre_exec(enter) };
    match again.output() {
        Ok(output) => assert!(output.status.success(), "\n{}\n", super::retold::retell(&output)),
        Err(error) => super::not_run::not_run(&name, &format!("this kernel refuses user namespaces: {error}")),
    }
}

/// A container that has ended leaves nothing with its engine: no mount, no child, no open file.
fn unchanged(body: impl FnOnce()) {
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let (mounts_before, files_before) = (mounts(), files());
    body();
    // Some may be gone meanwhile: the kernel takes down what is mounted on a folder that others remove.
    for mount in mounts().lines() {
        assert!(mounts_before.lines().any(|before| before == mount), "a mount was left behind: {mount}");
    }
    assert_eq!(files(), files_before, "open files were left behind");
    let child = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
    assert_eq!(child.map(drop), Err(rustix::io::Errno::CHILD), "a child was left behind");
}

/// A root folder with the host's programs in it (read-only, by bind mounts), and the specification of a container there.
pub(super) struct Bundle {
    pub(super) folder: tempfile::TempDir,
    pub(super) spec: oci::Spec,
    pub(super) init: bool,
}

impl Bundle {
    pub(super) fn new(script: &str) -> Self {
        Self::with(&["/bin/sh", "-c", script])
    }

    pub(super) fn with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bundle = Self { folder, spec: defaults::spec(), init: false };
        for name in ["bin", "sbin", "lib", "lib64", "usr"] {
            let host = Path::new("/").join(name);
            if let Ok(target) = std::fs::read_link(&host) {
                std::os::unix::fs::symlink(target, bundle.path(name)).unwrap();
            } else if host.is_dir() {
                bundle.mount(&host, &host, "rbind,ro");
            }
        }
        std::fs::create_dir(bundle.path("tmp")).unwrap();
        bundle.process(|process| {
            process.set_args(Some(arguments.iter().map(|&argument| argument.to_owned()).collect()));
        });
        bundle.spec.set_hostname(Some("inside".to_owned()));
        bundle
    }

    /// A path in the root folder, as the host sees it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn mount(&mut self, source: &Path, destination: &Path, options: &str) {
        let mut mount = oci::Mount::default();
        mount
            .set_source(Some(source.to_owned()))
            .set_destination(destination.to_owned())
            .set_typ(Some("bind".to_owned()))
            .set_options(Some(options.split(',').map(str::to_owned).collect()));
        self.spec.mounts_mut().as_mut().unwrap().push(mount);
    }

    pub(super) fn process(&mut self, change: impl FnOnce(&mut oci::Process)) {
        change(self.spec.process_mut().as_mut().unwrap());
    }

    pub(super) fn linux(&mut self, change: impl FnOnce(&mut oci::Linux)) {
        change(self.spec.linux_mut().as_mut().unwrap());
    }

    /// Starts it; what it writes goes to the file.
    pub(super) fn start(&self) -> Result<(Running, Output), Error> {
        let output = Output::new();
        let options = Options { init: self.init, ..Options::default() };
        launch(&self.spec, Rootfs::Path(self.folder.path().to_owned()), output.streams(), &options)
            .map(|running| (running, output))
    }

    /// Runs it to its end.
    pub(super) fn run(&self) -> Ended {
        let (running, mut output) = self.start().unwrap_or_else(|error| panic!("the container did not start: {error}"));
        let status = running.wait().unwrap();
        Ended { status, output: output.text() }
    }

    /// What it wrote, given that it ended well.
    pub(super) fn output(&self) -> String {
        let ended = self.run();
        assert_eq!(ended.status, ExitStatus::Exited(0), "it wrote: {}", ended.output);
        ended.output.trim_end().to_owned()
    }

    pub(super) fn error(&self) -> Error {
        match self.start() {
            Err(error) => error,
            Ok((running, _)) => panic!("it started, and ended with {:?}", running.wait()),
        }
    }

    /// `exec` in it.
    pub(super) fn join(&self, running: &Running, arguments: &[&str]) -> Result<(Running, Output), Error> {
        let mut process = self.spec.process().clone().unwrap();
        process.set_args(Some(arguments.iter().map(|&argument| argument.to_owned()).collect()));
        let output = Output::new();
        join(running.pid, &self.spec, &process, output.streams(), &Options::default()).map(|running| (running, output))
    }

    pub(super) fn exec(&self, running: &Running, script: &str) -> String {
        let (joined, mut output) = self.join(running, &["/bin/sh", "-c", script]).unwrap();
        assert_eq!(joined.wait().unwrap(), ExitStatus::Exited(0));
        output.text().trim_end().to_owned()
    }
}

pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: String,
}

/// Standard output and error in one file; no input.
#[derive(Debug)]
pub(super) struct Output(std::fs::File);

impl Output {
    pub(super) fn new() -> Self {
        Self(tempfile::tempfile().unwrap())
    }

    pub(super) fn streams(&self) -> Streams {
        let file = || OwnedFd::from(self.0.try_clone().unwrap());
        Streams::Fds { stdin: std::fs::File::open("/dev/null").unwrap().into(), stdout: file(), stderr: file() }
    }

    pub(super) fn text(&mut self) -> String {
        let mut text = String::new();
        self.0.rewind().unwrap();
        self.0.read_to_string(&mut text).unwrap();
        text
    }

    /// Waits until it has written this.
    pub(super) fn expect(&mut self, wanted: &str) {
        for _ in 0..1000 {
            if self.text().contains(wanted) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("waited for {wanted:?}, and saw only {:?}", self.text());
    }
}

/// Ends a container that would go on.
pub(super) fn kill(running: &Running) {
    running.signal(9).unwrap();
    assert_eq!(running.wait().unwrap(), ExitStatus::Killed(9));
}
