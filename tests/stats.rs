//! `stats` and `system df`: what containers use while they run, and what takes how much room.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::io::Read as _;
use support::{Sandbox, eventually, installed};

fn of<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {table}"));
    line.split('|').collect()
}

#[test]
fn what_containers_use_is_told() {
    Sandbox::each(|sandbox| {
        let run = ["run", "-d", "--network", "none", "--name"];
        sandbox.ok(&[&run[..], &["busy", "workbench", "sh", "-c", "while :; do :; done"]].concat());
        sandbox.ok(&[&run[..], &["idle", "workbench", "sh", "-c", "sleep 1000 & sleep 1000 & wait"]].concat());
        sandbox.ok(&["create", "--network", "none", "--name", "new", "workbench", "true"]);
        let table = sandbox.ok(&["stats", "--no-stream"]);
        assert!(table.starts_with("CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT"), "{table}");
        assert_eq!(table.lines().count(), 3, "only those that run: {table}");

        let format = "{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}|{{.NetIO}}|{{.BlockIO}}|{{.PIDs}}";
        let mut table = String::new();
        eventually("the three of it are there, and one is busy", || {
            table = sandbox.ok(&["stats", "-a", "--no-stream", "--format", format]);
            of(&table, "idle")[5] == "3" && of(&table, "busy")[1].trim_end_matches('%').parse::<f64>().unwrap() > 5.0
        });
        let idle: f64 = of(&table, "idle")[1].trim_end_matches('%').parse().unwrap();
        assert!(idle < 5.0, "{table}");
        assert_eq!(of(&table, "busy")[5], "1");
        assert!(of(&table, "idle")[2].contains("iB / ") && !of(&table, "idle")[2].starts_with("0B"), "{table}");
        assert!(of(&table, "idle")[2].ends_with("GiB") || of(&table, "idle")[2].ends_with("MiB"), "{table}");
        assert_eq!(of(&table, "new")[1..], ["0.00%", "0B / 0B", "0B / 0B", "0B / 0B", "0"]);
        let refused = sandbox.fails(1, &["stats", "--no-stream", "nope", "idle"]);
        assert_eq!(refused, "Error response from daemon: No such container: nope\n");

        // It goes on, and draws anew.
        let mut going = sandbox.spawn(&["stats", "busy"]);
        let mut seen = [0; 400];
        going.stdout.as_mut().unwrap().read_exact(&mut seen).unwrap();
        going.kill().unwrap();
        going.wait().unwrap();
        assert!(String::from_utf8_lossy(&seen).matches("\x1b[H").count() > 1);
    });
}

/// A limit, and what is counted beneath it.
#[test]
fn a_limit_is_what_memory_is_compared_with() {
    let sandbox = Sandbox::new();
    if !sandbox.is_root() {
        return support::not_run("a_limit_is_what_memory_is_compared_with", "it needs root, for a limit");
    }
    let run = ["run", "-d", "--network", "none", "--name", "small", "-m", "64m", "--pids-limit", "50", "workbench"];
    sandbox.ok(&[&run[..], &["sh", "-c", "head -c 8000000 /dev/zero > /dev/shm/eight; exec sleep 1000"]].concat());
    let used = || sandbox.ok(&["stats", "--no-stream", "--format", "{{.MemUsage}} {{.MemPerc}}", "small"]);
    eventually("eight megabytes are there", || used().trim_start().starts_with(['7', '8', '9']));
    let used = used();
    assert!(used.contains("MiB / 64MiB ") && used.ends_with('%') && !used.ends_with(" 0.00%"), "{used}");
    if !installed("curl") {
        return support::not_run("a_limit_is_what_memory_is_compared_with", "its last part needs curl");
    }
    let socket = sandbox.path().join("s.sock");
    let mut daemon = sandbox.spawn(&["daemon", "-H", &format!("unix://{}", socket.display())]);
    eventually("the daemon listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    let mut curl = std::process::Command::new("curl");
    curl.arg("-s").arg("--unix-socket").arg(&socket).arg("http://x/v1.41/containers/small/stats?stream=false");
    let told: serde_json::Value = serde_json::from_slice(&curl.output().unwrap().stdout).unwrap();
    assert_eq!((&told["name"], &told["pids_stats"]["limit"]), (&"/small".into(), &50.into()));
    assert_eq!(told["memory_stats"]["limit"], 64 << 20);
    assert!(told["memory_stats"]["stats"].as_object().unwrap().len() > 5, "{told}");
    let system = |which: &str| told[which]["system_cpu_usage"].as_u64().unwrap();
    assert!(system("cpu_stats") > system("precpu_stats"), "{told}");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

#[test]
fn what_takes_room_is_counted() {
    Sandbox::each(|sandbox| {
        let write = "head -c 3000 /dev/zero > /v/x; head -c 2000 /dev/zero > /own";
        sandbox.ok(&["run", "--name", "one", "--network", "none", "-v", "used:/v", "workbench", "sh", "-c", write]);
        let fill = "head -c 5000 /dev/zero > /v/x; head -c 1000 /dev/zero > /v/y";
        sandbox.ok(&["run", "--rm", "--network", "none", "-v", "spare:/v", "workbench", "sh", "-c", fill]);
        sandbox.ok(&["commit", "one", "two"]);
        let rows = sandbox.ok(&[
            "system",
            "df",
            "--format",
            "{{.Type}}|{{.TotalCount}}|{{.Active}}|{{.Size}}|{{.Reclaimable}}",
        ]);
        let rows: Vec<&str> = rows.lines().collect();
        assert!(rows[0].starts_with("Images|2|1|"), "{rows:?}");
        assert_eq!(
            rows[1..],
            ["Containers|1|0|2kB|2kB (100%)", "Local Volumes|2|1|9kB|6kB (66%)", "Build Cache|0|0|0B|0B"]
        );
        let details = sandbox.ok(&["system", "df", "-v"]);
        let has = |words: &[&str]| {
            assert!(
                details.lines().any(|line| line.split_whitespace().eq(words.iter().copied())),
                "{words:?} in {details}"
            );
        };
        has(&["used", "1", "3kB"]);
        has(&["spare", "0", "6kB"]);
        // All that the second image has of its own is one file.
        let second = details.lines().find(|line| line.starts_with("two ")).unwrap();
        assert!(second.contains(" 2kB ") && !second.contains(" 0B "), "{second}");

        let context = sandbox.path().join("context");
        std::fs::create_dir(&context).unwrap();
        std::fs::write(context.join("Dockerfile"), "FROM workbench\nRUN head -c 7000 /dev/zero > /made\n").unwrap();
        sandbox.ok(&["build", "-q", "-t", "built", "context"]);
        sandbox.ok(&["rmi", "built"]);
        let builds = sandbox.ok(&["system", "df", "--format", "{{.Type}}|{{.TotalCount}}|{{.Size}}"]);
        assert!(!builds.contains("Build Cache|0|0B") && builds.contains("Build Cache|"), "{builds}");
        assert!(sandbox.ok(&["system", "df", "-v"]).contains("regular"));
        sandbox.ok(&["rm", "one"]);
        sandbox.ok(&["volume", "rm", "used", "spare"]);
    });
}
