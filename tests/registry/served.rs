//! A registry of ours, in a process of its own.

use crate::support::Sandbox;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// `ana:secret`, as `htpasswd -B` writes it.
pub const HTPASSWD: &str = "ana:$2b$04$9wMqEGpqXTfVk6uXl872Ze1ugoyP2akcBAmzaNLtI3wEhKmCarNji\n";

pub struct Served {
    pub process: Child,
    /// `127.0.0.1:PORT`.
    pub host: String,
}

impl Served {
    /// Serves the folder `registry` of the sandbox.
    pub fn start(sandbox: &Sandbox, more: &[&str]) -> Self {
        Self::at(sandbox, "127.0.0.1:0", more)
    }

    pub fn at(sandbox: &Sandbox, address: &str, more: &[&str]) -> Self {
        let folder = folder(sandbox).display().to_string();
        let args = [&["registry", "serve", "--addr", address, "--root", &folder], more].concat();
        let mut process = sandbox.std_command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut told = BufReader::new(process.stderr.take().unwrap());
        told.read_line(&mut line).unwrap();
        // Whatever else it says is not to fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::stderr()));
        let host = line.split("://").nth(1).and_then(|rest| rest.split(',').next());
        let host = host.unwrap_or_else(|| panic!("it does not serve: {line}")).to_owned();
        Self { process, host }
    }

    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::forget(self);
    }
}

impl Drop for Served {
    /// SIGTERM: it ends what it is answering, and is gone.
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let status = self.process.wait().unwrap();
        if !std::thread::panicking() {
            assert!(status.success(), "{status}");
        }
    }
}

pub fn folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("registry")
}

/// Makes an image with a layer of its own, of so many bytes that no compression makes less of.
pub fn build(sandbox: &Sandbox, name: &str, bytes: usize) {
    let context = sandbox.path().join("context");
    std::fs::create_dir_all(&context).unwrap();
    let dockerfile = format!("FROM workbench\nRUN head -c {bytes} /dev/urandom > /data\n");
    std::fs::write(context.join("Dockerfile"), dockerfile).unwrap();
    sandbox.ok(&["build", "-q", "--no-cache", "-t", name, &context.display().to_string()]);
}
