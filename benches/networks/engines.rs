//! Kesako, and Docker if it is here. The image is Kesako's `workbench` for both.

use crate::docker::Daemon;
use anyhow::{Context, Result};
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who takes part.
pub(crate) struct Engines {
    pub(crate) kesako: Engine,
    pub(crate) docker: Option<Engine>,
    pub(crate) folder: PathBuf,
    pub(crate) rootfs: PathBuf,
    /// Ends with this.
    _daemon: Option<Daemon>,
}

/// A command line.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    words: Vec<String>,
    root: PathBuf,
    user: Option<u32>,
}

impl Engines {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let root = folder.join("kesako");
        let engine = |name, words: Vec<String>| Engine { name, words, root: root.clone(), user: None };
        let kesako = engine("kesako", vec![beside_me("kesako")?]);
        let rootfs = folder.join("rootfs");
        std::fs::create_dir(&rootfs)?;
        let id = kesako.tell(&["create", "workbench", "true"])?;
        let unpacked = format!("'{}' export {id} | tar -x -C '{}'", beside_me("kesako")?, rootfs.display());
        let status = Command::new("sh").args(["-ec", &unpacked]).env("KESAKO_ROOT", &root).status()?;
        anyhow::ensure!(status.success(), "kesako export workbench failed");
        kesako.tell(&["rm", &id])?;
        let daemon = Daemon::start_with(folder, &[])
            .and_then(|daemon| daemon.import(rootfs.to_str().context("not UTF-8")?).map(|()| daemon));
        let (docker, daemon) = match daemon {
            Ok(daemon) => (Some(engine("docker", vec!["docker".into(), "-H".into(), daemon.host()])), Some(daemon)),
            Err(error) => {
                eprintln!("docker is left out: {error:#}");
                (None, None)
            }
        };
        Ok(Self { kesako, docker, folder: folder.to_owned(), rootfs, _daemon: daemon })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Engine> {
        std::iter::once(&self.kesako).chain(&self.docker)
    }
}

impl Engine {
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(words).env("KESAKO_ROOT", &self.root);
        self.user.iter().for_each(|user| {
            command.uid(*user).gid(*user).current_dir("/");
        });
        command
    }

    /// The same, of somebody else, who can reach neither this one's binary nor its root.
    pub(crate) fn of_user(&self, user: u32, folder: &Path) -> Result<Self> {
        std::fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let (binary, root) = (folder.join("kesako-of-user"), folder.join("root-of-user"));
        std::fs::copy(&self.words[0], &binary)?;
        std::fs::create_dir(&root)?;
        chown(&root, Some(user), Some(user))?;
        Ok(Self { name: self.name, words: vec![binary.to_string_lossy().into_owned()], root, user: Some(user) })
    }

    /// Runs it, expects success, and returns what it says.
    pub(crate) fn tell(&self, words: &[&str]) -> Result<String> {
        let output = self.command(words).output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{} {}: {told}", self.name, words.join(" "));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    pub(crate) fn pid(&self, container: &str) -> Result<u32> {
        Ok(self.tell(&["inspect", "-f", "{{.State.Pid}}", container])?.parse()?)
    }
}

/// A binary of the same build.
pub(crate) fn beside_me(name: &str) -> Result<String> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(path.exists(), "{} is not built: cargo build --release --workspace", path.display());
    Ok(path.to_string_lossy().into_owned())
}
