//! `kesako compose` and Debian's docker-compose look at one project, held by our engine and by a real dockerd: they see the same. It takes
//! root, docker-compose and dockerd.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "compose/engine.rs"]
#[allow(dead_code, reason = "what it holds is asked of the tools here")]
mod engine;
#[path = "support/house.rs"]
mod house;
#[path = "compose/project.rs"]
#[allow(dead_code, reason = "the project is one of its own")]
mod project;
mod support;

use engine::Engine;
use house::House;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use support::{eventually, installed, not_run};

const FILE: &str = r#"
version: "3.8"
services:
  web:
    image: workbench
    command: sh -c "echo here; echo there >&2; exec sleep 1000"
    ports: ["127.0.0.1:18099:80"]
  worker:
    image: workbench
    command: sh -c "echo work; exec sleep 1000"
  job:
    image: workbench
    command: sh -c "echo done; exit 3"
"#;

#[test]
fn a_project_of_ours_looks_as_docker_compose_sees_it() {
    let test = "a_project_of_ours_looks_as_docker_compose_sees_it";
    if let Some(engine) = has_what_it_takes(test).then(|| Engine::kesako(test)).flatten() {
        Alike::new(engine).look();
    }
}

#[test]
fn and_so_it_does_with_a_real_dockerd() {
    let test = "and_so_it_does_with_a_real_dockerd";
    let Some(house) = has_what_it_takes(test).then(|| House::new(test)).flatten() else { return };
    match Engine::dockerd(house) {
        Ok(engine) => Alike::new(engine).look(),
        Err(why) => not_run(test, &why),
    }
}

/// An engine, and the folder of the project.
struct Alike(Engine, PathBuf);

