//! What a container cannot see, cannot do, and cannot take more of than it was given.

mod support;

use support::{Sandbox, is_root};

#[test]
fn it_sees_only_itself() {
    Sandbox::each(|sandbox| {
        let processes = sandbox.ok(&["run", "--rm", "workbench", "sh", "-c", "ls -d /proc/[0-9]*"]);
        assert!(processes.lines().count() <= 3, "{processes}");
        assert_eq!(sandbox.ok(&["run", "--rm", "--network", "none", "workbench", "ls", "/sys/class/net"]), "lo");
        // On a network it has its end of a cable, and none of the host's links.
        assert_eq!(sandbox.ok(&["run", "--rm", "workbench", "ls", "/sys/class/net"]), "eth0\nlo");
        let mounts = sandbox.ok(&["run", "--rm", "workbench", "cat", "/proc/self/mountinfo"]);
        let host = sandbox.path().to_str().unwrap();
        for line in mounts.lines() {
            // lowerdir and friends are paths of the host that the kernel shows; a mount root must not be one of ours.
            let fields: Vec<_> = line.split(' ').collect();
            let bound = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].contains(&fields[4]);
            assert!(bound || !fields[3].contains(host), "{line}");
        }
        let fds = sandbox.ok(&["run", "--rm", "workbench", "ls", "-l", "/proc/self/fd"]);
        assert!(!fds.contains(host), "{fds}");
        assert!(fds.lines().count() <= 5, "{fds}");
    });
}

#[test]
fn masked_and_read_only_paths_hold() {
    Sandbox::each(|sandbox| {
        assert_eq!(
            sandbox.ok(&["run", "--rm", "workbench", "sh", "-c", "cat /proc/kcore | head -c 10 | wc -c"]).trim(),
            "0"
        );
        assert_eq!(
            sandbox.ok(&[
                "run",
                "--rm",
                "workbench",
                "sh",
                "-c",
                "ls /proc/acpi /sys/firmware 2>/dev/null | grep -v : | tr -d '\\n'"
            ]),
            ""
        );
        let written = sandbox.output(&["run", "--rm", "workbench", "sh", "-c", "echo 1 > /proc/sys/kernel/sysrq"]);
        assert!(!written.status.success());
        let written = sandbox.output(&["run", "--rm", "--read-only", "workbench", "touch", "/x"]);
        assert!(String::from_utf8_lossy(&written.stderr).contains("Read-only file system"), "{written:?}");
        sandbox.ok(&["run", "--rm", "--read-only", "--tmpfs", "/scratch:size=1m", "workbench", "touch", "/scratch/x"]);
    });
}

