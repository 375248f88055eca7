//! Builds of several stages, and what a `RUN --mount` shows: from end to end, as root and as an ordinary user.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};
use support::{Sandbox, eventually};

/// A context with a Dockerfile in it.
struct Context<'a> {
    sandbox: &'a Sandbox,
    folder: PathBuf,
}

impl<'a> Context<'a> {
    fn new(sandbox: &'a Sandbox, dockerfile: &str) -> Self {
        let folder = sandbox.path().join("context");
        fs::create_dir_all(&folder).unwrap();
        let context = Self { sandbox, folder };
        context.file("Dockerfile", dockerfile);
        context
    }

    /// A file of it, which the sandbox's user can read.
    fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn build(&self, flags: &[&str]) -> Output {
        let folder = self.folder.to_str().unwrap();
        self.sandbox.output(&[&["build", "--progress", "plain", "-t", "built"], flags, &[folder]].concat())
    }

    /// Builds, and returns what was told meanwhile.
    fn ok(&self, flags: &[&str]) -> String {
        let output = self.build(flags);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        told
    }

    fn fails(&self, flags: &[&str]) -> String {
        let output = self.build(flags);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{told}");
        told
    }

    /// What a command in the image says.
    fn says(&self, command: &str) -> String {
        self.sandbox.ok(&["run", "--rm", "built", "sh", "-c", command])
    }
}

/// What each RUN wrote, a line each: `#7 0.012 text`.
fn written(told: &str) -> Vec<&str> {
    let text = |line: &'_ str| {
        let mut words = line.strip_prefix('#').unwrap_or_default().splitn(3, ' ');
        let time = words.nth(1).and_then(|time| time.split_once('.'));
        let is_time =
            time.is_some_and(|(seconds, rest)| [seconds, rest].iter().all(|part| part.parse::<u64>().is_ok()));
        words.next().filter(|_| is_time).map(|text| line.len() - text.len())
    };
    told.lines().filter_map(|line| Some(&line[text(line)?..])).collect()
}

/// The contents of all files beneath a folder hold this text somewhere.
fn is_anywhere(folder: &Path, text: &str) -> bool {
    let found = std::process::Command::new("grep").arg("-rqF").arg(text).arg(folder).status().unwrap();
    found.success()
}

#[test]
fn only_what_the_target_needs_is_built() {
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM workbench AS base\nRUN echo base > /f\n\
             FROM base AS broken\nRUN false\n\
             FROM workbench AS Other\nCOPY --from=base /f /g\n\
             FROM base\nCOPY --from=OTHER /g /g\nCOPY --from=2 /g /h\n",
        );
        let told = context.ok(&[]);
        assert!(!told.contains("broken"), "{told}");
        assert_eq!(context.says("cat /f /g /h"), "base\nbase\nbase");
        let told = context.ok(&["--target", "oTHER"]);
        assert!(!told.contains("stage-3") && told.contains("[other 2/2] COPY --from=base /f /g"), "{told}");
        assert_eq!(context.says("ls /f /g 2>/dev/null | cat"), "/g");
        assert!(context.fails(&["--target", "broken"]).contains("exit code: 1"));
        assert!(
            context
                .fails(&["--target", "brocken"])
                .contains("target stage \"brocken\" could not be found (did you mean broken?)")
        );
    });
}

/// Each waits for the other, which only ends if both are under way.
#[test]
fn stages_that_do_not_need_each_other_are_built_at_the_same_time() {
    Sandbox::each(|sandbox| {
        let meet = |own, other| {
            format!(
                "RUN --mount=type=cache,target=/m touch /m/{own}; \
                 for i in $(seq 200); do test -e /m/{other} && echo met > /{own} && exit 0; sleep 0.1; done; exit 1\n"
            )
        };
        let context = Context::new(
            sandbox,
            &format!(
                "FROM workbench AS one\n{}FROM workbench AS two\n{}\
                 FROM workbench\nCOPY --from=one /a /\nCOPY --from=two /b /\n",
                meet("a", "b"),
                meet("b", "a")
            ),
        );
        context.ok(&[]);
        assert_eq!(context.says("cat /a /b"), "met\nmet");
    });
}

