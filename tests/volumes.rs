//! Volumes, folders of the host and memory in containers: what is kept, what is seen, and what cannot be reached.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use support::{Sandbox, eventually};

/// `run --rm FLAGS workbench sh -c SCRIPT`, with what it prints.
fn run(sandbox: &Sandbox, flags: &str, script: &str) -> String {
    sandbox.ok(&arguments(flags, script))
}

/// The same, and it must fail with this code; with what it says.
fn run_fails(sandbox: &Sandbox, code: i32, flags: &str, script: &str) -> String {
    sandbox.fails(code, &arguments(flags, script))
}

fn arguments<'a>(flags: &'a str, script: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["run", "--rm"];
    arguments.extend(flags.split_whitespace());
    arguments.extend(["workbench", "sh", "-c", script]);
    arguments
}

fn volumes(sandbox: &Sandbox) -> Vec<String> {
    sandbox.ok(&["volume", "ls", "-q"]).lines().map(str::to_owned).collect()
}

/// Where a volume's data is on the host.
fn data(sandbox: &Sandbox, volume: &str) -> PathBuf {
    sandbox.root().join("volumes").join(volume).join("_data")
}

/// An image of this script's doing in the workbench.
fn image(sandbox: &Sandbox, name: &str, change: &str, script: &str) {
    sandbox.ok(&["run", "--name", "maker", "workbench", "sh", "-c", script]);
    sandbox.ok(&["commit", "-c", change, "maker", name]);
    sandbox.ok(&["rm", "maker"]);
}

/// A folder of the host that the sandbox's user may use.
fn folder(sandbox: &Sandbox, name: &str) -> PathBuf {
    let path = sandbox.path().join(name);
    fs::create_dir_all(&path).unwrap();
    let owner = fs::metadata(sandbox.path()).unwrap();
    std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    path
}

#[test]
fn the_writable_layer_dies_with_its_container_and_a_volume_does_not() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&["run", "--name", "pinger", "workbench", "sh", "-c", "echo test >> test.txt; cat test.txt"]);
        assert_eq!(sandbox.ok(&["start", "-a", "pinger"]), "test\ntest", "started again, it has what it wrote");
        run_fails(sandbox, 1, "", "cat test.txt");
        sandbox.ok(&["rm", "pinger"]);

        assert_eq!(run(sandbox, "-v my-volume:/my-data", "ls -d /my-data; echo test > /my-data/test.txt"), "/my-data");
        assert_eq!(run(sandbox, "-v my-volume:/my-data", "cat /my-data/test.txt"), "test");
        assert_eq!(volumes(sandbox), ["my-volume"]);
        assert_eq!(sandbox.ok(&["volume", "create", "my-volume"]), "my-volume", "it is there already");
        let place = sandbox.ok(&["inspect", "-f", "{{.Mountpoint}} {{.Driver}}", "my-volume"]);
        assert_eq!(place, format!("{} local", data(sandbox, "my-volume").display()));
        assert_eq!(fs::read_to_string(data(sandbox, "my-volume").join("test.txt")).unwrap(), "test\n");

        let mapped = folder(sandbox, "mapped");
        run(sandbox, "-v ./mapped:/my-data", "echo mapped > /my-data/test.txt");
        assert_eq!(fs::read_to_string(mapped.join("test.txt")).unwrap(), "mapped\n");
        assert_eq!(sandbox.ok(&["volume", "rm", "my-volume"]), "my-volume");
        assert!(sandbox.fails(1, &["volume", "inspect", "my-volume"]).contains("get my-volume: no such volume"));
    });
}

