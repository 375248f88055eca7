//! 1.6: the life of process 1.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::expect::expect;
use process::init::{Kernel, live};
use rustix::io::{Errno, Result};

/// The command's number.
const COMMAND: i32 = 2;

/// A kernel that plays a script: which signals come, and who has ended by then.
#[derive(Default)]
struct Script {
    coming: VecDeque<(i32, Vec<(i32, i32)>)>,
    ended: VecDeque<(i32, i32)>,
    log: String,
}

impl Script {
    /// A SIGCHLD, by which time these (number and exit code) have ended.
    fn ended(mut self, children: &[(i32, i32)]) -> Self {
        self.coming.push_back((libc::SIGCHLD, children.to_vec()));
        self
    }

    fn signal(mut self, signal: i32) -> Self {
        self.coming.push_back((signal, Vec::new()));
        self
    }

    /// The exit code of process 1, and what it did.
    fn play(mut self) -> (Option<i32>, Self) {
        let code = live(&mut self, COMMAND).ok();
        match code {
            Some(code) => writeln!(self.log, "exit with {code}").unwrap(),
            None => writeln!(self.log, "still waiting, and nothing will ever come").unwrap(),
        }
        (code, self)
    }
}

impl Kernel for Script {
    fn next_signal(&mut self) -> Result<i32> {
        // As in the kernel, an error: who waits here has missed the command's end.
        let (signal, ended) = self.coming.pop_front().ok_or(Errno::AGAIN)?;
        let name = if signal == libc::SIGCHLD { "SIGCHLD".to_owned() } else { format!("signal {signal}") };
        writeln!(self.log, "{name}{}", if ended.is_empty() { "" } else { ": children have ended" }).unwrap();
        self.ended.extend(ended);
        Ok(signal)
    }

    fn reap(&mut self) -> Option<(i32, i32)> {
        let (pid, code) = self.ended.pop_front()?;
        writeln!(self.log, "    reaped {pid}, exit code {code}").unwrap();
        Some((pid, code))
    }

    fn kill(&mut self, pid: i32, signal: i32) {
        writeln!(self.log, "    sent {signal} to {pid}").unwrap();
    }
}

/// The code that process 1 ended with, and how many it has not buried.
fn end(code: Option<i32>, script: &Script) -> String {
    let code = code.map_or("it did not end".to_owned(), |code| format!("exit code {code}"));
    format!("{code}, {} zombies left", script.ended.len())
}

#[test]
fn it_ends_as_the_command_did() {
    for wanted in [0, 7, 137] {
        let (code, script) = Script::default().ended(&[(COMMAND, wanted)]).play();
        let why = "Process 1 ends when the command does, and with its code, which is so the container's. Read docker-run(1), \"Exit Status\".";
        expect(end(code, &script), format!("exit code {wanted}, 0 zombies left"), &format!("{why}\n{}", script.log));
    }
}

#[test]
fn a_stranger_is_buried_and_the_command_goes_on() {
    let (code, script) = Script::default().ended(&[(30, 1)]).ended(&[(31, 0)]).ended(&[(COMMAND, 5)]).play();
    let why = "30 and 31 were orphans, whom process 1 only buries. The container goes on until number 2, the command, has ended, with 5. Read \
               pid_namespaces(7), \"The namespace init process\".";
    expect(end(code, &script), "exit code 5, 0 zombies left".to_owned(), &format!("{why}\n{}", script.log));
}

#[test]
fn one_signal_may_tell_of_many() {
    let (code, script) =
        Script::default().ended(&[(30, 0), (31, 0), (32, 0)]).ended(&[(33, 0), (COMMAND, 3), (34, 0)]).play();
    let why = "Signals do not queue: three children that end at once may be told by one SIGCHLD, and each must be reaped, to the last, or it \
               stays a zombie. Read signal(7), \"Queueing and delivery semantics for standard signals\".";
    expect(end(code, &script), "exit code 3, 0 zombies left".to_owned(), &format!("{why}\n{}", script.log));
}

#[test]
fn a_signal_is_the_commands() {
    let (_, script) = Script::default().signal(libc::SIGTERM).signal(libc::SIGHUP).ended(&[(COMMAND, 143)]).play();
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        assert!(
            script.log.contains(&format!("sent {signal} to {COMMAND}\n")),
            "whoever stops a container sends signal {signal} to process 1, and means the command, which must get it. Read docker-run(1), \
             --init.\n{}",
            script.log
        );
    }
    assert!(!script.log.contains("sent 17"), "SIGCHLD is for process 1 itself, it is not passed on\n{}", script.log);
}

#[test]
fn a_whole_life() {
    let (_, script) = Script::default()
        .signal(libc::SIGWINCH)
        .ended(&[(30, 0), (31, 1)])
        .ended(&[])
        .signal(libc::SIGTERM)
        .ended(&[(32, 143), (COMMAND, 0), (33, 137)])
        .signal(libc::SIGINT)
        .play();
    let description = "What process 1 was told, and (indented) what it did. Two orphans end, the terminal changes its size, somebody asks the \
                       container to stop; the command ends, with an orphan before it and one after. Read pid_namespaces(7) and signal(7).";
    insta::with_settings!({ description => description }, { insta::assert_snapshot!("a_life", script.log) });
}
