//! A container's life: create, start, stop, restart, remove, and what is told of it in between.

mod support;

use predicates::prelude::*;
use support::{Sandbox, eventually};

#[test]
fn create_start_wait_logs_rm() {
    Sandbox::each(|sandbox| {
        let id = sandbox.ok(&["create", "--name", "one", "workbench", "sh", "-c", "echo working; exit 4"]);
        assert_eq!(id.len(), 64);
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.Status}}", "one"]), "created");
        assert_eq!(sandbox.ok(&["start", "one"]), "one");
        assert_eq!(sandbox.ok(&["wait", "one"]), "4");
        assert_eq!(sandbox.ok(&["logs", &id[..12]]), "working");
        assert_eq!(sandbox.output(&["start", "-a", "one"]).status.code(), Some(4));
        assert_eq!(sandbox.ok(&["logs", "one"]), "working\nworking");
        assert_eq!(sandbox.ok(&["logs", "--tail", "1", "one"]), "working");
        assert_eq!(sandbox.ok(&["rm", "one"]), "one");
        let gone = sandbox.fails(1, &["logs", "one"]);
        assert_eq!(gone, "Error response from daemon: No such container: one\n");
    });
}

#[test]
fn ps_tells_who_runs_and_who_ended() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "-d", "--name", "up", "--label", "tier=web", "workbench", "sleep", "100"]);
    sandbox.output(&["run", "--name", "down", "workbench", "sh", "-c", "exit 3"]);
    let table = sandbox.ok(&["ps", "-a"]);
    let header: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["CONTAINER", "ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]);
    assert!(
        predicate::str::is_match(r#"(?m)^[0-9a-f]{12}   workbench   "sleep 100" .* Up .*up$"#).unwrap().eval(&table),
        "{table}"
    );
    assert!(predicate::str::is_match(r"(?m)Exited \(3\) .* ago .*down$").unwrap().eval(&table), "{table}");
    assert_eq!(sandbox.ok(&["ps", "--format", "{{.Names}}"]), "up");
    assert_eq!(
        sandbox.ok(&["ps", "-a", "--filter", "status=exited", "--format", "{{.Names}} {{.Image}}"]),
        "down workbench"
    );
    assert_eq!(sandbox.ok(&["ps", "-a", "--filter", "label=tier=web", "--format", "{{.Label \"tier\"}}"]), "web");
    assert_eq!(sandbox.ok(&["ps", "-a", "--filter", "exited=3", "--format", "{{.Names}}"]), "down");
}

#[test]
fn a_running_container_is_not_removed_without_force() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "-d", "--name", "up", "workbench", "sleep", "100"]);
    let refused = sandbox.fails(1, &["rm", "up"]);
    assert!(refused.contains("container is running"), "{refused}");
    assert_eq!(sandbox.ok(&["rm", "-f", "up"]), "up");
    assert_eq!(sandbox.ok(&["ps", "-aq"]), "");
}

#[test]
fn exec_joins_every_namespace() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&["run", "-d", "--name", "up", "-e", "FROM=create", "workbench", "sleep", "100"]);
        let namespaces = "for n in pid mnt uts ipc net; do readlink /proc/self/ns/$n; done";
        let inside = sandbox.ok(&["exec", "up", "sh", "-c", namespaces]);
        let init = sandbox.ok(&["exec", "up", "sh", "-c", &namespaces.replace("self", "1")]);
        assert_eq!(inside, init);
        assert_eq!(
            sandbox.ok(&["exec", "-e", "X=1", "-w", "/tmp", "up", "sh", "-c", "echo $FROM $X $PWD"]),
            "create 1 /tmp"
        );
        assert_eq!(sandbox.output(&["exec", "up", "sh", "-c", "exit 6"]).status.code(), Some(6));
        sandbox.kesako(&["exec", "-i", "up", "cat"]).write_stdin("through").assert().success().stdout("through");
        let missing = sandbox.output(&["exec", "up", "no-such-command"]);
        assert_eq!(missing.status.code(), Some(127), "{missing:?}");
        let told = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"no-such-command\": executable file not found in $PATH: unknown";
        assert!(String::from_utf8_lossy(&missing.stdout).contains(told), "{missing:?}");
        sandbox.ok(&["exec", "-d", "up", "sh", "-c", "echo there > /tmp/proof"]);
        eventually("the detached command has written", || {
            sandbox.output(&["exec", "up", "cat", "/tmp/proof"]).stdout == b"there\n"
        });
        sandbox.ok(&["rm", "-f", "up"]);
    });
}

#[test]
fn stop_gives_grace_then_kills() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "-d", "--name", "deaf", "workbench", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]);
    let begin = std::time::Instant::now();
    assert_eq!(sandbox.ok(&["stop", "-t", "1", "deaf"]), "deaf");
    assert!((1.0..6.0).contains(&begin.elapsed().as_secs_f32()), "{:?}", begin.elapsed());
    assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.ExitCode}}", "deaf"]), "137");
}

#[test]
fn a_killed_container_can_be_removed_at_once() {
    Sandbox::each(|sandbox| {
        for _ in 0..5 {
            let id = sandbox.ok(&["run", "-d", "--restart", "always", "workbench", "sleep", "100"]);
            sandbox.ok(&["kill", &id]);
            assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", &id]), "exited 137");
            sandbox.ok(&["rm", &id]);
        }
        let id = sandbox.ok(&["run", "-d", "--rm", "workbench", "sleep", "100"]);
        sandbox.ok(&["kill", &id]);
        assert_eq!(sandbox.ok(&["ps", "-aq"]), "");
    });
}

