//! Who runs the scenario: a program with its environment.

use super::normal::normal;
use super::step::{Outcome, Step};
use super::support::terminal::Terminal;
use super::support::{Sandbox, eventually};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// One way to run the scenario.
pub(crate) struct Driver {
    pub(crate) name: String,
    command: Box<dyn Fn() -> Command + Sync>,
    tmp: tempfile::TempDir,
}

impl Driver {
    /// The docker client, against whoever listens there.
    pub(crate) fn docker(name: &str, socket: &Path) -> Self {
        let host = format!("unix://{}", socket.display());
        Self::new(name, move |tmp| {
            let mut command = Command::new("docker");
            command.args(["--host", &host]).env("DOCKER_CONFIG", tmp).env("DOCKER_BUILDKIT", "0");
            command
        })
    }

    /// Our command line, without a daemon.
    pub(crate) fn kesako(name: &str, sandbox: &Sandbox) -> Self {
        let (program, root) = (sandbox.std_command::<&str>(&[]).get_program().to_owned(), sandbox.root());
        Self::new(name, move |_| {
            let mut command = Command::new(&program);
            command.env("KESAKO_ROOT", &root);
            command
        })
    }

    fn new(name: &str, command: impl Fn(&Path) -> Command + Sync + 'static) -> Self {
        let tmp = tempfile::Builder::new().prefix("kesako-oracle-").tempdir().unwrap();
        std::fs::write(tmp.path().join("box.tar"), image()).unwrap();
        super::builds::write(&tmp.path().join("context"));
        let folder = tmp.path().to_owned();
        Self { name: name.into(), command: Box::new(move || command(&folder)), tmp }
    }

    /// Runs each step in turn.
    pub(crate) fn tell(&self, steps: &[Step]) -> Vec<Outcome> {
        steps.iter().map(|step| self.run(step)).collect()
    }

    fn run(&self, step: &Step) -> Outcome {
        let tmp = self.tmp.path().to_str().unwrap();
        // The next second: what has just happened is before it.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 1;
        let mut command = (self.command)();
        for arg in &step.args {
            command.arg(arg.replace("{tmp}", tmp).replace("{now}", &now.to_string()));
        }
        if !step.keys.is_empty() {
            let mut terminal = Terminal::start(command);
            for (shown, typed) in &step.keys {
                terminal.expect(shown);
                terminal.type_in(typed);
            }
            let code = terminal.wait().code();
            eventually("the screen is read", || !terminal.screen().is_empty());
            return Outcome { code, stdout: normal(terminal.screen().as_bytes(), tmp), stderr: String::new() };
        }
        let stdin = if step.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), step.stdin) {
            pipe.write_all(text.as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        Outcome { code: output.status.code(), stdout: normal(&output.stdout, tmp), stderr: normal(&output.stderr, tmp) }
    }
}

/// A daemon of ours, told to end when dropped.
pub(crate) struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        let status = self.0.wait().unwrap();
        assert!(std::thread::panicking() || status.success(), "the daemon ended with {status}");
    }
}

/// Starts our daemon, and waits until it listens.
pub(crate) fn serve(sandbox: &Sandbox) -> (Served, PathBuf) {
    let socket = sandbox.path().join("kesako.sock");
    let host = format!("unix://{}", socket.display());
    let daemon = Served(sandbox.std_command(&["daemon", "-H", &host]).spawn().unwrap());
    eventually("the daemon listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    (daemon, socket)
}

/// An image as `import` takes it: busybox, a shell, and the files that a user's name is looked up in.
fn image() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_path_with_name(super::BUSYBOX, "bin/busybox").unwrap();
    for applet in ["sh", "cat", "echo", "env", "id", "ls", "pwd", "sleep", "stty", "touch", "true", "rm"] {
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        link.set_mode(0o777);
        archive.append_link(&mut link, format!("bin/{applet}"), "busybox").unwrap();
    }
    for (path, text) in [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n"),
        ("etc/group", "root:x:0:\nana:x:1000:\nwheel:x:10:ana\n"),
    ] {
        let mut file = tar::Header::new_gnu();
        file.set_size(text.len() as u64);
        file.set_mode(0o644);
        archive.append_data(&mut file, path, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}
