//! Who pulls and pushes, each with a store of its own.

use crate::docker::Daemon;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

pub(crate) struct Engine {
    pub(crate) name: &'static str,
    /// How its command line begins.
    words: Vec<String>,
    /// What `pull` and `push` take besides.
    flags: &'static [&'static str],
    root: String,
    /// Ends with the engine.
    _daemon: Option<Daemon>,
}

impl Engine {
    fn new(name: &'static str, words: Vec<String>, flags: &'static [&'static str], folder: &Path) -> Self {
        Self { name, words, flags, root: folder.join("kesako").to_string_lossy().into_owned(), _daemon: None }
    }

    pub(crate) fn kesako(folder: &Path) -> Result<Self> {
        Ok(Self::new("kesako", vec![beside_me("kesako")?], &["-q"], folder))
    }

    pub(crate) fn docker(folder: &Path) -> Result<Self> {
        let daemon = Daemon::start(folder)?;
        let words = vec!["docker".to_owned(), "-H".to_owned(), daemon.host()];
        Ok(Self { _daemon: Some(daemon), ..Self::new("docker", words, &["-q"], folder) })
    }

    pub(crate) fn podman(folder: &Path) -> Result<Self> {
        let at = |name: &str| folder.join("podman").join(name).to_string_lossy().into_owned();
        let words = ["podman", "--root", &at("root"), "--runroot", &at("run"), "--storage-driver", "overlay"];
        let podman = Self::new("podman", words.map(str::to_owned).to_vec(), &["-q", "--tls-verify=false"], folder);
        podman.run(&["images"]).map(|()| podman)
    }

    pub(crate) fn pull(&self, name: &str) -> Result<()> {
        self.run(&[&["pull"], self.flags, &[name]].concat())
    }

    pub(crate) fn push(&self, name: &str) -> Result<()> {
        self.run(&[&["push"], self.flags, &[name]].concat())
    }

    pub(crate) fn tag(&self, name: &str, another: &str) -> Result<()> {
        self.run(&["tag", name, another])
    }

    /// Forgets an image, layers and all.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        self.run(&["rmi", "-f", name])
    }

    fn run(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.words[0]);
        let command = command.args(&self.words[1..]).args(words).env("KESAKO_ROOT", &self.root);
        let output = command.output().with_context(|| format!("{} is not installed", self.words[0]))?;
        let told = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{} {}: {told}", self.name, words.join(" "));
        Ok(())
    }
}

/// Kesako, and who else can take part here. Who cannot is told.
pub(crate) fn all(folder: &Path, podman: bool) -> Result<Vec<Engine>> {
    let mut engines = vec![Engine::kesako(folder)?];
    let others = [("docker", Engine::docker as fn(&Path) -> Result<Engine>), ("podman", Engine::podman)];
    for (name, engine) in others.into_iter().filter(|(name, _)| podman || *name != "podman") {
        match engine(folder) {
            Ok(engine) => engines.push(engine),
            Err(error) => eprintln!("{name} IS LEFT OUT: {error:#}"),
        }
    }
    Ok(engines)
}

/// A binary of the same build.
pub(crate) fn beside_me(name: &str) -> Result<String> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(path.exists(), "{} is not built: cargo build --release --workspace", path.display());
    Ok(path.to_string_lossy().into_owned())
}
