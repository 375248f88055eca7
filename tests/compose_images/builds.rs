//! `compose build`.

use crate::dockerd::Dockerd;
use crate::project::Project;
use crate::support::{eventually, installed, is_root, not_run, terminal::Terminal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn all_that_a_service_says_of_its_build_reaches_it() {
    let file = "
services:
  web:
    image: shop/web:1
    build:
      context: web
      dockerfile: ../files/Web.dockerfile
      target: first
      args: {WHO: them, GREETING: }
      labels: {size: big}
      tags: ['shop/web:extra']
      extra_hosts: ['other=10.0.0.9']
      network: none
      secrets: [token, {source: file, target: other}]
      additional_contexts: {more: ./more}
  inline: {build: {dockerfile_inline: \"FROM workbench\\nCOPY compose.yaml /c\\n\"}}
secrets: {token: {environment: TOKEN}, file: {file: ./files/secret}}
";
    Project::each(file, |project| {
        let dockerfile = "FROM workbench AS first\nARG WHO GREETING\nCOPY . /all\nCOPY --from=more thing /thing\n\
            RUN --mount=type=secret,id=token --mount=type=secret,id=other \
            echo $GREETING $WHO $(cat /run/secrets/token /run/secrets/other) > /said; grep other /etc/hosts >> /said\n\
            FROM first\nRUN exit 1\n";
        project.write("files/Web.dockerfile", dockerfile);
        project.write("files/secret", " from a file");
        project.write("more/thing", "thing");
        project.write("web/kept", "kept");
        project.write("web/left", "left");
        project.write("web/.dockerignore", "left\n");
        let mut command = project.command(&["build", "--build-arg", "WHO=you"]);
        command.env("TOKEN", "from outside").env("GREETING", "hello");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = project.holds("shop/web:extra", "/said");
        assert_eq!(
            said.split_whitespace().collect::<Vec<_>>().join(" "),
            "hello you from outside from a file 10.0.0.9 other"
        );
        assert_eq!(project.holds("shop/web:1", "/thing"), "thing");
        assert_eq!(project.sandbox.ok(&["run", "--rm", "shop/web:1", "ls", "/all"]), "kept");
        let label = |image, label: &str| project.label(image, label);
        assert_eq!([label("shop/web:1", "size"), label("shop/web:1", "com.docker.compose.project")], ["big", "shop"]);
        assert_eq!(label("shop-inline", "com.docker.compose.service"), "inline");
        assert_eq!(project.holds("shop-inline", "/c").trim(), file.trim());
    });
}

#[test]
fn services_are_built_at_once_and_one_after_that_it_is_made_of() {
    let file = "
services:
  top:
    build:
      dockerfile_inline: |
        FROM base
        RUN echo top >> /names
      additional_contexts: {base: 'service:middle'}
  middle:
    build:
      dockerfile_inline: |
        FROM base
        RUN echo middle >> /names
      additional_contexts: {base: 'service:bottom'}
  bottom: {build: {dockerfile_inline: \"FROM workbench\\nRUN echo bottom > /names\\n\"}}
";
    let project = Project::new(file);
    let (_, told) = project.says(&["build", "top"]);
    assert_eq!(project.holds("shop-top", "/names"), "bottom\nmiddle\ntop");
    for line in [
        "[top 2/2] RUN echo top >> /names",
        "[bottom] exporting to image",
        " Image shop-middle Building",
        " Image shop-middle Built",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    // One that is alone needs no mark.
    let (_, told) = project.says(&["build", "bottom"]);
    assert!(told.contains(" [2/2] RUN echo bottom > /names") && !told.contains("bottom]"), "{told}");
    assert_eq!(project.says(&["--progress", "quiet", "build", "bottom"]).1, "");
    project.write(
        "compose.yaml",
        &file
            .replace("FROM workbench", "FROM top\\n#")
            .replace("echo bottom > /names\\n\"}", "true\\n\", additional_contexts: {top: 'service:top'}}"),
    );
    let told = project.fails(1, &["build", "top"]);
    assert_eq!(told, "dependency cycle detected: the image of service \"top\" is made of itself\n");
}

#[test]
fn a_failure_is_told_with_its_lines_and_ends_the_others() {
    let file = "
services:
  bad: {build: {dockerfile_inline: \"FROM workbench\\nRUN sleep 0.5; echo why; exit 3\\n\"}}
  slow: {build: {dockerfile_inline: \"FROM workbench\\nRUN sleep 60\\n\"}}
";
    let project = Project::new(file);
    let begun = Instant::now();
    let told = project.fails(1, &["build"]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(told.ends_with(
        "Dockerfile:2\n--------------------\n   1 |     FROM workbench\n   2 | >>> RUN sleep 0.5; echo why; exit 3\n   3 |     \n--------------------\n\
         target bad: failed to solve: process \"/bin/sh -c sleep 0.5; echo why; exit 3\" did not complete successfully: exit code: 3\n"
    ), "{told}");
    assert!(told.contains(" > [bad 2/2] RUN sleep 0.5; echo why; exit 3:\n"), "{told}");
    let quiet = project.fails(1, &["build", "-q", "bad"]);
    assert!(quiet.starts_with("Dockerfile:2\n") && quiet.contains("\nfailed to solve: process"), "{quiet}");
}

#[test]
fn an_interrupted_build_is_cancelled() {
    let project = Project::new(
        "services: {slow: {build: {dockerfile_inline: \"FROM workbench\\nRUN echo begun; sleep 61\\n\"}}}\n",
    );
    let mut child = project.command(&["build"]).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the command runs", || project.sandbox.ok(&["ps", "-q"]).is_empty() && sleeps());
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    eventually("its command is gone", || !sleeps());
}

/// Whether a `sleep 61` runs on this machine.
fn sleeps() -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .into_iter()
        .any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == b"sleep\x0061\0"))
}

#[test]
fn on_a_terminal_a_build_has_the_place_to_itself() {
    let project =
        Project::new("services: {web: {build: {dockerfile_inline: \"FROM workbench\\nRUN sleep 0.3\\n\"}}}\n");
    let mut terminal = Terminal::start(project.command(&["up", "-d"]));
    assert!(terminal.wait().success(), "{}", terminal.screen());
    let screen = terminal.screen();
    let (building, up) = screen.split_once("FINISHED").expect("a build has been shown");
    assert!(!building.contains("Image shop-web"), "{screen}");
    assert!(up.contains("Image shop-web") && up.contains("Built"), "{screen}");
    project.ok(&["down", "-t", "0"]);
}

#[test]
fn what_no_builder_of_ours_can_do_is_refused_by_name() {
    let project = Project::new("");
    for (asked, why) in [
        ("cache_from: [x]", "cache_from: not supported: what was built here is reused without it"),
        ("cache_to: [x]", "cache_to: not supported: what is built here stays here"),
        (
            "privileged: true",
            "privileged: not supported: a command of a build has no more rights than one of a container",
        ),
        ("entitlements: [network.host]", "entitlements: not supported: there are no entitlements to be given"),
        ("shm_size: 1m", "shm_size: not supported: the commands of a build have no limits of their own"),
        ("ulimits: {nofile: 9}", "ulimits: not supported: the commands of a build have no limits of their own"),
        ("platforms: [linux/amd64, linux/arm64]", "platforms: not supported: several platforms in one image"),
    ] {
        project.write("compose.yaml", &format!("services: {{web: {{build: {{context: ., {asked}}}}}}}\n"));
        assert_eq!(project.fails(1, &["build"]), format!("services.web.build.{why}\n"));
    }
    project.write("compose.yaml", "services: {web: {build: nowhere}}\n");
    let told = project.fails(1, &["build"]);
    assert_eq!(told, format!("unable to prepare context: path {:?} not found\n", project.folder().join("nowhere")));
    project.write("compose.yaml", "services: {web: {image: workbench}}\n");
    assert_eq!(project.says(&["build"]).1, "No services to build\n");
    assert_eq!(project.fails(1, &["build", "nobody"]), "no such service: nobody\n");
}

#[test]
fn a_check_builds_nothing() {
    let project = Project::new(
        "services: {web: {build: {dockerfile_inline: \"from workbench as x\\nRUN exit 1\\nFROM scratch AS y\\n\"}}}\n",
    );
    let output = project.compose(&["build", "--check"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("Check complete, ") && told.contains("ConsistentInstructionCasing"), "{told}");
    assert_eq!(project.sandbox.ok(&["images", "-q", "shop-web"]), "");
}

#[test]
fn a_dockerd_builds_with_its_classic_builder() {
    if !is_root() || !installed("dockerd") {
        return not_run("a_dockerd_builds_with_its_classic_builder", "it takes root and dockerd");
    }
    let dockerd = match Dockerd::start() {
        Ok(dockerd) => dockerd,
        Err(why) => return not_run("a_dockerd_builds_with_its_classic_builder", &why),
    };
    let project = Project::new(
        "
services:
  web: {build: {context: web, target: first, args: {WHO: you}, shm_size: 32m, ulimits: {nofile: 123}, network: none}}
  inline: {build: {dockerfile_inline: \"FROM workbench\\nRUN exit 4\\n\", network: none}, profiles: [more]}
  secret: {build: {context: web, secrets: [s]}, profiles: [more]}
secrets: {s: {environment: HOME}}
",
    );
    project.write("web/Dockerfile", "FROM workbench AS first\nARG WHO\nCOPY f /f\nRUN echo hello $WHO $(ulimit -n) > /said\nFROM first\nRUN exit 1\n");
    project.write("web/f", "file");
    let host = format!("unix://{}", dockerd.socket().display());
    let archive = project.sandbox.path().join("workbench.tar").display().to_string();
    project.sandbox.ok(&["create", "--name", "first", "workbench"]);
    project.sandbox.ok(&["rm", "first"]);
    project.sandbox.ok(&["save", "-o", &archive, "workbench"]);
    project.sandbox.ok(&["-H", &host, "load", "-i", &archive]);
    let compose = |words: &[&str]| {
        let mut command = project.command(words);
        command.env("DOCKER_HOST", &host).output().unwrap()
    };
    let built = compose(&["build"]);
    assert!(built.status.success(), "{built:?}");
    assert!(String::from_utf8_lossy(&built.stdout).contains("\nSuccessfully tagged shop-web:latest\n"), "{built:?}");
    let said = project.sandbox.ok(&["-H", &host, "run", "--rm", "--network", "none", "shop-web", "cat", "/said", "/f"]);
    assert_eq!(said, "hello you 123\nfile");
    let label = "{{index .Config.Labels \"com.docker.compose.image.builder\"}}";
    assert_eq!(project.sandbox.ok(&["-H", &host, "inspect", "-f", label, "shop-web"]), "classic");
    assert_eq!(compose(&["build", "inline"]).status.code(), Some(4));
    let refused = String::from_utf8(compose(&["build", "secret"]).stderr).unwrap();
    assert_eq!(
        refused,
        "services.secret.build.secrets: not supported: the classic builder of dockerd has no such thing\n"
    );
}
