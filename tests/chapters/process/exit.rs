//! 1.1: how a process ended, as a number.

use std::process::Command;

use super::expect::expect;
use process::ExitStatus;

#[test]
fn a_code_is_passed_on() {
    for code in [0, 1, 7, 255] {
        let why = format!("A process has exited with {code}, and that is its exit code, as it is. Read exit(3).");
        expect(ExitStatus::Exited(code).code(), code, &why);
    }
}

#[test]
fn a_death_by_signal_is_told_as_the_shell_tells_it() {
    for (name, signal) in [("KILL", 9), ("USR1", 10), ("TERM", 15)] {
        let script = format!("sh -c 'kill -s {name} $$'; echo $?");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let told: i32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        let why = format!(
            "SIG{name} (number {signal}) has killed a process. `sh` says $? = {told} of it, so that nobody takes it for a code of the \
             process's own. Read bash(1), \"EXIT STATUS\"."
        );
        expect(ExitStatus::Killed(signal).code(), told, &why);
    }
}