#[test]
fn capabilities_are_docker_s_fourteen() {
    let sandbox = Sandbox::new();
    let effective = |args: &[&str]| {
        let mut command = vec!["run", "--rm"];
        command.extend(args);
        command.extend(["workbench", "sh", "-c", "grep CapEff /proc/self/status"]);
        sandbox.ok(&command).split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(effective(&[]), "00000000a80425fb");
    assert_eq!(effective(&["--cap-drop", "ALL"]), "0000000000000000");
    assert_eq!(effective(&["--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE"]), "0000000000000400");
    assert_eq!(effective(&["-u", "1"]), "0000000000000000");
    let unknown = sandbox.fails(125, &["run", "--rm", "--cap-add", "NO_SUCH", "workbench", "true"]);
    assert!(unknown.contains("NO_SUCH"), "{unknown}");
}

#[test]
fn seccomp_and_no_new_privileges() {
    Sandbox::each(|sandbox| {
        let status = |args: &[&str]| {
            let mut command = vec!["run", "--rm"];
            command.extend(args);
            command.extend([
                "workbench",
                "sh",
                "-c",
                "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status | tr -d '\\t\\n'",
            ]);
            sandbox.ok(&command)
        };
        assert_eq!(status(&[]), "NoNewPrivs:0Seccomp:2");
        assert_eq!(status(&["--security-opt", "no-new-privileges"]), "NoNewPrivs:1Seccomp:2");
        assert_eq!(status(&["--security-opt", "seccomp=unconfined"]), "NoNewPrivs:0Seccomp:0");
        let profile = sandbox.path().join("profile.json");
        let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#;
        std::fs::write(&profile, text).unwrap();
        let option = format!("seccomp={}", profile.display());
        let refused = sandbox.output(&["run", "--rm", "--security-opt", &option, "workbench", "mkdir", "/tmp/x"]);
        assert!(String::from_utf8_lossy(&refused.stderr).contains("not permitted"), "{refused:?}");
    });
}

#[test]
fn the_engine_s_binary_is_out_of_reach() {
    Sandbox::each(|sandbox| {
        // PID 1 under --init is the engine's own binary: the container may not open it, for writing least of all.
        let attack = "exec 3<>/proc/1/exe && echo opened; ls -l /proc/1/exe >/dev/null; exit 0";
        let said =
            sandbox.ok(&["run", "--rm", "--init", "workbench", "sh", "-c", &format!("({attack}) 2>/dev/null; true")]);
        assert_eq!(said, "");
        // And an entry point that is a link to the running binary only starts what the kernel lets it.
        let _whatever_it_does = sandbox.output(&["run", "--rm", "workbench", "/proc/self/exe", "version"]);
        // A working directory that leads out through a leaked descriptor (CVE-2024-21626).
        for fd in 3..12 {
            let output = sandbox.output(&[
                "run",
                "--rm",
                "-w",
                &format!("/proc/self/fd/{fd}"),
                "workbench",
                "sh",
                "-c",
                "cat ../../../../../etc/hostname; pwd",
            ]);
            let text = String::from_utf8_lossy(&output.stdout);
            let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
            assert!(
                !output.status.success() || host.trim().is_empty() || !text.contains(host.trim()),
                "fd {fd}: {text}"
            );
        }
    });
}

/// mount_setattr(2) makes any mount writable that one holds a descriptor of; what is sealed in memory has no mount.
#[test]
fn the_engine_s_binary_is_out_of_reach_of_those_who_may_mount() {
    Sandbox::each(|sandbox| {
        let may_all = ["run", "--rm", "--init", "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE", "workbench"];
        let said = sandbox.ok(&[&may_all[..], &["readlink", "/proc/1/exe"]].concat());
        assert!(said.starts_with("/memfd:kesako"), "{said}");
    });
}

/// Whoever has CAP_SYS_PTRACE may take hold of a process that joins, so that must never hold more than the container
/// does.
#[test]
fn what_joins_a_container_has_its_rights_from_the_beginning() {
    let sandbox = Sandbox::new();
    let look = "while :; do grep -h CapEff /proc/[0-9]*/status; done 2>/dev/null";
    sandbox.ok(&["run", "-d", "--name", "looker", "workbench", "sh", "-c", look]);
    for _ in 0..40 {
        sandbox.ok(&["exec", "looker", "true"]);
    }
    sandbox.ok(&["kill", "looker"]);
    let seen: std::collections::BTreeSet<_> = sandbox.ok(&["logs", "looker"]).lines().map(str::to_owned).collect();
    let seen: Vec<_> = seen.iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(seen, ["00000000a80425fb"]);
}

/// A container may send SIGSTOP to whatever appears in it, and so to a process that is about to become an exec's
/// command.
#[test]
fn a_container_cannot_hold_the_engine_by_what_joins_it() {
    let sandbox = Sandbox::new();
    let stop = "(while :; do kill -STOP -1; done) & wait";
    sandbox.ok(&["run", "-d", "--name", "holder", "workbench", "sh", "-c", stop]);
    for _ in 0..3 {
        // It is held, or it was faster.
        sandbox.output(&["exec", "-d", "holder", "true"]);
    }
    sandbox.ok(&["kill", "holder"]);
}

/// An image's link must not lead the engine's own mounts, nor what it writes, to files of /proc (CVE-2025-52881).
#[test]
fn links_of_an_image_do_not_lead_mounts_into_proc() {
    Sandbox::each(|sandbox| {
        let tree = sandbox.path().join("tree");
        std::fs::create_dir_all(tree.join("etc")).unwrap();
        std::os::unix::fs::symlink("/proc/sys/net/ipv4/ip_unprivileged_port_start", tree.join("etc/hostname")).unwrap();
        let archive = sandbox.path().join("hostile.tar");
        let made = std::process::Command::new("tar").arg("-C").arg(&tree).arg("-cf").arg(&archive).arg(".").status();
        assert!(made.unwrap().success());
        sandbox.ok(&["import", archive.to_str().unwrap(), "hostile"]);
        let refused = sandbox.fails(125, &["run", "--rm", "hostile", "true"]);
        assert!(refused.contains("/etc/hostname") && refused.contains("symbolic links"), "{refused}");
        std::fs::remove_dir_all(tree).unwrap();
    });
}

#[test]
fn limits_hold() {
    if !is_root() {
        return support::not_run("isolation::limits_hold", "limits need a cgroup that may be written");
    }
    let sandbox = Sandbox::new();
    let pids = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait; echo done";
    let output = sandbox.output(&["run", "--rm", "--pids-limit", "5", "workbench", "sh", "-c", pids]);
    assert!(!String::from_utf8_lossy(&output.stderr).is_empty(), "ten processes under a limit of five: {output:?}");
    sandbox.output(&[
        "run",
        "--name",
        "hungry",
        "-m",
        "16m",
        "workbench",
        "sh",
        "-c",
        "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo survived",
    ]);
    assert_eq!(sandbox.ok(&["inspect", "-f", "{{.HostConfig.Memory}}", "hungry"]), "16777216");
    assert_ne!(sandbox.ok(&["inspect", "-f", "{{.State.ExitCode}}", "hungry"]), "0");
    let small = sandbox.fails(125, &["run", "--rm", "-m", "1m", "workbench", "true"]);
    assert!(small.contains("Minimum memory limit allowed is 6MB"), "{small}");
    sandbox.ok(&["run", "--rm", "--cpus", "0.5", "workbench", "true"]);
    // The driver of loop devices: harmless to open, and the host's root may. (A disk may be refused by who lent the
    // machine.)
    let open = ["run", "--rm", "workbench", "sh", "-c", "mknod /tmp/d c 10 237; : < /tmp/d"];
    let refused = sandbox.output(&open);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Operation not permitted"), "{refused:?}");
    let allowed = sandbox.output(&[&open[..2], &["--device-cgroup-rule", "c 10:237 rw"], &open[2..]].concat());
    assert!(!String::from_utf8_lossy(&allowed.stderr).contains("Operation not permitted"), "{allowed:?}");
}

#[test]
fn ulimits() {
    Sandbox::each(|sandbox| {
        assert_eq!(
            sandbox.ok(&["run", "--rm", "--ulimit", "nofile=64:128", "workbench", "sh", "-c", "ulimit -n; ulimit -Hn"]),
            "64\n128"
        );
    });
}

#[test]
fn a_group_that_is_asked_for_is_there_or_refused() {
    Sandbox::each(|sandbox| {
        let output =
            sandbox.output(&["run", "--rm", "--group-add", "tty", "workbench", "grep", "^Groups", "/proc/self/status"]);
        let (said, refused) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            assert!(said.split_whitespace().any(|group| group == "5"), "{said}");
        } else {
            // An ordinary user without subordinate IDs.
            assert!(
                !sandbox.is_root() && refused.contains("cannot add the group tty: without subordinate IDs"),
                "{refused}"
            );
            assert_eq!(output.status.code(), Some(125));
        }
    });
}

