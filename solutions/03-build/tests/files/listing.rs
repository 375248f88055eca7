//! A tree of files as text, a line a file, whoever made it.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Of a folder: kind, mode, owner, path, and what is in it.
pub fn of_folder(root: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    find(root, &mut paths);
    paths.sort();
    let mut links: HashMap<u64, String> = HashMap::new();
    paths.iter().map(|path| line(root, path, &mut links)).collect()
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            find(&entry.path(), paths);
        }
        paths.push(entry.path());
    }
}

fn line(root: &Path, path: &Path, links: &mut HashMap<u64, String>) -> String {
    let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    let status = fs::symlink_metadata(path).unwrap();
    let kind = status.file_type();
    let first = links.get(&status.ino()).cloned();
    let (letter, rest) = match first {
        Some(first) if kind.is_file() => ('h', format!(" -> {first}")),
        _ if kind.is_dir() => ('d', String::new()),
        _ if kind.is_symlink() => ('l', format!(" -> {}", fs::read_link(path).unwrap().display())),
        _ if kind.is_fifo() => ('p', String::new()),
        _ if kind.is_char_device() => ('c', String::new()),
        _ => ('-', format!(" = {}", beginning(fs::File::open(path).unwrap()))),
    };
    if kind.is_file() && status.nlink() > 1 {
        links.entry(status.ino()).or_insert_with(|| name.clone());
    }
    format!("{letter}{:o} {}:{} {name}{rest}", status.mode() & 0o7777, status.uid(), status.gid())
}

/// Of a tar, which Docker writes.
pub fn of_tar(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let mut lines = Vec::new();
    for entry in archive.entries().unwrap().map(Result::unwrap) {
        let path = entry.path_bytes().into_owned();
        let name = String::from_utf8_lossy(&path).trim_end_matches('/').to_owned();
        let header = entry.header();
        let (mode, uid, gid) = (header.mode().unwrap() & 0o7777, header.uid().unwrap(), header.gid().unwrap());
        let target = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned());
        let kind = header.entry_type();
        let (letter, rest) = match target {
            Some(target) => (if kind.is_symlink() { 'l' } else { 'h' }, format!(" -> {target}")),
            None if kind.is_dir() => ('d', String::new()),
            None if kind.is_fifo() => ('p', String::new()),
            None if kind.is_character_special() => ('c', String::new()),
            None => ('-', format!(" = {}", beginning(entry))),
        };
        lines.push((name.clone(), format!("{letter}{mode:o} {uid}:{gid} {name}{rest}")));
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The first bytes of a file.
fn beginning(from: impl Read) -> String {
    let mut bytes = Vec::new();
    from.take(20).read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).trim_end_matches(['\0', '\n']).replace(['\n', '\0'], " ")
}
