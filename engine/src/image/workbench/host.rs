//! What the host has to give: programs, and the libraries that they load.

use super::elf::Elf;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs are, whatever `PATH` this process happened to get.
const PROGRAM_FOLDERS: [&str; 6] =
    ["/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/run/current-system/sw/bin"];

/// What people try in a container. What the host lacks is left out; a shell it must have.
const UTILITIES: &str = "sh [ awk basename cat chmod chown cp cut date dd df dirname du echo env expr false find getopt grep \
    head hostname id ip kill less ln ls mkdir mkfifo mknod mktemp mount mv nc nproc od paste ping pgrep pidof pkill printenv \
    printf ps pwd readlink realpath rm rmdir sed seq sha256sum sleep sort stat stty sync tail tar tee test timeout top touch \
    tr true tty umount uname uniq uptime vi watch wc wget whoami which xargs yes";

/// Where every loader looks, without a cache or a setting: ld.so(8), and musl's `ldso/dynlink.c`.
const LIBRARY_FOLDERS: [&str; 4] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

/// The C library loads these by name while it runs; nothing in a header tells of them.
const LOADED_LATER: [&str; 1] = ["libnss_files.so.2"];

/// A file of the image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// The bytes of this file of the host, executable.
    File(PathBuf),
    /// A symbolic link.
    Link(String),
}

/// What is taken, by its path in the image.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub nodes: BTreeMap<PathBuf, Node>,
    /// One line that says what it is.
    pub about: String,
    /// Seconds since 1970: when the newest of the files was made. The same host, the same time.
    pub newest: u64,
    /// Files of the host by device and inode, and their paths here: a program with many names is one file.
    known: BTreeMap<(u64, u64), PathBuf>,
}

impl Files {
    /// A static busybox, else the host's shell and utilities; None if there is no shell.
    pub(super) fn gather() -> Option<Self> {
        Self::busybox().or_else(Self::utilities)
    }

    fn busybox() -> Option<Self> {
        let path = program("busybox")?;
        let elf = Elf::parse(&fs::read(&path).ok()?).filter(Elf::is_static)?;
        tracing::debug!("{} is static: {elf:?}", path.display());
        let listing = Command::new(&path).arg("--list").env_clear().output().ok().filter(|o| o.status.success())?;
        let mut files = Self { about: "the host's static busybox".to_owned(), ..Self::default() };
        files.add(Path::new("bin/busybox"), &path)?;
        for applet in String::from_utf8(listing.stdout).ok()?.lines().filter(|a| !a.contains('/') && *a != "busybox") {
            files.nodes.insert(Path::new("bin").join(applet), Node::Link("busybox".to_owned()));
        }
        files.nodes.contains_key(Path::new("bin/sh")).then_some(files)
    }

    fn utilities() -> Option<Self> {
        let mut files = Self { about: "the host's shell and utilities".to_owned(), ..Self::default() };
        for name in UTILITIES.split_whitespace() {
            if let Some(path) = program(name) {
                // One that lacks a library would not start: it is left out, like one that is not there.
                if files.add_program(name, &path).is_none() {
                    tracing::debug!("{} is left out of the workbench", path.display());
                }
            }
        }
        files.nodes.contains_key(Path::new("bin/sh")).then_some(files)
    }

    fn add_program(&mut self, name: &str, path: &Path) -> Option<()> {
        let place = Path::new("bin").join(name);
        let real = fs::canonicalize(path).ok()?;
        let metadata = fs::metadata(&real).ok()?;
        if let Some(known) = self.known.get(&(metadata.dev(), metadata.ino())) {
            let known = known.file_name()?.to_str()?.to_owned();
            self.nodes.insert(place, Node::Link(known));
            return Some(());
        }
        let bytes = fs::read(&real).ok()?;
        if let Some(elf) = Elf::parse(&bytes) {
            let libraries = libraries(&elf, &real)?;
            for (place, from) in &libraries {
                self.add(place, from)?;
            }
        } else if !bytes.starts_with(b"#!/bin/sh") {
            return None;
        }
        // `sh` is dash and `awk` is mawk: under its own name the program finds out what it is to be.
        let own = real.file_name()?.to_str()?;
        self.add(&Path::new("bin").join(own), &real)?;
        if own != name {
            self.nodes.insert(place, Node::Link(own.to_owned()));
        }
        Some(())
    }

    fn add(&mut self, place: &Path, from: &Path) -> Option<()> {
        let metadata = fs::metadata(from).ok()?;
        self.newest = self.newest.max(u64::try_from(metadata.mtime()).unwrap_or_default());
        if place.starts_with("bin") {
            self.known.insert((metadata.dev(), metadata.ino()), place.to_owned());
        }
        self.nodes.insert(place.to_owned(), Node::File(from.to_owned()));
        Some(())
    }
}

