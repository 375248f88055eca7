//! A disk without room: what cannot be done is refused, nothing hangs, and one can still remove.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Sandbox, is_root};

/// A small disk, for as long as this lives.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        assert!(
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&at).status().unwrap().success()
        );
        Self(at)
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Leaves room for so many pages.
    fn fill_but(&self, pages: u64) {
        let page = vec![0; 4096];
        let mut written = 0;
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while std::io::Write::write_all(&mut file, &page).is_ok() {
            written += 1;
        }
        file.set_len((written - pages) * 4096).unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args([Path::new("-l"), &self.0]).status();
    }
}

#[test]
fn a_run_that_finds_no_room_says_so_and_leaves_nothing() {
    if !is_root() {
        return support::not_run(
            "full_disk::a_run_that_finds_no_room_says_so_and_leaves_nothing",
            "only root may mount a small disk",
        );
    }
    let sandbox = Sandbox::new();
    let disk = Disk::mount(sandbox.root());
    sandbox.ok(&["run", "--rm", "workbench", "true"]);
    // Each of the files that a start writes is once the one that does not fit.
    for pages in 0..8 {
        disk.fill_but(pages);
        let output = sandbox.output(&["run", "--rm", "workbench", "echo", "hello"]);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.stdout == b"hello\n" || complaint.contains("No space left on device"), "{pages}: {output:?}");
        disk.empty();
        assert_eq!(sandbox.ok(&["ps", "-aq"]), "", "{pages}");
    }
}

#[test]
fn a_pause_that_cannot_be_written_down_is_none() {
    if !is_root() {
        return support::not_run(
            "full_disk::a_pause_that_cannot_be_written_down_is_none",
            "only root may mount a small disk",
        );
    }
    let sandbox = Sandbox::new();
    let disk = Disk::mount(sandbox.root());
    sandbox.ok(&["run", "-d", "--name", "up", "workbench", "sleep", "100"]);
    disk.fill_but(0);
    let refused = sandbox.fails(1, &["pause", "up"]);
    assert!(refused.contains("No space left on device"), "{refused}");
    disk.empty();
    assert_eq!(sandbox.ok(&["exec", "up", "echo", "it goes on"]), "it goes on");
    disk.fill_but(0);
    sandbox.ok(&["rm", "-f", "up"]);
    assert_eq!(sandbox.ok(&["ps", "-aq"]), "");
}