#[test]
fn a_new_volume_gets_what_the_image_has_in_its_place() {
    Sandbox::each(|sandbox| {
        let make = "mkdir -p /content/deep; echo image > /content/file; ln /content/file /content/deep/again; \
                    ln -s file /content/link; chmod 4750 /content/deep/again; chmod 2770 /content";
        image(sandbox, "made", "VOLUME /content", make);
        let look = |flags: &str| {
            let mut arguments = vec!["run", "--rm"];
            arguments.extend(flags.split_whitespace());
            arguments.extend([
                "made",
                "sh",
                "-c",
                "stat -c %a /content; cd /content; cat link; stat -c '%h %a' deep/again",
            ]);
            sandbox.ok(&arguments)
        };
        let all = "2770\nimage\n2 4750";
        assert_eq!(look("-v named:/content"), all);
        assert_eq!(look("--mount type=volume,source=long,target=/content"), all);
        assert_eq!(look(""), all, "VOLUME of the image");
        assert_eq!(volumes(sandbox), ["long", "named"], "one without a name goes with --rm");
        // From now on it is the volume's.
        fs::write(data(sandbox, "named").join("file"), "mine\n").unwrap();
        assert_eq!(look("-v named:/content").lines().nth(1), Some("mine"));
        let empty = sandbox.ok(&["run", "--rm", "-v", "bare:/content:nocopy", "made", "ls", "-A", "/content"]);
        assert_eq!(empty, "");
        let host = folder(sandbox, "host");
        sandbox.ok(&["run", "--rm", "-v", &format!("{}:/content", host.display()), "made", "true"]);
        assert_eq!(fs::read_dir(&host).unwrap().count(), 0, "a folder of the host is the user's");
    });
}

#[test]
fn what_nobody_named_goes_with_its_container() {
    Sandbox::each(|sandbox| {
        image(sandbox, "made", "VOLUME [\"/a\", \"/b/c\"]", "true");
        sandbox.ok(&["create", "--name", "one", "-v", "/d", "-v", "kept:/e", "made"]);
        assert_eq!(volumes(sandbox).len(), 4);
        sandbox.ok(&["rm", "one"]);
        assert_eq!(volumes(sandbox).len(), 4, "without -v they stay");
        let pruned = sandbox.ok(&["volume", "prune", "-f"]);
        assert!(pruned.starts_with("Deleted Volumes:\n") && pruned.lines().count() == 6, "{pruned}");
        assert_eq!(volumes(sandbox), ["kept"]);

        sandbox.ok(&["create", "--name", "two", "-v", "/d", "made"]);
        sandbox.ok(&[
            "run",
            "--name",
            "three",
            "--volumes-from",
            "two:ro",
            "workbench",
            "sh",
            "-c",
            "! touch /d/x 2>/dev/null",
        ]);
        sandbox.ok(&["rm", "-v", "two"]);
        assert_eq!(volumes(sandbox).len(), 4, "another has them");
        let refusal = sandbox.fails(1, &["volume", "rm", &volumes(sandbox)[0]]);
        assert!(refusal.contains(": volume is in use - ["), "{refusal}");
        sandbox.ok(&["rm", "-v", "three"]);
        assert_eq!(volumes(sandbox), ["kept"]);

        // However it ends: by itself, by stop, by its command not being there.
        run(sandbox, "-v /d", "true");
        sandbox.ok(&["run", "-d", "--rm", "--name", "four", "-v", "/d", "workbench", "sleep", "100"]);
        sandbox.ok(&["stop", "-t", "0", "four"]);
        run_fails(sandbox, 127, "-v /d --entrypoint /no/such/program", "");
        sandbox.ok(&["create", "--name", "taken", "workbench", "true"]);
        sandbox.fails(1, &["create", "--name", "taken", "-v", "/d", "workbench", "true"]);
        sandbox.ok(&["rm", "taken"]);
        assert_eq!(volumes(sandbox), ["kept"]);
        assert!(sandbox.ok(&["volume", "prune", "-af"]).contains("kept"));
    });
}

