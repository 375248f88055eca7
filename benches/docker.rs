//! A Docker daemon for the comparison alone: its own socket, its own data, no bridge and no rules.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub(crate) struct Daemon {
    process: Child,
    folder: PathBuf,
}

impl Daemon {
    /// Starts it, and waits until it answers.
    #[allow(dead_code, reason = "not every comparison is without networks")]
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, &["--iptables=false", "--bridge=none"])
    }

    /// The same with these flags besides.
    pub(crate) fn start_with(folder: &Path, flags: &[&str]) -> Result<Self> {
        anyhow::ensure!(rustix::process::geteuid().is_root(), "dockerd needs root");
        let folder = folder.join("docker");
        std::fs::create_dir(&folder)?;
        let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let process = Command::new("dockerd")
            .args(["--host", &format!("unix://{}", at("sock")), "--data-root", &at("data"), "--exec-root", &at("exec")])
            .args(["--pidfile", &at("pid")])
            .args(flags)
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log"))?)
            .spawn()
            .context("dockerd is not installed")?;
        let mut daemon = Self { process, folder };
        for _ in 0..150 {
            if daemon.docker(&["version"]).output().context("docker is not installed")?.status.success() {
                return Ok(daemon);
            }
            if let Some(status) = daemon.process.try_wait()? {
                bail!("dockerd ended at once ({status}): {}", std::fs::read_to_string(daemon.folder.join("log"))?);
            }
            sleep(Duration::from_millis(200));
        }
        bail!("dockerd does not answer within 30 s")
    }

    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.folder.join("sock").display())
    }

    /// Makes the image `workbench` from a folder.
    #[allow(dead_code, reason = "not every comparison has an image made here")]
    pub(crate) fn import(&self, rootfs: &str) -> Result<()> {
        let mut tar = Command::new("tar").args(["-C", rootfs, "-c", "."]).stdout(Stdio::piped()).spawn()?;
        let stream = tar.stdout.take().context("no pipe from tar")?;
        let imported = self.docker(&["import", "-", "workbench"]).stdin(stream).output()?;
        tar.wait()?;
        anyhow::ensure!(imported.status.success(), "docker import: {}", String::from_utf8_lossy(&imported.stderr));
        Ok(())
    }

    fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(["-H", &self.host()]).args(arguments);
        command
    }
}

impl Drop for Daemon {
    /// SIGTERM, so that it takes its containerd and its mounts along; then its cgroup folders, which it always leaves.
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        let ended =
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).is_ok() && self.process.wait().is_ok();
        if !ended {
            eprintln!("dockerd (PID {pid}) may still be running");
        }
        // As long as its network namespace folder is mounted, the folder around it cannot go.
        for mount in ["exec/netns/default", "exec/netns"] {
            rustix::mount::unmount(self.folder.join(mount), rustix::mount::UnmountFlags::DETACH).ok();
        }
        // Fails, as it should, where another daemon has a container.
        for tree in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            std::fs::remove_dir(tree.path().join("docker")).ok();
        }
    }
}