impl Alike {
    fn new(engine: Engine) -> Self {
        let folder = engine.house.sandbox.path().join("alike");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("docker-compose.yml"), FILE).unwrap();
        Self(engine, folder)
    }

    fn command(&self, tool: &str, words: &[&str]) -> Command {
        let host = format!("unix://{}", self.0.socket.display());
        let mut command = match tool {
            "ours" => self.0.house.kesako(&[&["-H", &host, "compose"], words].concat()),
            _ => self.0.house.command(0, &[&["docker-compose"], words].concat()),
        };
        command.env("DOCKER_HOST", host).current_dir(&self.1);
        command
    }

    fn run(&self, tool: &str, words: &[&str]) -> Output {
        self.command(tool, words).output().unwrap()
    }

    fn ok(&self, tool: &str, words: &[&str]) -> String {
        let output = self.run(tool, words);
        assert!(output.status.success(), "{tool} {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The lines, in whatever order.
    fn lines(&self, tool: &str, words: &[&str]) -> BTreeSet<String> {
        self.ok(tool, words).lines().map(str::to_owned).collect()
    }

    fn states(&self) -> BTreeSet<String> {
        self.lines("ours", &["ps", "-a", "--format", "{{.Name}} {{.State}}"])
    }

    fn look(&self) {
        self.ok("ours", &["up", "-d", "--scale", "worker=2"]);
        eventually("the job is done", || self.states().contains("alike-job-1 exited"));
        self.lists();
        self.inside();
        self.followed();
        self.ok("classic", &["down", "-t", "0"]);
        assert!(self.states().is_empty(), "docker-compose knew all of them");
    }

    fn lists(&self) {
        let ids = self.lines("ours", &["ps", "-aq"]);
        assert_eq!((ids.len(), &ids), (4, &self.lines("classic", &["ps", "-q"])));
        let images = self.lines("ours", &["images", "-q"]);
        assert_eq!((images.len(), &images), (1, &self.lines("classic", &["images", "-q"])));
        assert_eq!(self.ok("ours", &["port", "web", "80"]), "127.0.0.1:18099\n");
        assert_eq!(self.ok("classic", &["port", "web", "80"]), "127.0.0.1:18099\n");
        let listed = self.ok("ours", &["ls", "-a"]);
        assert!(listed.contains("exited(1), running(3)"), "{listed}");
        let said = |text: String| -> Vec<String> {
            let mut said: Vec<_> = text.lines().filter_map(|line| Some(line.split_once("| ")?.1.to_owned())).collect();
            said.sort();
            said
        };
        let ours = said(self.ok("ours", &["logs", "--no-color"]));
        assert_eq!(ours, ["done", "here", "there", "work", "work"]);
        assert_eq!(ours, said(self.ok("classic", &["logs", "--no-color"])));
        // Each tool has a table of its own; the processes in it are the same.
        let commands = |text: String| text.matches("sleep 1000").count();
        assert_eq!(commands(self.ok("ours", &["top"])), 3);
        assert_eq!(commands(self.ok("classic", &["top"])), 3);
        let events = self.ok("ours", &["events", "--since", "10m", "--until", "0s", "job"]);
        let words: Vec<_> = events.lines().map(|line| line.split(' ').nth(3).unwrap()).collect();
        assert_eq!(words, ["create", "start", "die"], "{events}");
        let stats = self.lines("ours", &["stats", "--no-stream", "--format", "{{.Name}}"]);
        assert_eq!(stats, ["alike-web-1", "alike-worker-1", "alike-worker-2"].map(str::to_owned).into());
    }

    fn inside(&self) {
        for tool in ["ours", "classic"] {
            let output = self.run(tool, &["exec", "-T", "-e", "A=b", "web", "sh", "-c", "echo $A; exit 7"]);
            assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(7), &b"b\n"[..]), "{tool}");
        }
        let second = ["exec", "-T", "--index=2", "worker", "hostname"];
        assert_eq!(self.ok("ours", &second), self.ok("classic", &second));

        self.ok("ours", &["cp", "docker-compose.yml", "worker:/tmp/"]);
        assert_eq!(self.ok("classic", &["exec", "-T", "--index=2", "worker", "cat", "/tmp/docker-compose.yml"]), FILE);
        self.ok("ours", &["cp", "worker:/tmp/docker-compose.yml", "back"]);
        assert_eq!(std::fs::read_to_string(self.1.join("back")).unwrap(), FILE);
        self.ok("ours", &["export", "-o", "web.tar", "web"]);
        assert!(std::fs::metadata(self.1.join("web.tar")).unwrap().len() > 10_000);

        self.ok("ours", &["pause", "worker"]);
        assert!(self.ok("classic", &["ps"]).contains("Paused"));
        self.ok("classic", &["unpause", "worker"]);
        assert!(self.states().contains("alike-worker-1 running"));
        self.ok("classic", &["pause", "web"]);
        self.ok("ours", &["unpause"]);
        assert!(self.states().contains("alike-web-1 running"));
    }

    /// What docker-compose starts is followed by us, to the end that we bring about.
    fn followed(&self) {
        let mut following = self.command("ours", &["logs", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(following.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first: BTreeSet<_> = lines.by_ref().take(5).collect();
        assert!(first.contains("job-1     | done") && first.contains("worker-2  | work"), "{first:?}");
        self.ok("classic", &["start", "job"]);
        let again: Vec<_> = lines.by_ref().take(2).collect();
        assert_eq!(again, ["job-1     | done", "job-1 exited with code 3"]);
        let waiting = self.command("ours", &["wait", "web"]).stdout(Stdio::piped()).spawn().unwrap();
        self.ok("ours", &["kill"]);
        assert_eq!(waiting.wait_with_output().unwrap().status.code(), Some(137));
        let ends: BTreeSet<_> = lines.collect();
        assert_eq!(ends, ["web-1", "worker-1", "worker-2"].map(|name| format!("{name} exited with code 137")).into());
        assert!(following.wait().unwrap().success());
    }
}

fn has_what_it_takes(test: &str) -> bool {
    let there = installed("docker-compose");
    if !there {
        not_run(test, "it takes docker-compose");
    }
    there
}