#[test]
fn folders_and_files_of_the_host() {
    Sandbox::each(|sandbox| {
        let host = folder(sandbox, "host");
        let path = host.display();
        fs::write(host.join("file"), "host\n").unwrap();
        fs::set_permissions(host.join("file"), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(
            run(sandbox, &format!("-v {path}:/h -v {path}/file:/etc/one"), "cat /h/file /etc/one"),
            "host\nhost"
        );
        run(sandbox, &format!("-v {path}/file:/f"), "echo container > /f");
        assert_eq!(fs::read_to_string(host.join("file")).unwrap(), "container\n");
        for read_only in [format!("-v {path}:/h:ro"), format!("--mount type=bind,src={path},dst=/h,readonly")] {
            let said = run_fails(sandbox, 1, &read_only, "echo x > /h/file");
            assert!(said.contains("Read-only file system"), "{said}");
        }
        // The container's own hosts file gives way to the user's.
        assert_eq!(run(sandbox, &format!("-v {path}/file:/etc/hosts:ro"), "cat /etc/hosts"), "container");

        run(sandbox, "-v ./made/for/me:/x", "touch /x/here");
        assert!(sandbox.path().join("made/for/me/here").exists(), "-v makes the folder that is missing");
        let said = run_fails(sandbox, 125, &format!("--mount type=bind,src={path}/nope,dst=/x"), "true");
        assert!(said.contains(&format!("bind source path does not exist: {path}/nope")), "{said}");
        assert!(!host.join("nope").exists());
        run(sandbox, &format!("--mount type=bind,src={path}/nope,dst=/x,bind-create-src"), "true");
        assert!(host.join("nope").is_dir());

        for wrong in ["file:/etc", ":/etc/passwd", "file/x:/x"] {
            let said = run_fails(sandbox, 125, &format!("-v {path}/{wrong}"), "true");
            assert!(
                said.contains("not a directory: unknown: Are you trying to mount a directory onto a file"),
                "{said}"
            );
        }
        // All of it. (What is in it depends on the host; that it is the host's, not.)
        let own = sandbox.path().display();
        assert_eq!(run(sandbox, "-v /:/host:ro", &format!("cat /host{own}/host/file")), "container");
    });
}

#[test]
fn mounts_stand_on_those_above_them() {
    Sandbox::each(|sandbox| {
        let host = folder(sandbox, "host");
        fs::create_dir(host.join("deep")).unwrap();
        let path = host.display();
        let flags = format!("-v inner:/a/deep/er -v {path}:/a --tmpfs /a/deep --mount type=tmpfs,dst=/a/deep/er/most");
        let script = "echo 1 > /a/deep/er/most/x; echo 2 > /a/deep/er/x; echo 3 > /a/deep/x; echo 4 > /a/x; cat /a/x /a/deep/x \
                      /a/deep/er/x /a/deep/er/most/x";
        assert_eq!(run(sandbox, &flags, script), "4\n3\n2\n1");
        assert_eq!(fs::read_to_string(data(sandbox, "inner").join("x")).unwrap(), "2\n");
        assert_eq!(fs::read_to_string(host.join("x")).unwrap(), "4\n");
        assert_eq!(fs::read_dir(host.join("deep")).unwrap().count(), 0, "what is hidden is not written to");
    });
}

#[test]
fn a_place_for_a_mount_is_no_change_of_the_container() {
    Sandbox::each(|sandbox| {
        let host = folder(sandbox, "host");
        fs::write(host.join("file"), "").unwrap();
        let bind = format!("{}/file:/new/file", host.display());
        let flags =
            ["-v", "vol:/var/new/deep", "-v", &bind, "--tmpfs", "/new/tmp", "-v", "vol:/data", "-v", "/etc:/usr/new"];
        let mut create = vec!["create", "--name", "web"];
        create.extend(flags);
        create.extend([
            "workbench",
            "sh",
            "-c",
            "ls -d /var/new/deep /new/file /new/tmp /data /usr/new | wc -l; echo x > /own",
        ]);
        sandbox.ok(&create);
        for _ in 0..2 {
            assert_eq!(sandbox.ok(&["start", "-a", "web"]).trim(), "5");
            assert_eq!(sandbox.ok(&["diff", "web"]), "A /own");
        }
        sandbox.ok(&["commit", "web", "made"]);
        assert_eq!(
            sandbox.ok(&["run", "--rm", "made", "sh", "-c", "ls -d /own /data /new /var/new 2>/dev/null; true"]),
            "/own"
        );
    });
}

#[test]
fn a_part_of_a_volume() {
    Sandbox::each(|sandbox| {
        run(sandbox, "-v vol:/v", "mkdir -p /v/a/b; echo deep > /v/a/b/file; echo no > /v/secret; ln -s b /v/a/link");
        let part = |part: &str| format!("--mount type=volume,src=vol,dst=/x,volume-subpath={part}");
        assert_eq!(run(sandbox, &part("a/b"), "cat /x/file; ls /x"), "deep\nfile");
        assert_eq!(run(sandbox, &part("a/link"), "ls /x"), "file", "a link within");
        assert_eq!(run(sandbox, &part("a/b/file"), "cat /x"), "deep", "a file");
        run(sandbox, &part("a/b"), "echo new > /x/new");
        assert_eq!(fs::read_to_string(data(sandbox, "vol").join("a/b/new")).unwrap(), "new\n");
        let said = run_fails(sandbox, 127, &part("nope"), "true");
        assert!(
            said.contains("cannot access path ") && said.to_lowercase().contains("no such file or directory"),
            "{said}"
        );
        for outside in ["../other/_data", "/etc", "a/../.."] {
            let said = run_fails(sandbox, 125, &part(outside), "true");
            assert!(said.contains("subpath must be a relative path within the volume"), "{said}");
        }
    });
}

/// Whoever writes to a volume may leave links in it; whoever makes an image, in the image. Neither reaches the host.
#[test]
fn no_link_leads_a_mount_out_of_its_root() {
    Sandbox::each(|sandbox| {
        let secret = folder(sandbox, "secret");
        fs::write(secret.join("file"), "the host's\n").unwrap();
        let out = secret.display().to_string();

        // In a volume, at the subpath.
        run(
            sandbox,
            "-v vol:/v",
            &format!("ln -s {out} /v/out; ln -s ../../../../../../.. /v/up; ln -s /proc/self/root /v/door"),
        );
        for part in ["out", "up", "door", "out/file", "up/etc"] {
            let flags = format!("--mount type=volume,src=vol,dst=/x,volume-subpath={part}");
            let said = run_fails(sandbox, 125, &flags, "cat /x/file /x 2>/dev/null; ls /x");
            assert!(said.contains("path concatenation escapes the base directory"), "{part}: {said}");
        }

        // In an image, at the target. What is mounted there must be seen in the container, and nothing be touched outside.
        let links = format!(
            "ln -s {out} /out; ln -s ../../../..{out} /up; ln -s /nowhere/at/all /dangling; ln -s /proc/self/root/tmp /door; ln -s b /a; \
             ln -s a /b; ln -s / /all"
        );
        image(sandbox, "evil", "ENV A=1", &links);
        let try_on = |target: &str| {
            let mount = format!("vol:{target}");
            sandbox.output(&[
                "run",
                "--rm",
                "-v",
                &mount,
                "evil",
                "sh",
                "-c",
                &format!("echo seen > {target}/mark; ls {target}"),
            ])
        };
        for target in ["/out", "/out/deep", "/up", "/dangling", "/dangling/x"] {
            let output = try_on(target);
            assert!(String::from_utf8_lossy(&output.stdout).contains("mark"), "{target}: {output:?}");
        }
        for target in ["/door", "/a", "/a/x", "/all"] {
            let output = try_on(target);
            assert!(!output.status.success(), "{target}: {output:?}");
        }
        let left: Vec<_> = fs::read_dir(&secret).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["file"], "nothing was made or hidden in a folder of the host");
        assert!(!Path::new("/nowhere").exists());

        // And what the image has there is not the host's, when it is copied into a volume.
        sandbox.ok(&["run", "--rm", "-v", "fresh:/out", "evil", "true"]);
        assert_eq!(fs::read_dir(data(sandbox, "fresh")).unwrap().count(), 0);
    });
}

