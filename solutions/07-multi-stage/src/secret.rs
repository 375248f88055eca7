//! `RUN --mount=type=secret` and `type=ssh`: what a command may use, and no layer keeps.

use crate::agent::Agent;
use crate::error::{Error, Result};
use crate::owner;
use build::instruction::Mount;
use build::run;
use build::source::Mounted;
use rustix::fs::{Mode, OFlags, fchmod, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsmount, fsopen};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

/// The name of the file in its filesystem, where nobody else sees it.
const FILE: &str = "secret";
/// Where secrets are seen that name no target.
const FOLDER: &str = "/run/secrets";

/// A secret as a file in memory, or in the environment.
pub(crate) fn secret(mount: &Mount, cwd: &str, given: &BTreeMap<String, Vec<u8>>) -> Result<Mounted> {
    let mut mounted = Mounted { mount: None, env: None, held: None };
    let named = mount.source.as_deref().or(mount.id.as_deref()).filter(|id| !id.is_empty());
    let id = named.map_or_else(|| last(mount.target.as_deref().unwrap_or_default()), str::to_owned);
    let value = match given.get(&id) {
        Some(value) => value,
        None if mount.required => return Err(Error::NoSecret(id)),
        None => return Ok(mounted),
    };
    if let Some(name) = &mount.env {
        let text = std::str::from_utf8(value).ok().filter(|text| !text.contains('\0'));
        mounted.env = Some(format!("{name}={}", text.ok_or_else(|| Error::SecretNoText(id.clone()))?));
    }
    // A variable is enough, unless a file is asked for too.
    let target = match (&mount.target, &mount.env) {
        (Some(target), _) => Some(absolute(target, cwd)),
        (None, None) => Some(format!("{FOLDER}/{}", last(&id))),
        (None, Some(_)) => None,
    };
    if let Some(target) = target {
        let tree = in_memory(value, mount).map_err(|source| Error::Secret { id, source })?;
        let source = run::Source::Within { tree, path: PathBuf::from(FILE) };
        mounted.mount = Some(run::Mount { target, source, readonly: true });
    }
    Ok(mounted)
}

/// A filesystem that is only in memory, mounted nowhere, and gone with its descriptor; in it the one file.
fn in_memory(value: &[u8], mount: &Mount) -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    // Nor is it to be swapped out to a disk. Only newer kernels know that (6.4), and only to root they grant it.
    let _granted = fsconfig_set_flag(context.as_fd(), "noswap");
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOSUID;
    let tree = fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = File::from(openat(&tree, FILE, flags, Mode::RUSR)?);
    file.write_all(value)?;
    owner::give(&tree, FILE, mount)?;
    fchmod(&file, Mode::from_raw_mode(mount.mode.unwrap_or(0o400) & 0o777))?;
    Ok(tree)
}

/// The user's agent for SSH keys: its socket, under a name in the container. The keys themselves stay where they are.
pub(crate) fn ssh(mount: &Mount, cwd: &str, given: &BTreeMap<String, Vec<PathBuf>>, folder: &Path) -> Result<Mounted> {
    let id = mount.id.clone().unwrap_or_else(|| "default".to_owned());
    let agent = match given.get(&id).map(Vec::as_slice) {
        Some([agent]) => Agent::forward(agent, folder, mount)?,
        Some(_) => return Err(Error::SshKeys { id }),
        None if mount.required => return Err(Error::NoSsh(id)),
        None => return Ok(Mounted { mount: None, env: None, held: None }),
    };
    let target = match &mount.target {
        Some(target) => absolute(target, cwd),
        None if id == "default" => "/run/buildkit/ssh_agent.0".to_owned(),
        None => format!("/run/buildkit/ssh_agent.{}", last(&id)),
    };
    Ok(Mounted {
        env: Some(format!("SSH_AUTH_SOCK={target}")),
        mount: Some(run::Mount { target, source: run::Source::Tree(agent.socket()?), readonly: false }),
        held: Some(Box::new(agent)),
    })
}

/// A target as a path from the root.
pub(crate) fn absolute(target: &str, cwd: &str) -> String {
    let path = Path::new("/").join(cwd).join(target);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().unwrap_or_default().split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn last(path: &str) -> String {
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mount: &Mount) -> String {
        let given = [("token".to_owned(), b"abc".to_vec()), ("binary".to_owned(), b"\xff".to_vec())].into();
        match secret(mount, "/w", &given) {
            Ok(Mounted { mount, env, .. }) => format!("{:?} {env:?}", mount.map(|mount| mount.target)),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_secret_that_is_a_variable_is_no_file() {
        let token = |env: &str| Mount { id: Some("token".into()), env: Some(env.into()), ..Mount::default() };
        assert_eq!(told(&token("TOKEN")), "None Some(\"TOKEN=abc\")");
        assert!(told(&Mount { id: Some("binary".into()), ..token("X") }).contains("is no text"));
    }

    #[test]
    fn one_that_nobody_gave_is_missed_only_where_it_is_required() {
        for (mount, id) in [
            (Mount { id: Some("a".into()), ..Mount::default() }, "a"),
            (Mount { source: Some("b".into()), ..Mount::default() }, "b"),
            (Mount { target: Some("/etc/c".into()), ..Mount::default() }, "c"),
        ] {
            assert_eq!(told(&mount), "None None");
            assert_eq!(told(&Mount { required: true, ..mount }), format!("secret {id}: not found"));
        }
    }

    #[test]
    fn targets_begin_at_the_working_directory() {
        for (target, path) in [("a", "/w/a"), ("/a/../b//c/.", "/b/c"), ("../../x", "/x"), ("", "/w")] {
            assert_eq!(absolute(target, "/w"), path);
        }
        assert_eq!((last("a/b/"), last("/")), ("b".to_owned(), String::new()));
    }
}
