//! Builds that do not come to their end.

use crate::place::{Place, ends};
use crate::support::{Sandbox, eventually};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::Child;

/// A build whose second command takes for ever, and has begun.
fn begun(place: &Place) -> Child {
    place.dockerfile("FROM workbench\nRUN echo done > /first\nRUN touch /begun; exec sleep 3217\nRUN echo last\n");
    let child =
        place.sandbox.std_command(&place.words(&["-t", "whole"])).stderr(std::process::Stdio::piped()).spawn().unwrap();
    eventually("the command runs", || sleepers() > 0);
    child
}

/// The commands of [`begun`] that run.
fn sleepers() -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands = processes.map(|process| std::fs::read(process.path().join("cmdline")).unwrap_or_default());
    commands.filter(|command| command == b"sleep\x003217\x00").count()
}

/// One test after the other: each looks for the sleepers of all.
#[test]
fn an_interrupted_build_leaves_nothing_and_goes_on_where_it_was() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let child = begun(&place);
            kill(Pid::from_raw(child.id() as i32), signal).unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(130), "{signal}: {output:?}");
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.ends_with("ERROR: failed to solve: Canceled: context canceled\n"), "{told}");
            assert_eq!(ends(&told).split(' ').next_back(), Some("CANCELED"), "{told}");
            assert_eq!((sleepers(), place.drafts().len()), (0, 0));
        }
        let mut child = begun(&place);
        child.kill().unwrap();
        child.wait().unwrap();
        eventually("the command has died with who built", || sleepers() == 0);
        assert!(!sandbox.output(&["inspect", "whole"]).status.success(), "no half image");
        // What is left is cleared away by the next build, which also finds the first command's result.
        place.dockerfile("FROM workbench\nRUN echo done > /first\nRUN touch /begun\n");
        assert_eq!(ends(&place.build(&[])), "CACHED DONE");
    });
}