#[test]
fn an_image_cannot_put_itself_in_the_place_of_proc() {
    Sandbox::each(|sandbox| {
        for (place, why) in
            [("/proc", "not of type proc"), ("/proc/self/attr", "inside /proc"), ("/proc/x", "inside /proc")]
        {
            image(sandbox, "evil", &format!("VOLUME {place}"), "true");
            let said = sandbox.fails(125, &["run", "--rm", "evil", "true"]);
            assert!(said.contains(&format!("cannot be mounted because it is {why}")), "{place}: {said}");
            sandbox.ok(&["rmi", "evil"]);
        }
        assert!(volumes(sandbox).is_empty());
        // The host's own, asked for by the user, is no disguise.
        run(sandbox, "-v /proc:/host/proc:ro -v /proc/uptime:/proc/uptime", "test -d /host/proc/1");
    });
}

#[test]
fn volumes_are_shared_by_who_asks_for_them() {
    Sandbox::each(|sandbox| {
        let children: Vec<_> = (0..8)
            .map(|number| {
                let script = format!("echo {number} >> /shared/log");
                sandbox.spawn(&["run", "--rm", "-v", "shared:/shared", "workbench", "sh", "-c", &script])
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        let mut log: Vec<_> =
            fs::read_to_string(data(sandbox, "shared").join("log")).unwrap().lines().map(str::to_owned).collect();
        log.sort();
        assert_eq!(log, ["0", "1", "2", "3", "4", "5", "6", "7"]);

        sandbox.ok(&["run", "-d", "--name", "writer", "-v", "shared:/w", "workbench", "sleep", "100"]);
        sandbox.ok(&["exec", "writer", "sh", "-c", "echo at once > /w/now"]);
        assert_eq!(run(sandbox, "--volumes-from writer", "cat /w/now"), "at once");
        assert_eq!(
            sandbox.ok(&["ps", "--filter", "volume=shared", "--format", "{{.Names}} {{.Mounts}}"]),
            "writer shared"
        );
        let refusal = sandbox.fails(1, &["volume", "rm", "-f", "shared"]);
        assert!(refusal.contains("remove shared: volume is in use"), "{refusal}");
        sandbox.ok(&["rm", "-f", "writer"]);
    });
}

#[test]
fn a_volume_may_be_a_folder_of_the_host_under_a_name() {
    Sandbox::each(|sandbox| {
        let host = folder(sandbox, "host");
        let device = format!("device={}", host.display());
        sandbox.ok(&["volume", "create", "-o", "type=none", "-o", "o=bind", "-o", &device, "named"]);
        run(sandbox, "-v named:/x", "echo there > /x/file");
        assert_eq!(fs::read_to_string(host.join("file")).unwrap(), "there\n");
        sandbox.ok(&["volume", "create", "-o", "type=none", "-o", "o=bind,ro", "-o", &device, "looked-at"]);
        let said = run_fails(sandbox, 1, "-v looked-at:/x", "cat /x/file; touch /x/y");
        assert!(said.contains("Read-only file system"), "{said}");
        sandbox.ok(&["volume", "prune", "-af"]);
        assert_eq!(volumes(sandbox).len(), 2, "what is kept elsewhere is not pruned");
        sandbox.ok(&["volume", "rm", "named", "looked-at"]);
        assert!(host.join("file").exists(), "the folder is the user's");
        let refusal = sandbox.fails(1, &["volume", "create", "-o", "type=nfs", "-o", "device=:/x", "far"]);
        assert!(refusal.contains("a volume of type \"nfs\" is not supported"), "{refusal}");
    });
}

#[test]
fn a_volume_may_be_memory_that_containers_share() {
    Sandbox::each(|sandbox| {
        let create =
            ["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,mode=700", "memory"];
        if !sandbox.is_root() {
            let refusal = sandbox.fails(1, &create);
            return assert!(refusal.contains("which those of an ordinary user cannot"), "{refusal}");
        }
        sandbox.ok(&create);
        sandbox.ok(&["run", "-d", "--name", "one", "-v", "memory:/m", "workbench", "sleep", "100"]);
        sandbox.ok(&[
            "exec",
            "one",
            "sh",
            "-c",
            "echo shared > /m/file; ! dd if=/dev/zero of=/m/big bs=1M count=2 2>/dev/null",
        ]);
        assert_eq!(run(sandbox, "-v memory:/x:ro", "stat -c %a /x; cat /x/file"), "700\nshared");
        sandbox.ok(&["rm", "-f", "one"]);
        assert_eq!(run(sandbox, "-v memory:/m", "ls /m"), "", "with the last container it is gone");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!mounts.contains(sandbox.root().to_str().unwrap()), "and unmounted");
        sandbox.ok(&["volume", "rm", "memory"]);
    });
}

/// What is mounted beneath a source is in the container as well, and as read-only as that; and propagation, both ways. In
/// mount namespaces of the test's own.
#[test]
fn mounts_beneath_and_mounts_to_come() {
    let sandbox = Sandbox::new();
    if !sandbox.is_root() {
        return support::not_run("mounts_beneath_and_mounts_to_come", "mounts of the host take root");
    }
    let host = folder(&sandbox, "host");
    let script = r#"
        set -e
        mount -t tmpfs shared "$HOST"; mount --make-rshared "$HOST"
        mkdir "$HOST/below" "$HOST/later"; mount -t tmpfs below "$HOST/below"; echo below > "$HOST/below/file"
        run() { "$KESAKO" run --rm "$@"; }
        echo "with: $(run -v "$HOST:/h" workbench cat /h/below/file)"
        echo "alone: $(run --mount type=bind,src="$HOST",dst=/h,bind-recursive=disabled workbench ls /h/below)"
        ! run -v "$HOST:/h:ro" workbench touch /h/below/x 2>/dev/null || echo "not read-only beneath"
        run --mount type=bind,src="$HOST",dst=/h,ro,bind-recursive=writable workbench touch /h/below/y
        run --mount type=bind,src="$HOST",dst=/h,ro,bind-recursive=readonly,bind-propagation=rprivate workbench test -e /h/below/y
        "$KESAKO" run -d --name slave -v "$HOST:/h:rslave" workbench sleep 100 >/dev/null
        "$KESAKO" run -d --name private -v "$HOST:/h" workbench sleep 100 >/dev/null
        "$KESAKO" run -d --name shared --privileged -v "$HOST:/h:rshared" workbench sleep 100 >/dev/null
        mount -t tmpfs later "$HOST/later"; echo later > "$HOST/later/file"
        echo "slave: $("$KESAKO" exec slave cat /h/later/file)"
        echo "private: $("$KESAKO" exec private ls /h/later)"
        "$KESAKO" exec shared sh -c 'mkdir /h/up; mount -t tmpfs up /h/up; echo up > /h/up/file'
        echo "shared: $(cat "$HOST/up/file")"
        "$KESAKO" rm -f slave private shared >/dev/null
        mount --make-rprivate "$HOST"
        ! run -v "$HOST:/h:rshared" workbench true 2>&1 | grep -o 'is not a shared mount'
        ! run -v "$HOST:/h:rslave" workbench true 2>&1 | grep -o 'is not a shared or slave mount'
    "#;
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script]);
    sandbox.place(&mut command);
    command.env("HOST", &host).env("KESAKO", env!("CARGO_BIN_EXE_kesako"));
    let output = command.output().unwrap();
    let expected = "with: below\nalone: \nslave: later\nprivate: \nshared: up\nis not a shared mount\nis not a shared or slave mount\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn memory_of_its_own() {
    Sandbox::each(|sandbox| {
        let flags = "--read-only --mount type=tmpfs,dst=/m,tmpfs-size=64k,tmpfs-mode=1750";
        assert_eq!(
            run(sandbox, flags, "stat -c %a /m; echo x > /m/x && df -k /m | tail -1 | tr -s ' ' | cut -d' ' -f2"),
            "1750\n64"
        );
        let said = run_fails(sandbox, 1, "--mount type=tmpfs,dst=/m,ro", "touch /m/x");
        assert!(said.contains("Read-only file system"), "{said}");
        // With a read-only root, a volume is as writable as it was asked for.
        assert_eq!(run(sandbox, "--read-only -v vol:/v", "echo kept > /v/x; cat /v/x"), "kept");
    });
}

