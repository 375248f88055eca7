//! `compose run`.

use crate::project::Project;
use crate::support::{eventually, terminal::Terminal};
use std::io::Write;
use std::process::Stdio;

const FILE: &str = "
services:
  app:
    image: workbench
    command: env
    environment: {A: file, B: file}
    ports: ['127.0.0.1:18473:80']
    volumes: ['data:/data']
    restart: always
    labels: {kept: '1', changed: '1'}
    depends_on: {db: {condition: service_healthy}}
  db:
    image: workbench
    init: true
    command: sh -c 'sleep 0.3; touch /ok; exec sleep 100'
    healthcheck: {test: test -f /ok, interval: 10s, start_period: 10s, start_interval: 100ms}
volumes: {data: }
";

#[test]
fn a_command_runs_in_a_container_of_its_own_when_others_are_ready() {
    Project::each(FILE, |project| {
        project.write("vars", "C=3\nB=never\n");
        let words = ["run", "--rm", "-e", "B=flag", "-e", "HOME", "--env-from-file", "vars", "app"];
        let (said, told) = project.says(&words);
        for line in ["A=file\n", "B=flag\n", "C=3\n", "HOME="] {
            assert!(said.contains(line), "{line}: {said}");
        }
        assert!(told.contains(" Container shop-db-1 Healthy\n"), "{told}");
        assert!(told.contains(" Container shop-app-run-"), "{told}");
        assert_eq!(project.sandbox.ok(&["ps", "-a", "--format", "{{.Names}}"]), "shop-db-1");
        assert_eq!(project.compose(&["run", "--rm", "app", "sh", "-c", "exit 7"]).status.code(), Some(7));
        let told = project.fails(1, &["run", "--rm", "--no-deps", "app", "nosuch"]);
        assert!(told.contains("exec: \"nosuch\": executable file not found in $PATH"), "{told}");
        project.ok(&["down", "-v", "-t", "0"]);
    });
}

#[test]
fn flags_change_the_service() {
    let project = Project::new(FILE);
    let inspect = |name: &str, format: &str| project.sandbox.ok(&["inspect", "-f", format, name]);
    let mut words =
        vec!["run", "-d", "--no-deps", "--name", "mine", "-u", "12:13", "-w", "/tmp", "--cap-add", "NET_ADMIN"];
    words.extend([
        "--cap-drop",
        "CHOWN",
        "-l",
        "changed=2",
        "-v",
        "./:/here:ro",
        "-v",
        "other:/other",
        "-p",
        "127.0.0.1:18474:81",
    ]);
    words.extend(["--entrypoint", "sh -c", "app", "id -u; pwd; ls /here; sleep 100"]);
    let id = project.ok(&words);
    assert_eq!(inspect("mine", "{{.Id}}"), id.trim());
    eventually("it has said all", || project.sandbox.ok(&["logs", "mine"]) == "12\n/tmp\ncompose.yaml");
    let labels = ["kept", "changed", "com.docker.compose.oneoff", "com.docker.compose.service"];
    let labels = labels.map(|label| inspect("mine", &format!("{{{{index .Config.Labels {label:?}}}}}")));
    assert_eq!(labels, ["1", "2", "True", "app"]);
    assert_eq!(
        inspect("mine", "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}"),
        "no [NET_ADMIN] [CHOWN]"
    );
    assert_eq!(project.sandbox.ok(&["port", "mine"]), "81/tcp -> 127.0.0.1:18474");
    // `up` and `ps` let it be; it is none of the service's own.
    assert_eq!(project.ok(&["ps", "-q"]), "");
    project.sandbox.ok(&["rm", "-f", "mine"]);
    project.ok(&["run", "-d", "--no-deps", "--name", "public", "-P", "app", "sleep", "100"]);
    assert_eq!(project.sandbox.ok(&["port", "public"]), "80/tcp -> 127.0.0.1:18473");
    project.sandbox.ok(&["rm", "-f", "public"]);
    assert_eq!(
        project.fails(1, &["run", "-P", "-p", "1:1", "app"]),
        "--service-ports and --publish are incompatible\n"
    );
    assert_eq!(project.fails(1, &["run", "-t", "-T", "app"]), "--tty and --no-tty can't be used together\n");
    assert_eq!(project.fails(1, &["run", "-t", "app"]), "the input device is not a TTY\n");
    assert_eq!(project.fails(1, &["run", "-l", "x", "app"]), "label must be set as KEY=VALUE\n");
    assert_eq!(project.fails(1, &["run", "nobody"]), "no such service: nobody\n");
    project.ok(&["down", "-v", "-t", "0"]);
    project.sandbox.ok(&["volume", "rm", "other"]);
}

#[test]
fn it_reads_what_is_typed() {
    let project = Project::new(FILE);
    let mut child = project
        .command(&["run", "-q", "--rm", "--no-deps", "app", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"through a pipe").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"through a pipe"[..]));
    let mut terminal = Terminal::start(project.command(&["run", "--rm", "--no-deps", "app", "sh"]));
    terminal.expect("Created");
    terminal.type_in("tty; stty size; echo b''ye; exit 5\n");
    let status = terminal.wait();
    let screen = terminal.screen();
    assert_eq!(status.code(), Some(5), "{screen}");
    assert!(
        screen.contains("/dev/pts/0\r\n") && screen.contains("24 80\r\n") && screen.contains("bye\r\n"),
        "{screen}"
    );
    project.ok(&["down", "-v"]);
}

#[test]
fn what_is_missing_is_built_first() {
    let project = Project::new(
        "services: {app: {build: {dockerfile_inline: \"FROM workbench\\nRUN echo ${V:-1} > /v\\n\"}, command: cat /v}}\n",
    );
    assert_eq!(project.ok(&["run", "--rm", "--quiet-build", "app"]), "1\n");
    let run = |words: &[&str]| {
        let output = project.command(words).env("V", "2").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&["run", "-q", "--rm", "app"]), ("1\n".to_owned(), String::new()));
    assert_eq!(run(&["run", "--rm", "--build", "app"]).0, "2\n");
    project.ok(&["down"]);
}
