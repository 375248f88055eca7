//! `workbench`: the image that is always there, without a network.
//!
//! It is put together from what the host has, the first time somebody asks for it: a static busybox if there is one,
//! else the host's own shell and core utilities, each with the libraries it loads. Around them comes what a small
//! distribution has: users, `/tmp`, a home. The same host gives the same bytes, and so the same image ID.

mod elf;
mod host;

use crate::{Error, Kind, Result};
use host::{Files, Node};
use layers::image::Config;
use layers::import::{Import, import};
use layers::{Image, Reference, Store};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};
use tar::EntryType;

const NAME: &str = "workbench:latest";

/// Folders of every image: path, mode, owner.
const FOLDERS: [(&str, u32, u64); 16] = [
    ("bin", 0o755, 0),
    ("dev", 0o755, 0),
    ("etc", 0o755, 0),
    ("home", 0o755, 0),
    ("home/user", 0o755, 1000),
    ("mnt", 0o755, 0),
    ("proc", 0o555, 0),
    ("root", 0o700, 0),
    ("run", 0o755, 0),
    ("sys", 0o555, 0),
    ("tmp", 0o1777, 0),
    ("usr", 0o755, 0),
    ("usr/local", 0o755, 0),
    ("usr/local/bin", 0o755, 0),
    ("var", 0o755, 0),
    ("var/tmp", 0o1777, 0),
];

/// All programs are in `/bin`; scripts look for `/usr/bin/env`.
const LINKS: [(&str, &str); 4] =
    [("sbin", "bin"), ("usr/bin", "../bin"), ("usr/sbin", "../bin"), ("var/run", "../run")];

const TEXTS: [(&str, &str); 3] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\n\
         user:x:1000:1000:user:/home/user:/bin/sh\n\
         nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    ),
    ("etc/group", "root:x:0:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n"),
    (
        "etc/os-release",
        "NAME=\"Kesako workbench\"\nID=workbench\nPRETTY_NAME=\"Kesako workbench, made of this host's own tools\"\n",
    ),
];

/// The image of this name or ID; the workbench is made if it is what was asked for and is not there.
///
/// # Errors
/// As [`Store::resolve`]; [`Kind::System`] if the host has no shell to make a workbench of.
pub(crate) fn resolve(store: &Store, name: &str) -> Result<Image> {
    match store.resolve(name) {
        Err(layers::Error::NoSuchImage(_)) if is_workbench(name) => make(store),
        other => Ok(other?),
    }
}

fn is_workbench(name: &str) -> bool {
    Reference::parse(name).is_ok_and(|reference| reference.or_latest().to_string() == NAME)
}

fn make(store: &Store) -> Result<Image> {
    let files = Files::gather().ok_or_else(|| {
        Error::new(Kind::System, "this host has neither a busybox nor a shell to make a workbench of")
    })?;
    tracing::info!(target: "explain", man = "elf(5)", shell = "busybox --list; ldd /bin/ls",
        "workbench is put together from {}: {} files", files.about, files.nodes.len());
    let archive = archive(&files).map_err(|e| Error::system("put the workbench together", e))?;
    let about = Import {
        name: Some(Reference::parse(NAME)?),
        message: format!("put together from {}", files.about),
        config: Config {
            cmd: Some(vec!["sh".to_owned()]),
            env: Some(vec![build::recipe::PATH.to_owned()]),
            ..Config::default()
        },
        platform: None,
        created: jiff::Timestamp::from_second(i64::try_from(files.newest).unwrap_or_default()).ok(),
    };
    Ok(import(store, &mut archive.as_slice(), about)?)
}

/// The whole root as one tar, in the order of the paths: the same files give the same bytes.
fn archive(files: &Files) -> io::Result<Vec<u8>> {
    let mut entries: BTreeMap<PathBuf, Entry> = BTreeMap::new();
    for (path, node) in &files.nodes {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            entries.insert(
                folder.to_owned(),
                Entry { kind: EntryType::Directory, mode: 0o755, owner: 0, content: vec![] },
            );
        }
        let (kind, mode, content) = match node {
            Node::File(from) => (EntryType::Regular, 0o755, fs::read(from)?),
            Node::Link(to) => (EntryType::Symlink, 0o777, to.clone().into_bytes()),
        };
        entries.insert(path.clone(), Entry { kind, mode, owner: 0, content });
    }
    for (path, mode, owner) in FOLDERS {
        entries.insert(path.into(), Entry { kind: EntryType::Directory, mode, owner, content: vec![] });
    }
    for (path, to) in LINKS {
        let link = Entry { kind: EntryType::Symlink, mode: 0o777, owner: 0, content: to.into() };
        entries.entry(path.into()).or_insert(link);
    }
    for (path, text) in TEXTS {
        entries.insert(path.into(), Entry { kind: EntryType::Regular, mode: 0o644, owner: 0, content: text.into() });
    }
    let mut tar = tar::Builder::new(Vec::new());
    for (path, entry) in &entries {
        entry.append(&mut tar, path, files.newest)?;
    }
    tar.into_inner()
}

struct Entry {
    kind: EntryType,
    mode: u32,
    owner: u64,
    /// Of a link: where it leads.
    content: Vec<u8>,
}

impl Entry {
    fn append(&self, tar: &mut tar::Builder<Vec<u8>>, path: &Path, time: u64) -> io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(self.owner);
        header.set_gid(self.owner);
        header.set_mtime(time);
        header.set_size(0);
        if self.kind == EntryType::Symlink {
            return tar.append_link(&mut header, path, Path::new(OsStr::from_bytes(&self.content)));
        }
        header.set_size(self.content.len() as u64);
        tar.append_data(&mut header, path, self.content.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_host_gives_the_same_bytes() {
        let bytes = || archive(&Files::gather().unwrap()).unwrap();
        assert!(bytes() == bytes());
    }

    #[test]
    fn it_has_what_a_container_expects() {
        let bytes = archive(&Files::gather().unwrap()).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries: BTreeMap<PathBuf, u32> = (archive.entries().unwrap())
            .map(|entry| entry.map(|e| (e.path().unwrap().into_owned(), e.header().mode().unwrap())).unwrap())
            .collect();
        for path in ["bin/sh", "bin/ls", "usr/bin", "etc/passwd", "etc/group", "proc", "dev", "root"] {
            assert!(entries.contains_key(Path::new(path)), "{path}");
        }
        assert_eq!(entries[Path::new("tmp")], 0o1777);
    }

    #[test]
    fn it_is_made_once_and_only_under_its_own_name() {
        if !nix::unistd::geteuid().is_root() {
            let why = "its files are root's: an ordinary user makes it in a user namespace, as the suites do";
            return crate::not_run::not_run("it_is_made_once_and_only_under_its_own_name", why);
        }
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path()).unwrap();
        assert_eq!(resolve(&store, "workbenches").unwrap_err().kind, Kind::NotFound);
        assert!(store.images().unwrap().is_empty(), "nobody asked for it yet");
        let image = resolve(&store, "workbench").unwrap();
        assert_eq!(image.tags(), ["workbench:latest"]);
        assert_eq!(image.config.config.cmd.as_deref(), Some(&["sh".to_owned()][..]));
        assert_eq!(resolve(&store, "docker.io/library/workbench").unwrap().id, image.id);
        assert_eq!(store.images().unwrap().len(), 1);
    }
}