#[test]
fn who_is_killed_leaves_no_half_of_a_volume() {
    let sandbox = Sandbox::new();
    image(&sandbox, "full", "CMD true", "mkdir /full; for i in $(seq 200); do echo $i > /full/$i; done");
    let whole = {
        let begun = std::time::Instant::now();
        sandbox.ok(&["run", "--rm", "-v", "first:/full", "full", "true"]);
        begun.elapsed()
    };
    for round in 0..12 {
        let name = format!("round-{round}");
        let mut child = sandbox.spawn(&["create", "-v", &format!("{name}:/full"), "-v", "/full2", "full"]);
        std::thread::sleep(whole * round / 12);
        // It may have ended.
        let _ = child.kill();
        child.wait().unwrap();
        let count =
            sandbox.ok(&["run", "--rm", "-v", &format!("{name}:/full"), "full", "sh", "-c", "ls /full | wc -l"]);
        assert_eq!(count.trim(), "200", "round {round}");
    }
    let created = sandbox.ok(&["ps", "-aq"]);
    for id in created.lines() {
        sandbox.ok(&["rm", "-v", id]);
    }
    sandbox.ok(&["volume", "prune", "-f"]);
    assert_eq!(volumes(&sandbox).len(), 13, "those with a name, and no other");
    let left = fs::read_dir(sandbox.root().join("volumes")).unwrap().map(|entry| entry.unwrap().path());
    let left: Vec<_> =
        left.flat_map(|volume| fs::read_dir(volume).unwrap().map(|entry| entry.unwrap().file_name())).collect();
    assert!(left.iter().all(|name| name == "_data" || name == "volume.json"), "{left:?}");
}

