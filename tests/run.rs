//! `kesako run`: what a container is given, and what comes back of it.

mod support;

use support::terminal::Terminal;
use support::{Sandbox, eventually};

#[test]
fn a_fresh_root_runs_the_workbench() {
    Sandbox::each(|sandbox| {
        assert_eq!(sandbox.ok(&["run", "--rm", "workbench", "echo", "hello"]), "hello");
        assert_eq!(sandbox.ok(&["ps", "-aq"]), "");
    });
}

#[test]
fn the_exit_code_is_the_commands_own() {
    Sandbox::each(|sandbox| {
        for code in [0, 1, 3, 42, 255] {
            let output = sandbox.output(&["run", "--rm", "workbench", "sh", "-c", &format!("exit {code}")]);
            assert_eq!(output.status.code(), Some(code), "{output:?}");
        }
        let killed = sandbox.output(&["run", "--rm", "workbench", "sh", "-c", "kill -TERM $$; sleep 5"]);
        assert!([Some(143), Some(0)].contains(&killed.status.code()), "{killed:?}");
    });
}

#[test]
fn a_command_that_cannot_run_has_docker_s_codes() {
    Sandbox::each(|sandbox| {
        let missing = sandbox.fails(127, &["run", "--rm", "workbench", "no-such-command"]);
        assert!(missing.contains("exec: \"no-such-command\": executable file not found in $PATH"), "{missing}");
        let forbidden = sandbox.fails(126, &["run", "--rm", "workbench", "/etc/passwd"]);
        assert!(forbidden.contains("permission denied"), "{forbidden}");
        sandbox.fails(125, &["run", "--rm", "--no-such-flag", "workbench", "true"]);
        let unknown = sandbox.fails(125, &["run", "--rm", "no-such-image", "true"]);
        assert!(unknown.contains("Unable to find image 'no-such-image:latest' locally"), "{unknown}");
    });
}

#[test]
fn output_and_errors_stay_apart_and_input_arrives() {
    Sandbox::each(|sandbox| {
        let output = sandbox.output(&["run", "--rm", "workbench", "sh", "-c", "echo out; echo err >&2"]);
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        sandbox
            .kesako(&["run", "--rm", "-i", "workbench", "cat"])
            .write_stdin("a\nb")
            .assert()
            .success()
            .stdout("a\nb");
        // Without -i the command's input is empty.
        sandbox.kesako(&["run", "--rm", "workbench", "cat"]).write_stdin("unseen").assert().success().stdout("");
    });
}

#[test]
fn large_output_comes_whole_and_in_order() {
    let sandbox = Sandbox::new();
    let count = "seq 1 200000";
    let expected: String = (1..=200_000).map(|n| format!("{n}\n")).collect();
    sandbox.kesako(&["run", "--rm", "workbench", "sh", "-c", count]).assert().success().stdout(expected);
    let megabytes: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
    let echoed =
        sandbox.kesako(&["run", "--rm", "-i", "workbench", "cat"]).write_stdin(megabytes.clone()).output().unwrap();
    assert!(echoed.stdout == megabytes, "{} bytes came back, {:?}", echoed.stdout.len(), echoed.status);
}

#[test]
fn environment_folder_user_and_names() {
    Sandbox::each(|sandbox| {
        let file = sandbox.path().join("vars");
        std::fs::write(&file, "# a comment\nC=3\nHOME_FROM_HOST\n").unwrap();
        let file = file.to_str().unwrap();
        let env =
            sandbox.ok(&["run", "--rm", "-e", "A=1", "-e", "B=two words", "--env-file", file, "workbench", "env"]);
        for line in ["A=1", "B=two words", "C=3", "HOME=/root"] {
            assert!(env.lines().any(|have| have == line), "no {line} in {env}");
        }
        assert_eq!(sandbox.ok(&["run", "--rm", "-w", "/a/new/folder", "workbench", "pwd"]), "/a/new/folder");
        assert_eq!(sandbox.ok(&["run", "--rm", "--hostname", "box", "workbench", "hostname"]), "box");
        assert_eq!(sandbox.ok(&["run", "--rm", "--entrypoint", "echo", "workbench", "a", "b"]), "a b");
        assert_eq!(sandbox.ok(&["run", "--rm", "workbench", "sh", "-c", "echo $$"]), "1");
        assert_eq!(sandbox.ok(&["run", "--rm", "workbench", "id", "-u"]), "0");
    });
    let sandbox = Sandbox::new();
    if sandbox.is_root() {
        assert_eq!(sandbox.ok(&["run", "--rm", "-u", "1234:99", "workbench", "sh", "-c", "id -u; id -g"]), "1234\n99");
        let unknown = sandbox.fails(125, &["run", "--rm", "-u", "nobody-here", "workbench", "true"]);
        assert!(unknown.contains("unable to find user nobody-here: no matching entries in passwd file"), "{unknown}");
    }
}