#[test]
fn what_the_shim_does_to_stop_a_container_is_told() {
    let sandbox = Sandbox::new();
    for verb in ["stop", "kill"] {
        sandbox.ok(&["run", "-d", "--name", verb, "--init", "workbench", "sleep", "100"]);
        let told = sandbox.output(&["--explain", verb, verb]).stderr;
        let told = String::from_utf8(told).unwrap();
        assert!(told.contains("pidfd_send_signal(2)"), "{verb}: {told}");
    }
}

#[test]
fn an_ordinary_user_commits_a_container_that_cannot_be_paused() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&["run", "-d", "--name", "up", "workbench", "sh", "-c", "echo here > /proof; sleep 100"]);
        eventually("the file is there", || sandbox.output(&["exec", "up", "cat", "/proof"]).status.success());
        sandbox.ok(&["commit", "up", "snapshot"]);
        assert_eq!(sandbox.ok(&["run", "--rm", "snapshot", "cat", "/proof"]), "here");
        sandbox.ok(&["rm", "-f", "up"]);
    });
}

#[test]
fn restart_policies() {
    let sandbox = Sandbox::new();
    sandbox.ok(&[
        "run",
        "-d",
        "--name",
        "again",
        "--restart",
        "on-failure:2",
        "workbench",
        "sh",
        "-c",
        "echo run; exit 1",
    ]);
    eventually("two restarts, then the end", || {
        sandbox.ok(&["inspect", "-f", "{{.RestartCount}} {{.State.Status}}", "again"]) == "2 exited"
    });
    assert_eq!(sandbox.ok(&["logs", "again"]), "run\nrun\nrun");
    let refused = sandbox.fails(125, &["run", "--rm", "--restart", "always", "workbench", "true"]);
    assert!(refused.contains("onflicting options"), "{refused}");
}

#[test]
fn logs_follow_to_the_end_and_survive_rotation() {
    let sandbox = Sandbox::new();
    let chatty = "i=0; while [ $i -lt 3000 ]; do echo line-$i-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); [ $((i % 50)) = 0 ] && sleep 0.02; done; sleep 0.3; echo last";
    sandbox.ok(&[
        "run",
        "-d",
        "--name",
        "chatty",
        "--log-opt",
        "max-size=20k",
        "--log-opt",
        "max-file=3",
        "workbench",
        "sh",
        "-c",
        chatty,
    ]);
    let followed = sandbox.ok(&["logs", "-f", "chatty"]);
    assert!(followed.ends_with("\nlast"), "{}", &followed[followed.len().saturating_sub(200)..]);
    let lines: Vec<_> = followed.lines().collect();
    // What was already rotated away may be missing at the front; nothing in between is.
    let numbers: Vec<usize> =
        lines[..lines.len() - 1].iter().map(|l| l.split('-').nth(1).unwrap().parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "a hole in the followed log");
    let folder = sandbox.root().join("containers").join(sandbox.ok(&["inspect", "-f", "{{.Id}}", "chatty"]));
    let size: u64 = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().contains("log"))
        .map(|e| e.metadata().unwrap().len())
        .sum();
    assert!(size < 80_000, "the log is bounded, but takes {size} bytes");
}

#[test]
fn the_writable_layer_lives_as_long_as_the_container() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&["run", "--name", "diary", "workbench", "sh", "-c", "echo dear >> /diary; cat /diary"]);
        assert_eq!(sandbox.ok(&["start", "-a", "diary"]), "dear\ndear");
        assert!(sandbox.ok(&["diff", "diary"]).contains("A /diary"));
        sandbox.ok(&["rm", "diary"]);
        sandbox.fails(1, &["run", "--rm", "workbench", "cat", "/diary"]);
    });
}

#[test]
fn cidfile_and_container_prune() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("cid");
    let id = sandbox.ok(&["run", "-d", "--cidfile", file.to_str().unwrap(), "workbench", "true"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), id);
    let again = sandbox.fails(125, &["run", "-d", "--cidfile", file.to_str().unwrap(), "workbench", "true"]);
    assert!(again.contains("ontainer ID file found"), "{again}");
    sandbox.ok(&["wait", &id]);
    let pruned = sandbox.ok(&["container", "prune", "-f"]);
    assert!(pruned.contains(&id) && pruned.contains("Total reclaimed space:"), "{pruned}");
}

/// A script's `exec 9>lock; flock 9` must not last as long as the container that it starts.
#[test]
fn a_container_keeps_nothing_open_that_its_starter_had() {
    let sandbox = Sandbox::new();
    let kesako = sandbox.std_command(&["--version"]).get_program().to_owned();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", r#"exec 9>&1; "$0" run -d workbench sleep 20 > /dev/null"#]).arg(kesako);
    sandbox.place(&mut shell);
    // Its end comes when nobody holds the pipe any more.
    assert_eq!(shell.output().unwrap().stdout, b"");
    assert!(!sandbox.ok(&["ps", "-q"]).is_empty(), "the shell's pipe was open until the container ended");
}

/// What the engine cannot read it passes over, and says so.
#[test]
fn a_damaged_container_is_told_and_hides_no_other() {
    let sandbox = Sandbox::new();
    let [good, bad] = ["good", "bad"].map(|name| sandbox.ok(&["create", "--name", name, "workbench"]));
    let record = sandbox.root().join("containers").join(&bad).join("config.json");
    let whole = std::fs::read(&record).unwrap();
    std::fs::write(&record, "{").unwrap();
    let listed = sandbox.output(&["ps", "-aq", "--no-trunc"]);
    let warning = String::from_utf8(listed.stderr).unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().trim(), good);
    assert!(warning.starts_with(&format!("WARNING: container {bad}: ")), "{warning}");
    std::fs::write(&record, whole).unwrap();
}
