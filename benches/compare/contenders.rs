//! Who takes part, and what each needs beforehand.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::docker::Daemon;

/// A way to run a command in a container.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// `{round}` in an argument becomes the number of the round, for names that must differ.
    words: Vec<String>,
    environment: Vec<(String, String)>,
    /// Ends with the contender.
    _daemon: Option<Daemon>,
}

impl Contender {
    fn new<const N: usize>(name: &'static str, words: [&str; N]) -> Self {
        let words = words.map(str::to_owned).to_vec();
        Self { name, words, environment: vec![], _daemon: None }
    }

    pub(crate) fn command(&self, round: usize) -> Command {
        let words = self.words.iter().map(|word| word.replace("{round}", &round.to_string())).collect::<Vec<_>>();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).envs(self.environment.iter().cloned());
        command
    }
}

/// Everybody who can take part on this machine. The image is Kesako's `workbench` for all.
pub(crate) fn contenders(folder: &Path) -> Result<Vec<Contender>> {
    let rootfs = unpack_workbench(folder)?;
    let rootfs = rootfs.to_str().context("the folder's name is not UTF-8")?;
    let scratch = folder.join("scratch");
    std::fs::create_dir(&scratch)?;
    let mut all = vec![];
    if rustix::process::geteuid().is_root() {
        let floor = beside_me("floor")?;
        all.push(Contender::new("floor", [&floor, rootfs, &scratch.to_string_lossy(), "true"]));
    } else {
        eprintln!("floor is left out: it needs root");
    }
    let kesako = beside_me("kesako")?;
    let mut contender = Contender::new("kesako", [&kesako, "run", "--rm", "--network", "none", "workbench", "true"]);
    contender.environment.push(("KESAKO_ROOT".into(), data_root(folder).to_string_lossy().into_owned()));
    all.push(contender);
    for (name, made) in [("runc", runc(folder, rootfs)), ("docker", docker(folder, rootfs))] {
        match made {
            Ok(contender) => all.push(contender),
            Err(error) => eprintln!("{name} is left out: {error:#}"),
        }
    }
    Ok(all)
}

pub(crate) fn data_root(folder: &Path) -> PathBuf {
    folder.join("kesako")
}

/// A binary of the same build.
pub(crate) fn beside_me(name: &str) -> Result<String> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(path.exists(), "{} is not built: cargo build --release --workspace", path.display());
    Ok(path.to_string_lossy().into_owned())
}

/// Has Kesako put its built-in image together, and gives its files to everybody.
fn unpack_workbench(folder: &Path) -> Result<PathBuf> {
    let rootfs = folder.join("rootfs");
    std::fs::create_dir(&rootfs)?;
    let script =
        r#"id=$("$0" create workbench true) && "$0" export "$id" | tar -x -C "$1" && "$0" rm "$id" >/dev/null"#;
    let mut shell = Command::new("sh");
    shell.args(["-ec", script, &beside_me("kesako")?]).arg(&rootfs).env("KESAKO_ROOT", data_root(folder));
    anyhow::ensure!(shell.status()?.success(), "kesako export workbench failed");
    Ok(rootfs)
}

/// runc, with the configuration it makes itself, on the plain folder: no overlay, no image, no log.
fn runc(folder: &Path, rootfs: &str) -> Result<Contender> {
    let bundle = folder.join("bundle");
    std::fs::create_dir(&bundle)?;
    let made = Command::new("runc").arg("spec").current_dir(&bundle).status().context("runc is not installed")?;
    anyhow::ensure!(made.success(), "`runc spec` failed");
    let path = bundle.join("config.json");
    let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    config["process"]["terminal"] = false.into();
    config["process"]["args"] = serde_json::json!(["true"]);
    config["root"]["path"] = rootfs.into();
    std::fs::write(&path, config.to_string())?;
    let root = folder.join("runc");
    let id = format!("kesako-bench-{}-{{round}}", std::process::id());
    let contender = Contender::new(
        "runc",
        ["runc", "--root", &root.to_string_lossy(), "run", "-b", &bundle.to_string_lossy(), &id],
    );
    let probe = contender.command(usize::MAX).output()?;
    anyhow::ensure!(probe.status.success(), "{}", String::from_utf8_lossy(&probe.stderr).trim());
    Ok(contender)
}

/// The docker command against a daemon of our own.
fn docker(folder: &Path, rootfs: &str) -> Result<Contender> {
    let daemon = Daemon::start(folder)?;
    daemon.import(rootfs)?;
    let host = daemon.host();
    let mut contender =
        Contender::new("docker", ["docker", "-H", &host, "run", "--rm", "--network", "none", "workbench", "true"]);
    contender._daemon = Some(daemon);
    let probe = contender.command(0).output()?;
    anyhow::ensure!(probe.status.success(), "{}", String::from_utf8_lossy(&probe.stderr).trim());
    Ok(contender)
}