#[test]
fn a_killed_shim_takes_the_volumes_along_that_nobody_named() {
    Sandbox::each(|sandbox| {
        sandbox.ok(&[
            "run",
            "-d",
            "--rm",
            "--name",
            "up",
            "-v",
            "/data",
            "-v",
            "kept:/kept",
            "workbench",
            "sleep",
            "100",
        ]);
        let init = sandbox.ok(&["inspect", "-f", "{{.State.Pid}}", "up"]);
        let stat = fs::read_to_string(format!("/proc/{init}/stat")).unwrap();
        let shim: i32 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(shim), nix::sys::signal::Signal::SIGKILL).unwrap();
        eventually("its container is gone", || sandbox.ok(&["ps", "-aq"]).is_empty());
        assert_eq!(volumes(sandbox), ["kept"]);
    });
}

#[test]
fn create_and_remove_at_once_never_lose_a_volume_in_use() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["run", "--rm", "-v", "busy:/x", "workbench", "true"]);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let output = sandbox.output(&["volume", "rm", "busy"]);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(
                    output.status.success() || said.contains("in use") || said.contains("no such volume"),
                    "{said}"
                );
            }
        });
        for round in 0..30 {
            let written =
                sandbox.output(&["run", "--rm", "-v", "busy:/x", "workbench", "sh", "-c", "echo 1 > /x/y && cat /x/y"]);
            assert_eq!(String::from_utf8_lossy(&written.stdout), "1\n", "round {round}: {written:?}");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// A link in the place of a source is followed, as it is everywhere on the host; one to nowhere is told.
#[test]
fn links_of_the_host_are_the_users_own() {
    Sandbox::each(|sandbox| {
        let host = folder(sandbox, "host");
        fs::write(host.join("file"), "behind\n").unwrap();
        symlink("host", sandbox.path().join("link")).unwrap();
        symlink("no/where", sandbox.path().join("dangling")).unwrap();
        assert_eq!(run(sandbox, "-v ./link:/x", "cat /x/file"), "behind");
        let said = run_fails(sandbox, 125, "-v ./dangling:/x", "true");
        assert!(said.contains("error while creating mount source path") && said.contains("file exists"), "{said}");
    });
}