#[test]
fn a_failure_ends_what_is_under_way() {
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM workbench AS slow\nRUN sleep 100\n\
             FROM workbench AS broken\nRUN sleep 0.3; exit 7\n\
             FROM workbench\nCOPY --from=slow / /\nCOPY --from=broken / /\n",
        );
        let begun = Instant::now();
        let told = context.fails(&[]);
        assert!(told.contains("exit code: 7") && begun.elapsed() < Duration::from_secs(50), "{told}");
        assert!(told.trim_end().ends_with("did not complete successfully: exit code: 7"), "{told}");
    });
}

#[test]
fn files_that_are_mounted_are_seen_and_not_kept() {
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM workbench AS a\nRUN mkdir -p /out && echo of-a > /out/f && ln -s /out/f /link\n\
             FROM workbench\nWORKDIR /w\n\
             RUN --mount=target=/c cat /c/sub/s; test ! -e /c/.env; touch /c/x 2>&1 | cat\n\
             RUN --mount=source=sub/s,target=s cat /w/s\n\
             RUN --mount=target=/c,rw rm -r /c/sub && touch /c/x && ls /c\n\
             RUN --mount=from=a,source=/out,target=/o cat /o/f; touch /o/x 2>&1 | cat\n\
             RUN --mount=from=a,source=link,target=/o cat /o\n\
             RUN --mount=from=a,source=/out,target=/o,rw rm /o/f; touch /o/x; ls /o\n\
             RUN --mount=from=0,source=/out,target=/o ls /o\n\
             RUN --mount=type=tmpfs,target=/t,size=64k ! head -c 100000 /dev/zero 2>/dev/null > /t/x\n\
             RUN find / -xdev '(' -name s -o -name o -o -name c -o -name t ')' -maxdepth 2; ls -A /w\n",
        );
        context.file("sub/s", "of-context\n").file(".env", "").file(".dockerignore", ".env\n");
        let told = context.ok(&[]);
        let read_only = |path: &str| format!("touch: {path}: Read-only file system");
        assert_eq!(
            written(&told),
            [
                "of-context",
                &read_only("/c/x"),
                "of-context",
                "Dockerfile",
                "x",
                "of-a",
                &read_only("/o/x"),
                "of-a",
                "x",
                "f"
            ],
            "{told}"
        );
        // Of eight commands that wrote nothing of their own, no layer is left.
        let layers = sandbox.ok(&["image", "inspect", "-f", "{{len .RootFS.Layers}}", "built"]);
        let base = sandbox.ok(&["image", "inspect", "-f", "{{len .RootFS.Layers}}", "workbench"]);
        assert_eq!(layers.parse::<usize>().unwrap(), base.parse::<usize>().unwrap() + 1, "only WORKDIR made one");
        // What is mounted decides whether the step is reused: its content, not when it was touched.
        context.file("sub/s", "of-context\n");
        assert_eq!(written(&context.ok(&[])), [""; 0]);
        context.file("sub/s", "changed\n");
        assert_eq!(written(&context.ok(&[]))[..1], ["changed"]);
    });
}

#[test]
fn mounts_that_cannot_be_had_are_refused() {
    Sandbox::each(|sandbox| {
        for (mount, why) in [
            ("source=nowhere,target=/x", "\"/nowhere\": not found"),
            ("source=.env,target=/x", "\"/.env\": not found"),
            ("source=../../../../etc/passwd,target=/x", "\"/etc/passwd\": not found"),
            ("from=a,source=/nowhere,target=/x", "\"/nowhere\": not found"),
            ("from=a,source=/up,target=/x", "\"/up\": not found"),
            ("from=127.0.0.1:1/nowhere,target=/x", "dial tcp 127.0.0.1:1: connect: connection refused"),
            ("target=/", "invalid mount target \"/\""),
            ("target=..", "invalid mount target \"/\""),
            ("from=later,target=/x", "cannot mount from stage \"later\" to \"/x\""),
            ("type=secret,id=token,required", "secret token: not found"),
            ("type=ssh,required", "no SSH key \"default\" forwarded from the client"),
        ] {
            let dockerfile = format!(
                "FROM workbench AS a\nRUN ln -s ../../../../../../../../etc/hostname-of-the-host /up\n\
                 FROM workbench AS b\nRUN --mount={mount} true\nFROM b AS later\n"
            );
            let context = Context::new(sandbox, &dockerfile);
            context.file(".env", "").file(".dockerignore", ".env\n");
            let told = context.fails(&["--target", "b"]);
            assert!(told.contains(why), "{mount}: {told}");
        }
    });
}

