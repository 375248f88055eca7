//! `--chown`: `user`, `user:group`, `:group`, by name or number. Names are looked up in the image.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;

use layers::pack::open;
use rustix::fs::{FileType, OFlags, fstat};

use crate::context::rooted::{kind, resolve};
use crate::error::{Error, Result};

/// No honest list of users is longer.
const LARGEST: u64 = 10 << 20;

/// Who copied files belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
    /// What the user should know: a name that the image does not have.
    pub notes: Vec<String>,
}

/// Looks up what `--chown` names in an image's own `/etc/passwd` and `/etc/group`.
///
/// As for BuildKit, a number without a group is the group's too, and a name that is not there means root; we say
/// so.
///
/// # Errors
/// The files cannot be read.
pub fn owner(root: BorrowedFd<'_>, chown: &str) -> Result<Owner> {
    let (user, group) = chown.split_once(':').map_or((chown, None), |(user, group)| (user, Some(group)));
    let mut owner = Owner::default();
    if let Ok(uid) = user.parse() {
        (owner.uid, owner.gid) = (uid, uid);
    } else if !user.is_empty() {
        match look_up(root, "etc/passwd", user)? {
            Some((uid, gid)) => (owner.uid, owner.gid) = (uid, gid.unwrap_or_default()),
            None => {
                owner.notes.push(format!("--chown={chown}: the image has no user {user}; its files belong to root"))
            }
        }
    }
    match group {
        None => {}
        Some("") => owner.gid = 0,
        Some(group) => match group.parse() {
            Ok(gid) => owner.gid = gid,
            Err(_) => match look_up(root, "etc/group", group)? {
                Some((gid, _)) => owner.gid = gid,
                None => owner.notes.push(format!("--chown={chown}: the image has no group {group}")),
            },
        },
    }
    Ok(owner)
}

/// The third and fourth field of the line that begins with this name: passwd(5), group(5).
fn look_up(root: BorrowedFd<'_>, path: &str, name: &str) -> Result<Option<(u32, Option<u32>)>> {
    let text = read(root, path)?;
    let mut lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    Ok(lines.find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let id = fields.get(2).filter(|_| fields[0] == name)?.parse().ok()?;
        Some((id, fields.get(3).and_then(|field| field.parse().ok())))
    }))
}

/// A file of the image, which may hold anything; one that is not there is empty.
fn read(root: BorrowedFd<'_>, path: &str) -> Result<Vec<u8>> {
    let resolved = resolve(root, Path::new(path)).map_err(Error::io("find", path))?;
    if !resolved.status.as_ref().is_some_and(|status| kind(status) == FileType::RegularFile) {
        return Ok(Vec::new());
    }
    let file = open(root, &resolved.path, OFlags::RDONLY | OFlags::NONBLOCK).map_err(Error::io("open", path))?;
    // What was looked at by name may be something else when it is opened.
    if kind(&fstat(file.as_fd()).map_err(Error::io("examine", path))?) != FileType::RegularFile {
        return Ok(Vec::new());
    }
    let mut text = Vec::new();
    File::from(file).take(LARGEST + 1).read_to_end(&mut text).map_err(Error::io("read", path))?;
    match text.len() as u64 > LARGEST {
        true => {
            Err(Error::Unsuitable { what: path.to_owned(), why: format!("it is larger than {} MB", LARGEST >> 20) })
        }
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_images_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = File::open(folder.path()).unwrap();
        let ids = |chown: &str| {
            let Owner { uid, gid, notes } = owner(root.as_fd(), chown).unwrap();
            (uid, gid, notes.len())
        };
        assert_eq!(ids("app:grp"), (0, 0, 2), "an image without either");
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/../../real", folder.path().join("etc/passwd")).unwrap();
        std::fs::write(folder.path().join("real"), "x:y\n\u{ff}\napp:x:7:8::/:/bin/sh\n").unwrap();
        std::fs::write(folder.path().join("etc/group"), "grp:x:9:\n").unwrap();
        for (chown, uid, gid, notes) in [
            ("app", 7, 8, 0),
            ("app:grp", 7, 9, 0),
            ("app:nobody", 7, 8, 1),
            (":grp", 0, 9, 0),
            ("7", 7, 7, 0),
            ("7:3", 7, 3, 0),
            (":3", 0, 3, 0),
            ("app:", 7, 0, 0),
            ("nobody", 0, 0, 1),
            ("-1", 0, 0, 1),
            ("4294967296", 0, 0, 1),
        ] {
            assert_eq!(ids(chown), (uid, gid, notes), "{chown}");
        }
    }

    #[test]
    fn a_named_pipe_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let root = File::open(folder.path()).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(&root, "etc/passwd", FileType::Fifo, mode, 0).unwrap();
        assert_eq!(owner(root.as_fd(), "app").unwrap().notes.len(), 1);
    }
}
