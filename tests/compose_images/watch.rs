//! `compose watch`.

use crate::project::Project;
use crate::support::eventually;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Child, Stdio};

/// It runs, and what it says goes to a file.
struct Watch<'a> {
    project: &'a Project,
    process: Child,
}

impl<'a> Watch<'a> {
    fn start(project: &'a Project, words: &[&str]) -> Self {
        let log = std::fs::File::create(project.sandbox.path().join("log")).unwrap();
        let mut command = project.command(words);
        let process = command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        let watch = Self { project, process };
        watch.expect("Watch enabled\n");
        watch
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.project.sandbox.path().join("log")).unwrap()
    }

    fn expect(&self, text: &str) {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !self.log().contains(text) {
            assert!(std::time::Instant::now() < end, "no {text:?}: {}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Ctrl-C; returns all that it said.
    fn stop(mut self) -> String {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(130), "{}", self.log());
        self.log()
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // Where a test has failed before its end.
        let _ = self.process.kill();
    }
}

fn finds(project: &Project, path: &str) -> Option<String> {
    let output = project.compose(&["exec", "-T", "web", "cat", path]);
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn files_follow_into_the_containers() {
    let file = "
services:
  web:
    image: workbench
    init: true
    command: sleep 100
    scale: 2
    develop:
      watch:
        - {path: src, action: sync, target: /app, ignore: ['**/*.log'], initial_sync: true}
        - {path: conf.ini, action: sync+restart, target: /etc/conf.ini}
        - {path: hook, action: sync+exec, target: /hook, exec: {command: cat /hook/h}}
";
    Project::each(file, |project| {
        project.write("src/a", "at first");
        project.write("src/sub/x.log", "");
        let watch = Watch::start(project, &["watch"]);
        assert_eq!(finds(project, "/app/a").as_deref(), Some("at first"));
        project.write("src/a", "changed");
        project.write("src/new/deep/file", "new");
        project.write("src/new/deep/x.log", "");
        eventually("it is there", || finds(project, "/app/new/deep/file").as_deref() == Some("new"));
        assert_eq!(finds(project, "/app/a").as_deref(), Some("changed"));
        let second = |words: &[&str]| project.ok(&[&["exec", "-T", "--index", "2", "web"], words].concat());
        eventually("the other has it, and no log", || second(&["find", "/app"]).lines().count() == 5);
        std::fs::remove_dir_all(project.folder().join("src/new")).unwrap();
        eventually("it is gone", || finds(project, "/app/new/deep/file").is_none());
        eventually("there, too", || second(&["ls", "/app"]) == "a\n");
        // By another name first, as editors write.
        project.write("conf.ini.tmp", "1");
        std::fs::rename(project.folder().join("conf.ini.tmp"), project.folder().join("conf.ini")).unwrap();
        watch.expect("service(s) [\"web\"] restarted\n");
        assert_eq!(finds(project, "/etc/conf.ini").as_deref(), Some("1"));
        project.write("hook/h", "hooked\n");
        watch.expect("web-1  | hooked\n");
        watch.expect("web-2  | hooked\n");
        let told = watch.stop();
        assert!(
            told.contains("Syncing service \"web\" after 1 changes were detected\n")
                && told.ends_with("Watch disabled\n"),
            "{told}"
        );
        project.ok(&["down", "-t", "0"]);
    });
}

#[test]
fn what_is_built_is_built_again() {
    let file = "
services:
  web:
    build: .
    init: true
    command: sleep 100
    develop: {watch: [{path: ., action: rebuild, ignore: [ignored]}]}
  other: {image: workbench, init: true, command: sleep 100, depends_on: [web]}
";
    let project = Project::new(file);
    project.write("Dockerfile", "FROM workbench\nCOPY . /all\nRUN test ! -e /all/bad\n");
    project.write(".dockerignore", "*.md\n");
    project.write("file", "1");
    let watch = Watch::start(&project, &["watch", "--quiet"]);
    let of = |service: &str| project.ok(&["ps", "-q", service]);
    let (web, other, image) = (of("web"), of("other"), project.id("shop-web"));
    assert!(project.fails(1, &["watch", "--no-up"]).starts_with("cannot take exclusive lock for project \"shop\": "));
    project.write("ignored", "");
    project.write("readme.md", "");
    project.write("file", "2");
    watch.expect("service(s) [\"web\"] successfully built\n");
    eventually("it is another", || finds(&project, "/all/file").as_deref() == Some("2"));
    assert!(of("web") != web && of("other") == other);
    assert_eq!(watch.log().matches("Rebuilding").count(), 1);
    eventually("the old image is gone", || !project.sandbox.output(&["inspect", &image]).status.success());
    // What fails is told, and put right by the next change.
    project.write("bad", "");
    watch.expect("Build failed. Error: failed to solve: ");
    std::fs::remove_file(project.folder().join("bad")).unwrap();
    project.write("file", "3");
    eventually("it is built again", || finds(&project, "/all/file").as_deref() == Some("3"));
    watch.stop();
    project.ok(&["down", "-t", "0", "--rmi", "local"]);
}

#[test]
fn up_watches_beside_the_output() {
    let script = "echo $(cat /v) runs; exec sleep 100";
    let file = format!(
        "
services:
  web:
    build: .
    init: true
    command: [sh, -c, {script:?}]
    develop: {{watch: [{{path: v, action: rebuild}}, {{path: src, action: sync, target: /src}}]}}
"
    )
    .replace("$(", "$$(");
    let project = Project::new(&file);
    project.write("Dockerfile", "FROM workbench\nCOPY v /v\n");
    project.write("v", "one");
    let watch = Watch::start(&project, &["up", "--watch", "--quiet-build"]);
    watch.expect("web-1  | one runs\n");
    project.write("src/a", "followed");
    eventually("it is there", || finds(&project, "/src/a").as_deref() == Some("followed"));
    project.write("v", "two");
    watch.expect("web-1  | two runs\n");
    let told = watch.stop();
    assert!(told.contains("       ⦿ Watch enabled\n") && told.contains("Gracefully Stopping"), "{told}");
    assert_eq!(project.ok(&["ps", "-q"]), "");
    assert!(project.fails(1, &["up", "-d", "--watch"]).contains("--attach-dependencies or --watch\n"));
    assert_eq!(project.fails(1, &["up", "--no-build", "--watch"]), "--no-build and --watch are incompatible\n");
    project.ok(&["down"]);
}

#[test]
fn what_makes_no_sense_is_told_before_anything_is_begun() {
    let project = Project::new("services: {web: {image: workbench}}\n");
    project.write("compose.yaml", "services: {web: {image: workbench, develop: {watch: [{path: ., action: sync}]}}}\n");
    assert!(project.fails(1, &["watch"]).ends_with("services.web.develop.watch[0]: target is required for sync\n"));
    project.write("compose.yaml", "services: {web: {image: workbench}}\n");
    let none = "none of the selected services is configured for watch, consider setting a 'develop' section\n";
    assert_eq!(project.fails(1, &["watch"]), none);
    for (trigger, why) in [
        ("{path: ., action: rebuild}", "can't watch service \"web\" with action rebuild without a build context\n"),
        (
            "{path: ., action: sync+exec, target: /x}",
            "can't watch with action \"sync+exec\" on service web without a command\n",
        ),
    ] {
        project.write(
            "compose.yaml",
            &format!("services: {{web: {{image: workbench, develop: {{watch: [{trigger}]}}}}}}\n"),
        );
        assert_eq!(project.fails(1, &["watch"]), why);
    }
    project.write("compose.yaml", "services: {web: {image: workbench, volumes: ['.:/x'], develop: {watch: [{path: ., action: sync, target: /x}]}}}\n");
    let told = project.fails(1, &["watch"]);
    assert!(
        told.contains("also declared by a bind mount volume, this path won't be monitored!\n") && told.ends_with(none),
        "{told}"
    );
    assert_eq!(project.ok(&["ps", "-aq"]), "");
}