#[test]
fn a_cache_outlives_the_build_and_is_no_part_of_the_image() {
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM workbench AS seed\nRUN mkdir -p /s && echo seeded > /s/log && chmod 600 /s/log\n\
             FROM workbench\n\
             RUN --mount=type=cache,target=/c echo once >> /c/log; cat /c/log\n\
             RUN --mount=type=cache,id=/c,target=/elsewhere,ro cat /elsewhere/log; touch /elsewhere/x 2>&1 | cat\n\
             RUN --mount=type=cache,target=/c,from=seed,source=/s cat /c/log; stat -c %a /c/log\n\
             RUN --mount=type=cache,target=/c,mode=0711 stat -c %a /c; ls -A /c\n\
             RUN ls -d /c /elsewhere 2>/dev/null | cat\n",
        );
        let first = ["once", "once", "touch: /elsewhere/x: Read-only file system", "seeded", "600", "711"];
        assert_eq!(written(&context.ok(&[])), first);
        assert_eq!(written(&context.ok(&[])), [""; 0], "everything was reused");
        let told = context.ok(&["--no-cache"]);
        assert_eq!(written(&told)[..4], ["once", "once", "once", "once"], "{told}");
        assert_eq!(context.says("ls -d /c 2>/dev/null | cat"), "");
    });
}

#[test]
fn who_locks_a_cache_has_it_alone() {
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM workbench\nRUN --mount=type=cache,target=/c,sharing=locked \
             mkdir /c/busy && sleep 0.5 && rmdir /c/busy && echo done >> /c/log\n",
        );
        let folder = context.folder.to_str().unwrap();
        let args = ["build", "--no-cache", "-q", folder];
        let builds: Vec<_> = (0..3).map(|_| sandbox.spawn(&args)).collect();
        for build in builds {
            let output = build.wait_with_output().unwrap();
            assert!(output.status.success(), "they were in it together: {output:?}");
        }
        let context =
            Context::new(sandbox, "FROM workbench\nRUN --mount=type=cache,target=/c,sharing=private wc -l < /c/log\n");
        assert_eq!(written(&context.ok(&[])), ["3"]);
    });
}

#[test]
fn a_secret_is_seen_and_nowhere_kept() {
    const SECRET: &str = "xyzzy-4711-plugh";
    Sandbox::each(|sandbox| {
        // Who is one user only cannot give files to others.
        let user = if sandbox.is_root() { "65534" } else { "0" };
        let dockerfile = "FROM workbench\nUSER 65534\nWORKDIR /w\n\
             RUN --mount=type=secret,id=token,uid=65534,target=t md5sum < t; stat -c '%a %u %g' t; stat -f -c %T t\n\
             USER 0\n\
             RUN --mount=type=secret,id=token stat -c '%a %u' /run/secrets/token; ! echo x 2>/dev/null > /run/secrets/token\n\
             RUN --mount=type=secret,id=token,env=TOKEN echo ${#TOKEN}; test ! -e /run/secrets\n\
             RUN --mount=type=secret,id=missing test ! -e /run/secrets/missing\n\
             RUN sleep 0.1; test ! -e /run/secrets && echo -n \"$TOKEN\"\n";
        let context = Context::new(sandbox, &dockerfile.replace("65534", user));
        let secret = sandbox.path().join("secret");
        fs::write(&secret, SECRET).unwrap();
        let flag = format!("id=token,src={}", secret.display());
        let told = context.ok(&["--secret", &flag]);
        let said = written(&told);
        let expected = ["f16da3364fd6404195716a2d832054a2  -", &format!("400 {user} 0"), "tmpfs", "400 0", "16"];
        assert_eq!(said, expected, "{told}");
        fs::remove_file(secret).unwrap();
        assert!(!is_anywhere(sandbox.path(), SECRET), "it is in a file");
        let history = sandbox.ok(&["history", "--no-trunc", "built"]);
        assert!(!history.contains(SECRET) && history.contains("TOKEN"), "{history}");
    });
}