#[test]
fn who_is_not_there_is_not_run_as() {
    Sandbox::each(|sandbox| {
        let output =
            sandbox.output(&["run", "--rm", "--user", "1234:5678", "workbench", "sh", "-c", "echo $(id -u):$(id -g)"]);
        let refused = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            assert_eq!(String::from_utf8_lossy(&output.stdout), "1234:5678\n");
            return;
        }
        let why = "cannot run as user 1234, group 5678: without subordinate IDs for it";
        assert!(!sandbox.is_root() && refused.contains(why), "{refused}");
        assert_eq!(output.status.code(), Some(125));
        sandbox.ok(&["run", "-d", "--name", "web", "workbench", "sleep", "100"]);
        // As with Docker, an exec that cannot begin says so where the command's output would be.
        let output = sandbox.output(&["exec", "--user", "1234:5678", "web", "true"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains(why), "{output:?}");
        assert_eq!(output.status.code(), Some(126));
        sandbox.ok(&["rm", "-f", "web"]);
    });
}

#[test]
fn the_hosts_ipc_can_be_had_where_it_has_no_mqueue_mounted() {
    Sandbox::each(|sandbox| {
        let host = std::fs::read_link("/proc/self/ns/ipc").unwrap();
        let seen = sandbox.ok(&["run", "--rm", "--ipc", "host", "workbench", "readlink", "/proc/self/ns/ipc"]);
        assert_eq!(std::path::Path::new(&seen), host);
    });
}