#[test]
fn a_terminal_is_a_terminal() {
    Sandbox::each(|sandbox| {
        let mut terminal = Terminal::start(sandbox.std_command(&["run", "--rm", "-it", "workbench", "sh"]));
        terminal.type_in("test -t 0 && test -t 1 && echo it-is-$((40+2))\n");
        terminal.expect("it-is-42");
        terminal.type_in("stty size\n");
        terminal.expect("24 80");
        terminal.resize(40, 100);
        eventually("the new size arrives", || {
            terminal.type_in("stty size\n");
            std::thread::sleep(std::time::Duration::from_millis(50));
            terminal.screen().contains("40 100")
        });
        terminal.type_in("exit 7\n");
        assert_eq!(terminal.wait().code(), Some(7));
    });
}

#[test]
fn detach_keys_leave_the_container_running() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(sandbox.std_command(&["run", "-it", "--name", "shell", "workbench", "sh"]));
    terminal.type_in("echo here-$((1+1))\n");
    terminal.expect("here-2");
    terminal.type_in("\u{10}\u{11}");
    assert_eq!(terminal.wait().code(), Some(0));
    assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.Status}}", "shell"]), "running");
    let mut again = Terminal::start(sandbox.std_command(&["attach", "--detach-keys", "ctrl-x,x", "shell"]));
    again.type_in("echo back-$((2+2))\n");
    again.expect("back-4");
    again.type_in("\u{18}x");
    again.wait();
    assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.Running}}", "shell"]), "true");
}

#[test]
fn signals_to_the_command_line_reach_the_container() {
    let sandbox = Sandbox::new();
    let script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    let mut child = sandbox.spawn(&["run", "--name", "trap", "workbench", "sh", "-c", script]);
    eventually("the trap is set", || {
        !sandbox.ok(&["ps", "-aq", "--filter", "name=trap"]).is_empty() && sandbox.ok(&["logs", "trap"]) == "ready"
    });
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(9));
    assert_eq!(sandbox.ok(&["logs", "trap"]), "ready\ngot it");
}

#[test]
fn the_third_interrupt_ends_a_command_whose_container_does_not_hear() {
    let sandbox = Sandbox::new();
    // The kernel keeps from a PID 1 what it has no handler for.
    let mut child = sandbox.spawn(&["run", "--name", "deaf", "workbench", "sleep", "100"]);
    eventually("it runs", || sandbox.output(&["inspect", "-f", "{{.State.Status}}", "deaf"]).stdout == b"running\n");
    for _ in 0..3 {
        assert!(child.try_wait().unwrap().is_none());
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGINT)
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n");
    assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.Status}}", "deaf"]), "running");
}

#[test]
fn two_containers_cannot_win_one_name() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "--rm", "workbench", "true"]);
    let both: Vec<_> = (0..2).map(|_| sandbox.spawn(&["run", "--name", "xy", "workbench", "sleep", "0.5"])).collect();
    let outputs: Vec<_> = both.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let mut codes: Vec<_> = outputs.iter().map(|output| output.status.code().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 125], "{outputs:?}");
    let loser = outputs.iter().find(|output| output.status.code() == Some(125)).unwrap();
    let text = String::from_utf8_lossy(&loser.stderr);
    assert!(text.contains("Conflict. The container name \"/xy\" is already in use by container \""), "{text}");
    assert!(text.contains("You have to remove (or rename) that container to be able to reuse that name."), "{text}");
}

#[test]
fn init_reaps_and_forwards() {
    Sandbox::each(|sandbox| {
        // A grandchild whose parent has gone becomes a child of PID 1; without a reaper it stays as a zombie.
        let orphan = "(sh -c 'sleep 0.1 &') ; sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status; echo done";
        let with = sandbox.ok(&["run", "--rm", "--init", "workbench", "sh", "-c", orphan]);
        assert_eq!(with, "done", "a zombie is left under --init");
        assert_ne!(sandbox.ok(&["run", "--rm", "--init", "workbench", "sh", "-c", "echo $$"]), "1");
        assert_eq!(
            sandbox.output(&["run", "--rm", "--init", "workbench", "sh", "-c", "exit 5"]).status.code(),
            Some(5)
        );
        // `sleep` alone as PID 1 ignores SIGTERM; under an init it ends at once.
        sandbox.ok(&["run", "-d", "--init", "--name", "napper", "workbench", "sleep", "100"]);
        let begin = std::time::Instant::now();
        sandbox.ok(&["stop", "napper"]);
        assert!(begin.elapsed().as_secs() < 5, "stop took {:?}", begin.elapsed());
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.ExitCode}}", "napper"]), "143");
        sandbox.ok(&["rm", "napper"]);
    });
}

#[test]
fn explain_tells_each_step_in_its_order() {
    Sandbox::each(|sandbox| {
        let told =
            String::from_utf8(sandbox.output(&["--explain", "run", "--rm", "workbench", "true"]).stderr).unwrap();
        let mut steps = vec![
            "posix_spawn(3)",
            "clone3(2)",
            "mount -t proc",
            "sethostname(2)",
            "pivot_root(2)",
            "seccomp(2)",
            "execve(2)",
        ];
        if !sandbox.is_root() {
            steps.insert(0, "unshare --user");
        }
        let found: Vec<_> = steps.iter().map(|step| told.find(step)).collect();
        assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{steps:?} at {found:?} in\n{told}");
    });
}
