//! A disk without room: what cannot be done is refused, nothing hangs, and one can still remove.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
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
fn lines_that_find_no_room_are_missed_in_the_log() {
    if !is_root() {
        return support::not_run(
            "full_disk::lines_that_find_no_room_are_missed_in_the_log",
            "only root may mount a small disk",
        );
    }
    let sandbox = Sandbox::new();
    let disk = Disk::mount(sandbox.root());
    // It speaks when it is spoken to, so that each line finds the disk as it should be.
    let parrot = "while read line; do echo $line; done";
    sandbox.ok(&["run", "-d", "-i", "--name", "up", "workbench", "sh", "-c", parrot]);
    let mut talk = sandbox.std_command(&["attach", "up"]);
    let mut talk = talk.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut heard = BufReader::new(talk.stdout.take().unwrap()).lines();
    let mut mouth = talk.stdin.take().unwrap();
    let mut say = |line: &str| {
        writeln!(mouth, "{line}").unwrap();
        assert_eq!(heard.next().unwrap().unwrap(), line, "who is attached hears all of it");
    };
    let logs = || {
        let output = sandbox.output(&["logs", "up"]);
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    say("before");
    support::eventually("it is logged", || logs().0 == "before\n");
    disk.fill_but(0);
    // The page that the log has begun has room for shorter ones.
    let long = "x".repeat(4050);
    [&long; 3].into_iter().for_each(|line| say(line));
    // The last of them may just be on its way to the disk.
    std::thread::sleep(Duration::from_millis(100));
    disk.empty();
    say("after");
    let note = "kesako: 3 lines are missing here: No space left on device (os error 28)";
    support::eventually("the log goes on", || logs().0.ends_with("after\n"));
    assert_eq!(logs(), ("before\nafter\n".to_owned(), format!("{note}\n")));
    sandbox.ok(&["rm", "-f", "up"]);
    talk.wait().unwrap();
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
