//! Signals, the init, and dying together.

use super::sandbox::{Bundle, kill, sandboxed};
use process::ExitStatus;

#[test]
fn a_container_starts_with_clean_signals() {
    sandboxed("signals::a_container_starts_with_clean_signals", || {
        // Rust programs ignore SIGPIPE, and `yes | head` would never end if their children did.
        let output = Bundle::with(&["/bin/cat", "/proc/self/status"]).output();
        for mask in ["SigIgn", "SigBlk"] {
            assert!(output.contains(&format!("{mask}:\t0000000000000000")), "{mask}: {output}");
        }
    });
}

#[test]
fn an_init_forwards_signals_and_tells_the_code() {
    sandboxed("signals::an_init_forwards_signals_and_tells_the_code", || {
        let mut bundle = Bundle::new("trap 'echo got it; exit 33' TERM; echo ready; while :; do sleep 0.02; done");
        bundle.init = true;
        let (running, mut output) = bundle.start().unwrap();
        output.expect("ready");
        running.signal(15).unwrap();
        assert_eq!(running.wait().unwrap(), ExitStatus::Exited(33));
        assert!(output.text().contains("got it"));
    });
}

#[test]
fn an_init_ends_as_its_command_was_killed() {
    sandboxed("signals::an_init_ends_as_its_command_was_killed", || {
        let mut bundle = Bundle::new("echo $$; kill -9 $$");
        bundle.init = true;
        let ended = bundle.run();
        assert_eq!((ended.status.code(), &*ended.output), (137, "2\n"), "the command is the init's first child");
    });
}

#[test]
fn an_init_does_not_show_the_engines_command_line() {
    sandboxed("signals::an_init_does_not_show_the_engines_command_line", || {
        let mut bundle = Bundle::with(&["/bin/cat", "/proc/1/cmdline", "/proc/1/comm"]);
        bundle.init = true;
        let shown = bundle.output();
        // Cut where the engine's own command line ended.
        let (line, name) = shown.split_once('\0').unwrap_or_else(|| panic!("{shown:?}"));
        assert!(
            "/sbin/init -- /bin/cat /proc/1/cmdline /proc/1/comm".starts_with(line) && line.len() > 20,
            "{shown:?}"
        );
        assert_eq!(name, "init");
    });
}

#[test]
fn an_init_reaps_orphans() {
    sandboxed("signals::an_init_reaps_orphans", || {
        // The subshell ends at once, its child a little later, as an orphan: PID 1 must bury it.
        let script = "(sleep 0.1 & ) ; sleep 0.5; grep -l 'State:.Z' /proc/[0-9]*/status || echo no zombies";
        let mut bundle = Bundle::new(script);
        bundle.init = true;
        assert_eq!(bundle.output(), "no zombies");
    });
}

#[test]
fn an_init_tells_why_the_command_did_not_start() {
    sandboxed("signals::an_init_tells_why_the_command_did_not_start", || {
        let mut bundle = Bundle::with(&["nonesuch"]);
        bundle.init = true;
        assert_eq!(bundle.error().exit_code(), 127);
    });
}

#[test]
fn everything_inside_dies_with_the_first_process() {
    sandboxed("signals::everything_inside_dies_with_the_first_process", || {
        let bundle = Bundle::new("sleep 1000 & sleep 1000 & echo ready; wait");
        let (running, mut output) = bundle.start().unwrap();
        output.expect("ready");
        kill(&running);
        assert!(std::fs::metadata(format!("/proc/{}", running.pid)).is_err());
    });
}

#[test]
fn a_container_dies_with_the_one_who_started_it() {
    sandboxed("signals::a_container_dies_with_the_one_who_started_it", || {
        let bundle = Bundle::new("exec sleep 1000");
        let (running, _output) = std::thread::scope(|scope| scope.spawn(|| bundle.start().unwrap()).join().unwrap());
        assert_eq!(running.wait().unwrap(), ExitStatus::Killed(9));
    });
}
