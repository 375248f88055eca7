//! What the lessons build.

use crate::place::Place;
use crate::support::{Sandbox, eventually, not_run};

#[test]
fn hello_in_both_forms() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nCMD echo \"hello world\"\n");
        assert_eq!(place.run(&[], &[]), "hello world");
        let command = ["image", "inspect", "-f", "{{json .Config.Cmd}}", "built"];
        assert_eq!(sandbox.ok(&command), r#"["/bin/sh","-c","echo \"hello world\""]"#);
        place.dockerfile("FROM workbench\nCMD [\"echo\", \"hello world\"]\n");
        assert_eq!(place.run(&[], &[]), "hello world");
        assert_eq!(sandbox.ok(&command), r#"["echo","hello world"]"#);
    });
}

#[test]
fn run_is_when_it_is_built_and_cmd_when_it_is_run() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        let file = "FROM workbench\nRUN echo foo > baz.txt\nRUN echo bar >> baz.txt\n";
        place.dockerfile(&format!("{file}CMD cat baz.txt\n"));
        assert_eq!(place.run(&[], &[]), "foo\nbar");
        assert_eq!(sandbox.ok(&["run", "--rm", "built", "echo", "another"]), "another");
        let layers = sandbox.ok(&["image", "inspect", "-f", "{{len .RootFS.Layers}}", "built"]);
        assert_eq!(layers, "3", "the base's, and one for each RUN");
        // An ENTRYPOINT is not replaced by what is said to `run`.
        place.dockerfile(&format!("{file}ENTRYPOINT [\"cat\", \"baz.txt\"]\n"));
        assert_eq!(place.run(&[], &["/etc/hostname"]).lines().count(), 3);
    });
}

#[test]
fn a_container_stops_when_there_is_nothing_more_to_do() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        let script =
            "echo 'Going to bed for now…'\nuntil test -e /tmp/morning; do sleep 0.05; done\necho 'Nap over, bye!'\n";
        place.file("sleep.sh", script);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(place.path("sleep.sh"), mode).unwrap();
        place.dockerfile("FROM workbench\nWORKDIR /app\nCOPY sleep.sh sleep.sh\nCMD /app/sleep.sh\n");
        place.build(&["-t", "sleeper"]);
        sandbox.ok(&["run", "-d", "--name", "nap", "sleeper"]);
        assert_eq!(sandbox.ok(&["exec", "nap", "pwd"]), "/app");
        let second = sandbox.spawn(&["exec", "nap", "sh", "-c", "touch /tmp/second; while :; do sleep 1; done"]);
        let runs = ["exec", "nap", "test", "-e", "/tmp/second"];
        eventually("the other terminal is open", || sandbox.output(&runs).status.success());
        sandbox.ok(&["exec", "nap", "touch", "/tmp/morning"]);
        assert_eq!(sandbox.ok(&["wait", "nap"]), "0");
        let ended = second.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(137), "the other terminal ends with it: {ended:?}");
        assert_eq!(sandbox.ok(&["logs", "nap"]), "Going to bed for now…\nNap over, bye!");
    });
}

#[test]
fn a_server_and_who_asks_it() {
    let test = "a_server_and_who_asks_it";
    if !std::path::Path::new("/bin/busybox").exists() {
        return not_run(test, "the built-in image has no web server without a busybox");
    }
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.file("index.html", "My first server!\n").file("notes/secret", "x").file(".dockerignore", "notes\n");
        place.file(
            "dockerfile.server",
            "FROM workbench\nWORKDIR /app\nCOPY . .\nENV PORT=9001\nENTRYPOINT exec httpd -f -p 127.0.0.1:$PORT\n",
        );
        place.file("dockerfile.pinger", "FROM workbench\nENV PORT=9001\nCMD wget -q -O - http://localhost:$PORT\n");
        for (name, file) in [("server", "dockerfile.server"), ("pinger", "dockerfile.pinger")] {
            place.build(&["-t", name, "-f", &place.path(file)]);
        }
        assert_eq!(sandbox.ok(&["run", "--rm", "--entrypoint", "ls", "server", "-A"]).lines().count(), 4, "no notes");
        // A port that nobody has.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = format!("PORT={port}");
        sandbox.ok(&["run", "-d", "--init", "--name", "test-server", "--network", "host", "-e", &port, "server"]);
        let ask = ["run", "--rm", "--network", "host", "-e", &port, "pinger"];
        eventually("the server answers", || sandbox.output(&ask).stdout == b"My first server!\n");
        sandbox.ok(&["stop", "-t", "1", "test-server"]);
        sandbox.output(&["rm", "-f", "test-server"]);
    });
}

#[test]
fn stages_and_a_target() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.file(
            "dockerfile.multi",
            "FROM workbench as first\n\nWORKDIR /app\nRUN echo foo > /app/foo.txt\nRUN echo bar > /app/bar.txt\n\n\
             FROM workbench\n\nWORKDIR /app\nCOPY --from=first /app/bar.txt /app/baz.txt\nCMD ls -A /app && \\\ncat /app/baz.txt\n",
        );
        let file = place.path("dockerfile.multi");
        assert_eq!(place.run(&["-f", &file], &[]), "baz.txt\nbar");
        assert_eq!(place.run(&["-f", &file, "--target", "first"], &["ls", "-A"]), "bar.txt\nfoo.txt");
        let unknown = place.fails(&["-f", &file, "--target", "third"]);
        assert!(unknown.contains("ERROR: failed to solve: target stage \"third\" could not be found"), "{unknown}");
    });
}

#[test]
fn what_an_image_says_of_itself() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile(
            "FROM workbench\nMAINTAINER Ana Durand <ana@example.org>\nLABEL \"team\"=\"docker 101\" level=1\n\
             ENV GREETING hello\nENV A=1 B=\"two words\"\nUSER 1000\nWORKDIR /home\nCMD [\"env\"]\n",
        );
        let told = place.build(&["-t", "built", "--label", "level=2"]);
        let warning = "MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)";
        assert!(told.contains(&format!(" - {warning}\n")), "{told}");
        assert!(told.contains(" 2 warnings found (use kesako --debug to expand):\n"), "{told}");
        assert!(told.contains(" - LegacyKeyValueFormat: "), "{told}");
        let inspect = |format: &str| sandbox.ok(&["inspect", "-f", format, "built"]);
        assert_eq!(inspect("{{.Author}}"), "Ana Durand <ana@example.org>");
        assert_eq!(inspect("{{.Config.Labels.team}} {{.Config.Labels.level}}"), "docker 101 2");
        assert_eq!(inspect("{{.Config.User}} {{.Config.WorkingDir}}"), "1000 /home");
        let env = sandbox.ok(&["run", "--rm", "--user", "0", "built"]);
        for variable in ["GREETING=hello", "A=1", "B=two words"] {
            assert!(env.lines().any(|line| line == variable), "{variable} in {env}");
        }
    });
}
