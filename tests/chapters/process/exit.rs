//! 1.1: how a process ended, as a number.

use process::ExitStatus;
use std::process::Command;

#[test]
fn a_code_is_passed_on() {
    for code in [0, 1, 7, 255] {
        assert_eq!(
            ExitStatus::Exited(code).code(),
            code,
            "a process that exited with {code} has the exit code {code}: it is told as it is. Read exit(3)."
        );
    }
}

#[test]
fn a_death_by_signal_is_told_as_the_shell_tells_it() {
    for (name, signal) in [("HUP", 1), ("KILL", 9), ("TERM", 15)] {
        let script = format!("sh -c 'kill -s {name} $$'; echo $?");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let told: i32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        assert_eq!(
            ExitStatus::Killed(signal).code(),
            told,
            "SIG{name} (number {signal}) kills a process, and `sh` says $? = {told} of it, so that nobody takes it for \
             a code of the process's own. Read bash(1), \"EXIT STATUS\"."
        );
    }
}