/// Even where the builder is killed while a command has it.
#[test]
fn a_killed_build_leaves_no_secret() {
    const SECRET: &str = "plugh-1174-xyzzy";
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM workbench\nRUN --mount=type=secret,id=token sleep 60\nRUN --mount=type=cache,target=/c true\n",
        );
        let mut build =
            sandbox.std_command(&["build", "-q", "--secret", "id=token,env=TOKEN", context.folder.to_str().unwrap()]);
        let mut build = build.env("TOKEN", SECRET).spawn().unwrap();
        eventually("the command runs", || is_running(&sandbox.root(), "sleep 60"));
        build.kill().unwrap();
        build.wait().unwrap();
        eventually("the command ends with the build", || !is_running(&sandbox.root(), "sleep 60"));
        assert!(!is_anywhere(sandbox.path(), SECRET), "it is in a file");
        context.file("Dockerfile", "FROM workbench\nRUN true\n");
        context.ok(&[]);
        let left = fs::read_dir(sandbox.root().join("build-cache/tmp")).unwrap().count();
        assert_eq!(left, 0, "the next build removes what the killed one left");
    });
}

/// Whether a process with these words runs whose root lies beneath this folder.
fn is_running(root: &Path, words: &str) -> bool {
    let root = root.to_str().unwrap();
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        command.trim_end() == words && String::from_utf8_lossy(&read("mountinfo")).contains(root)
    })
}

#[test]
fn the_ssh_agent_is_reached_through_a_socket_of_its_own() {
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM workbench\n\
             RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo $SSH_AUTH_SOCK && stat -c '%a %u' $SSH_AUTH_SOCK\n\
             RUN --mount=type=ssh,mode=0666,uid=0,target=/agent test -S /agent && stat -c %a /agent\n\
             RUN --mount=type=ssh,id=other test -z \"$SSH_AUTH_SOCK\"\n\
             RUN test -z \"$SSH_AUTH_SOCK\" && test ! -e /run/buildkit\n",
        );
        let socket = sandbox.path().join("agent");
        let _agent = UnixListener::bind(&socket).unwrap();
        let owner = fs::metadata(sandbox.path()).unwrap();
        chown(&socket, Some(std::os::unix::fs::MetadataExt::uid(&owner)), None).unwrap();
        let told = context.ok(&["--ssh", &format!("default={}", socket.display())]);
        assert_eq!(written(&told), ["/run/buildkit/ssh_agent.0", "600 0", "666"], "{told}");
    });
}

#[test]
fn contexts_take_the_place_of_stages_and_images() {
    Sandbox::each(|sandbox| {
        let context = Context::new(
            sandbox,
            "FROM nowhere AS tools\nRUN false\n\
             FROM nowhere:latest\nCOPY --from=tools /etc/passwd /tools-passwd\nCOPY --from=files / /files\n\
             RUN --mount=from=files,target=/m ls -A /m /files; test ! -e /tools-passwd.x\n",
        );
        let files = sandbox.path().join("files");
        fs::create_dir(&files).unwrap();
        for (name, text) in [("a", ""), ("hidden", ""), (".dockerignore", "hidden\n.dockerignore\n")] {
            fs::write(files.join(name), text).unwrap();
        }
        let flags = |value: &str| {
            [
                "--build-context".to_owned(),
                format!("files={}", files.display()),
                "--build-context".to_owned(),
                value.to_owned(),
            ]
        };
        let both = [flags("nowhere=docker-image://workbench"), flags("tools=docker-image://workbench:latest")].concat();
        let both: Vec<&str> = both.iter().map(String::as_str).collect();
        assert_eq!(written(&context.ok(&both)), ["/files:", "a", "", "/m:", "a"]);
        assert!(
            context
                .fails(&both[..2])
                .contains("failed to resolve source metadata for docker.io/library/nowhere:latest")
        );
        // A folder can be what a stage is built from.
        let context = Context::new(sandbox, "FROM files\nCOPY --from=workbench / /\nRUN ls -d /a\n");
        assert_eq!(written(&context.ok(&both[..2])), ["/a"]);
    });
}