fn program(name: &str) -> Option<PathBuf> {
    PROGRAM_FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// All libraries that a program loads, and those which these load, with their places in the image.
fn libraries(program: &Elf, path: &Path) -> Option<BTreeSet<(PathBuf, PathBuf)>> {
    let mut found = BTreeSet::new();
    let mut next: Vec<(String, PathBuf, Vec<String>)> = Vec::new();
    let enqueue = |elf: &Elf, path: &Path, next: &mut Vec<_>| {
        let origin = path.parent().map(Path::to_owned).unwrap_or_default();
        next.extend(elf.needed.iter().map(|name| (name.clone(), origin.clone(), elf.run_path.clone())));
    };
    if let Some(interpreter) = &program.interpreter {
        found.insert((inside(interpreter)?, interpreter.clone()));
        enqueue(program, path, &mut next);
        next.extend(LOADED_LATER.map(|name| (name.to_owned(), PathBuf::new(), Vec::new())));
    }
    let mut seen = BTreeSet::new();
    while let Some((name, origin, run_path)) = next.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        // musl's loader is its C library too, whatever name that is asked for by.
        let is_loader =
            program.interpreter.as_deref().is_some_and(|i| i.ends_with(&name)) || name.starts_with("libc.musl-");
        match library(&name, &origin, &run_path, program) {
            Some((place, from, elf)) => {
                enqueue(&elf, &from, &mut next);
                found.insert((place, from));
            }
            None if is_loader || LOADED_LATER.contains(&name.as_str()) => {}
            None => return None,
        }
    }
    Some(found)
}

/// Looks for a library as the loader does: ld.so(8). Returns its place in the image and where it is here.
fn library(name: &str, origin: &Path, run_path: &[String], program: &Elf) -> Option<(PathBuf, PathBuf, Elf)> {
    let fits = |path: &Path| Elf::parse(&fs::read(path).ok()?).filter(|elf| elf.kind == program.kind);
    if name.contains('/') {
        return Some((inside(Path::new(name))?, PathBuf::from(name), fits(Path::new(name))?));
    }
    let defaults = library_folders();
    let own = run_path.iter().map(|path| (path.contains('$'), PathBuf::from(replace_origin(path, origin))));
    let usual = defaults.iter().map(|folder| (false, folder.clone()));
    let settings = configured_folders(Path::new("/etc/ld.so.conf"), 4).into_iter().map(|folder| (true, folder));
    // What was found beside the program, or through a setting of the host, moves to where the loader looks anyway.
    for (moves, folder) in own.chain(usual).chain(settings) {
        let path = folder.join(name);
        if let Some(elf) = fits(&path) {
            let folder = if moves && !defaults.contains(&folder) { defaults.first()? } else { &folder };
            return Some((inside(&folder.join(name))?, path, elf));
        }
    }
    None
}

/// `/usr/lib/x86_64-linux-gnu` and the like come before `/usr/lib` on Debian and its kin.
fn library_folders() -> Vec<PathBuf> {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let multiarch = ["/lib", "/usr/lib"].map(|folder| Path::new(folder).join(&triplet));
    multiarch.into_iter().filter(|f| f.is_dir()).chain(LIBRARY_FOLDERS.map(PathBuf::from)).collect()
}

fn replace_origin(path: &str, origin: &Path) -> String {
    let origin = origin.to_string_lossy();
    path.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin)
}

/// The folders of `ld.so.conf` and of the files it includes: ldconfig(8).
fn configured_folders(file: &Path, depth: u32) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut folders = Vec::new();
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        match line.strip_prefix("include") {
            // `include /etc/ld.so.conf.d/*.conf` is the only pattern in use.
            Some(pattern) if depth > 0 => {
                let folder = Path::new(pattern.trim()).parent().map(Path::to_owned).unwrap_or_default();
                let mut files: Vec<_> =
                    fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
                files.retain(|path| path.extension().is_some_and(|e| e == "conf"));
                files.sort();
                folders.extend(files.iter().flat_map(|file| configured_folders(file, depth - 1)));
            }
            None if line.starts_with('/') => folders.push(PathBuf::from(line)),
            _ => {}
        }
    }
    folders
}

/// The same path, seen from the root of the image.
fn inside(path: &Path) -> Option<PathBuf> {
    path.strip_prefix("/").ok().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_shell_comes_with_all_it_loads() {
        let files = Files::utilities().unwrap();
        assert!(files.nodes.contains_key(Path::new("bin/sh")) && files.nodes.contains_key(Path::new("bin/cat")));
        for (place, node) in &files.nodes {
            let bytes = match node {
                Node::File(from) => fs::read(from).unwrap(),
                Node::Link(to) => {
                    assert!(files.nodes.contains_key(&Path::new("bin").join(to)), "{place:?} → {to:?} leads somewhere");
                    continue;
                }
            };
            let Some(elf) = Elf::parse(&bytes) else { continue };
            for library in &elf.needed {
                let there = files.nodes.keys().any(|path| path.ends_with(library));
                assert!(there, "{place:?} loads {library}, which has to be in the image");
            }
        }
    }
}
