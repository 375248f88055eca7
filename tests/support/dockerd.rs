//! A real dockerd, in a folder of its own: the oracle.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A dockerd without networks of its own, ended when dropped.
pub(crate) struct Dockerd {
    process: Child,
    folder: tempfile::TempDir,
}

impl Dockerd {
    /// Starts one, and waits until it listens.
    ///
    /// # Errors
    /// It is not installed, or does not start here: why, to be told loudly.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("kesako-dockerd-").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        // Its mounts are in a namespace of its own: they go with it, whatever it was busy with.
        let process = Command::new("unshare")
            .args(["--mount", "dockerd", "--iptables=false", "--bridge=none", "--host"])
            .arg(format!("unix://{}", at("d.sock").display()))
            .args([Path::new("--data-root"), &at("data"), Path::new("--exec-root"), &at("exec")])
            .args([Path::new("--pidfile"), &at("pid")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at("log")).unwrap())
            .spawn()
            .map_err(|error| format!("dockerd: {error}"))?;
        let mut dockerd = Self { process, folder };
        let end = Instant::now() + Duration::from_secs(60);
        while std::os::unix::net::UnixStream::connect(dockerd.socket()).is_err() {
            if let Some(status) = dockerd.process.try_wait().unwrap() {
                let log = std::fs::read_to_string(dockerd.folder.path().join("log")).unwrap();
                let last = log.lines().last().unwrap_or_default();
                return Err(format!("dockerd does not start here ({status}): {last}"));
            }
            assert!(Instant::now() < end, "dockerd does not listen after a minute");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(dockerd)
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("d.sock")
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        // SIGTERM: it ends its containers and its containerd.
        Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        self.process.wait().unwrap();
    }
}
