//! Who builds, and what each needs beforehand. The base image is Kesako's `workbench` for all.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::docker::Daemon;

/// A way to build an image of a folder.
pub(crate) struct Builder {
    pub(crate) name: &'static str,
    /// All but the context; one that wants no cache adds `--no-cache`.
    words: Vec<String>,
    /// What it needs to be told in order to reuse steps at all.
    reuse: Option<&'static str>,
    environment: Vec<(&'static str, String)>,
    /// Ends with the builder.
    _daemon: Option<Daemon>,
}

impl Builder {
    pub(crate) fn command(&self, context: &Path, cached: bool) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).envs(self.environment.iter().map(|(name, value)| (name, value)));
        if cached {
            command.args(self.reuse)
        } else {
            command.arg("--no-cache")
        };
        command.arg(context);
        command
    }
}

/// Everybody who can take part on this machine; Kesako first.
pub(crate) fn builders(folder: &Path) -> Result<Vec<Builder>> {
    let rootfs = unpack_workbench(folder)?;
    let rootfs = rootfs.to_str().context("the folder's name is not UTF-8")?;
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut all = vec![Builder {
        name: "kesako",
        words: words(&[&kesako()?, "build", "--network", "none", "-t", "bench"]),
        reuse: None,
        environment: vec![("KESAKO_ROOT", data_root(folder).to_string_lossy().into_owned())],
        _daemon: None,
    }];
    match Daemon::start(folder).and_then(|daemon| daemon.import(rootfs).map(|()| daemon)) {
        Ok(daemon) => all.push(Builder {
            name: "docker",
            words: words(&["docker", "-H", &daemon.host(), "build", "--network", "none", "-t", "bench"]),
            reuse: None,
            environment: vec![("DOCKER_BUILDKIT", "0".to_owned())],
            _daemon: Some(daemon),
        }),
        Err(error) => eprintln!("docker is left out: {error:#}"),
    }
    match buildah(folder, rootfs) {
        Ok(own) => {
            let build = ["build", "--pull-never", "--network", "none", "-t", "bench"].map(str::to_owned);
            let words = own.into_iter().chain(build).collect();
            all.push(Builder { name: "buildah", words, reuse: Some("--layers"), environment: vec![], _daemon: None });
        }
        Err(error) => eprintln!("buildah is left out: {error:#}"),
    }
    Ok(all)
}

pub(crate) fn data_root(folder: &Path) -> PathBuf {
    folder.join("kesako")
}

/// The binary of the same build.
pub(crate) fn kesako() -> Result<String> {
    let path = std::env::current_exe()?.with_file_name("kesako");
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
    shell.args(["-ec", script, &kesako()?]).arg(&rootfs).env("KESAKO_ROOT", data_root(folder));
    anyhow::ensure!(shell.status()?.success(), "kesako export workbench failed");
    Ok(rootfs)
}

/// buildah with a storage of its own, in which there is an image `workbench`. Returns the words it begins with.
fn buildah(folder: &Path, rootfs: &str) -> Result<Vec<String>> {
    let at = |name: &str| folder.join("buildah").join(name).to_string_lossy().into_owned();
    let own = ["buildah", "--root", &at("root"), "--runroot", &at("run"), "--storage-driver", "overlay"];
    let script = r#"rootfs=$1; shift; container=$("$@" from scratch) && "$@" add -q "$container" "$rootfs" / >/dev/null
        "$@" config --env PATH=/bin:/usr/bin "$container"; "$@" commit -q "$container" workbench >/dev/null"#;
    let made = Command::new("sh").args(["-ec", script, "sh", rootfs]).args(own).output()?;
    anyhow::ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr).trim());
    Ok(own.map(str::to_owned).to_vec())
}
