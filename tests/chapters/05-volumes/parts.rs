//! 5.7: a part of a volume that somebody else may write to.

use super::expect::expect;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use volumes::{Error, subpath};

const READ: &str = "Read openat2(2), \"RESOLVE_BENEATH\" and \"ERRORS\".";

fn volume() -> tempfile::TempDir {
    let volume = tempfile::tempdir().unwrap();
    fs::create_dir_all(volume.path().join("a/b")).unwrap();
    fs::write(volume.path().join("a/file"), "").unwrap();
    volume
}

fn found(volume: &Path, part: &str) -> String {
    match subpath(volume, part) {
        Ok(fd) => {
            let path = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
            let within = path.strip_prefix(volume).map(|path| path.display().to_string());
            within.unwrap_or_else(|_| format!("{}, which is OUTSIDE of the volume", path.display()))
        }
        Err(Error::Escape { .. }) => "Error::Escape".to_owned(),
        Err(Error::Subpath { source, .. }) => format!("Error::Subpath: {source}"),
        Err(other) => format!("another error: {other}"),
    }
}

#[test]
fn a_part_is_found_within() {
    let volume = volume();
    symlink("b", volume.path().join("a/link")).unwrap();
    symlink("../a/file", volume.path().join("a/up")).unwrap();
    for (part, at) in
        [("a", "a"), ("a/b", "a/b"), ("a/file", "a/file"), ("a/../a", "a"), ("a/link", "a/b"), ("a/up", "a/file")]
    {
        let why =
            format!("of volume-subpath={part}: a link, or `..`, that stays within the volume is followed. {READ}");
        expect(found(volume.path(), part), at.to_owned(), &why);
    }
}

#[test]
fn what_is_not_there_is_told_with_its_path() {
    let volume = volume();
    let error = subpath(volume.path(), "a/nope").map_or_else(|error| error.to_string(), |_| "found".to_owned());
    let path = volume.path().join("a/nope");
    let why = "there is no such file, and Error::Subpath says so, with the whole path and the kernel's reason";
    expect(
        error,
        format!("cannot access path {}: No such file or directory (os error 2)", path.display()),
        &format!("{why}. {READ}"),
    );
}

#[test]
fn no_link_leads_out() {
    let volume = volume();
    let name = volume.path().file_name().unwrap().to_string_lossy().into_owned();
    for (link, to, why) in [
        ("etc", "/etc", "whoever wrote to the volume made a link to the host's /etc"),
        ("root", "/", "the link begins at the root: at whose?"),
        ("up", "../..", "the link leads above the volume"),
        ("far", "a/../../..", "the link begins well, and leads above the volume"),
        ("self", "/proc/self/root", "the link leads to the root of this process"),
        (
            "back",
            &format!("../{name}/a"),
            "the link leads out and in again: outside somebody may rename what it passes",
        ),
    ] {
        symlink(to, volume.path().join(link)).unwrap();
        expect(found(volume.path(), link), "Error::Escape".to_owned(), &format!("{why} ({link} -> {to}). {READ}"));
    }
    for part in ["etc/passwd", "up/etc", "..", "a/../.."] {
        let why = format!("volume-subpath={part} leads out of the volume. {READ}");
        expect(found(volume.path(), part), "Error::Escape".to_owned(), &why);
    }
}

/// A folder that becomes a link to the host while we look, a few thousand times.
#[test]
fn no_exchange_leads_out() {
    let volume = volume();
    let (folder, link) = (volume.path().join("part"), volume.path().join("other"));
    fs::create_dir_all(folder.join("etc")).unwrap();
    symlink("/", &link).unwrap();
    let done = AtomicBool::new(false);
    let exchange = || {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        while !done.load(Ordering::Relaxed) {
            renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(exchange);
        let _end = AtTheEnd(&done);
        let begin = Instant::now();
        let (mut looked, mut escaped, mut stayed) = (0, 0, 0);
        // Until the other thread has been met, however seldom it gets its turn.
        while looked < 5000 || escaped == 0 || stayed == 0 {
            assert!(begin.elapsed() < Duration::from_secs(60), "there was no race: {escaped} of {looked} were refused");
            // With `..` in it, the kernel sees that things are renamed, and says AGAIN.
            let found = found(volume.path(), "part/../part/etc");
            looked += 1;
            match found.as_str() {
                "Error::Escape" => escaped += 1,
                "part/etc" | "other/etc" => stayed += 1,
                _ => panic!(
                    "\nexpected: Error::Escape, or a folder of the volume\nfound:    {found}\nWhile you look for part/../part/etc, \
                     somebody makes `part` a link to the host's root and back, again and again. If the kernel says AGAIN, ask again; \
                     and what was looked at as text may be another thing when it is opened. {READ}\n"
                ),
            }
        }
    });
}

/// Sets this, also where a panic is the end: else the other thread would go on for ever.
struct AtTheEnd<'a>(&'a AtomicBool);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
