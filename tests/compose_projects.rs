//! Twelve projects such as people have, run by `kesako compose` and by Debian's docker-compose, with our engine and with a real dockerd: what
//! each of them becomes is the same. It takes root, a static busybox, docker-compose and dockerd.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "compose/engine.rs"]
mod engine;
#[path = "support/house.rs"]
mod house;
#[path = "compose/project.rs"]
mod project;
#[path = "compose/session.rs"]
mod session;
#[path = "compose/state.rs"]
mod state;
mod support;
#[path = "compose/tool.rs"]
mod tool;

use engine::Engine;
use house::House;
use project::Project;
use state::State;
use std::collections::BTreeMap;
use support::{installed, not_run};
use tool::Tool;

/// What the projects became, run by this tool with this engine.
type Told = BTreeMap<&'static str, Result<State, String>>;

/// What docker compose (2 and later, and so ours) writes otherwise than docker-compose did. What is mounted and which networks a container is
/// on is compared for all that.
const OF_THE_TOOLS: [&str; 8] = [
    ".Config.AttachStdout",
    ".Config.AttachStderr",
    ".HostConfig.Binds",
    ".HostConfig.Mounts",
    // The network that comes first: by its key, and once by its place in the file.
    ".HostConfig.NetworkMode",
    // It was always so.
    ".Attachable",
    // What it is called, which was `name`, if there is one.
    ".Labels.com.docker.compose.network",
    ".Labels.com.docker.compose.volume",
];

/// Those that `kesako compose` runs with a real dockerd, too.
const DRIVEN: [&str; 4] = ["shop", "stages", "migrations", "addresses"];

#[test]
fn twelve_projects_become_the_same_whoever_runs_them() {
    let test = "twelve_projects_become_the_same_whoever_runs_them";
    if !has_what_it_takes(test) {
        return;
    }
    let Some((alone, served)) = Engine::kesako(test).zip(Engine::kesako(test)) else { return };
    let docker = Engine::dockerd(House::new(test).unwrap());
    if let Err(why) = &docker {
        not_run(test, &format!("as for docker: {why}"));
    }
    let (compose, classic, oracle, driven) = std::thread::scope(|scope| {
        let compose = scope.spawn(|| all(Tool::Compose, &alone));
        let classic = scope.spawn(|| all(Tool::Classic, &served));
        let docker = scope.spawn(|| {
            let Ok(docker) = &docker else { return Default::default() };
            (all(Tool::Classic, docker), these(&DRIVEN, Tool::Compose, docker))
        });
        let (oracle, driven) = docker.join().unwrap();
        (compose.join().unwrap(), classic.join().unwrap(), oracle, driven)
    });
    let differences = [
        told(["kesako compose", "docker-compose"], &compose, &classic, &OF_THE_TOOLS),
        told(["kesako", "docker"], &classic, &oracle, &[]),
        told(["kesako", "docker, driven by kesako compose"], &compose, &driven, &[]),
    ]
    .concat();
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn either_tool_finds_the_projects_of_the_other() {
    let test = "either_tool_finds_the_projects_of_the_other";
    if !has_what_it_takes(test) {
        return;
    }
    let Some(engine) = Engine::kesako(test) else { return };
    let project = Project::copy("migrations", engine.house.sandbox.path());
    for (first, second) in [(Tool::Classic, Tool::Compose), (Tool::Compose, Tool::Classic)] {
        first.ok(&engine, &project, &["up", "-d"]).unwrap();
        let running = second.ok(&engine, &project, &["ps", "--services", "--filter", "status=running"]).unwrap();
        let running: std::collections::BTreeSet<_> = running.lines().collect();
        assert_eq!(running, ["db", "web"].into(), "{second:?}");
        assert_eq!(second.ok(&engine, &project, &["exec", "-T", "web", "cat", "/tables/schema"]).unwrap(), "done\n");
        assert!(second.ok(&engine, &project, &["logs", "--no-color", "migrate"]).unwrap().contains("migrated"));
        second.ok(&engine, &project, &["down", "-v", "-t", "1"]).unwrap();
        assert!(State::of(&project, &engine).is_empty(), "{second:?} leaves nothing");
    }
}

#[test]
fn docker_compose_says_with_kesako_what_it_says_with_docker() {
    let test = "docker_compose_says_with_kesako_what_it_says_with_docker";
    if !has_what_it_takes(test) {
        return;
    }
    let Some((ours, house)) = Engine::kesako(test).zip(House::new(test)) else { return };
    let docker = match Engine::dockerd(house) {
        Ok(docker) => docker,
        Err(why) => return not_run(test, &why),
    };
    let told = std::thread::scope(|scope| {
        let telling = [&ours, &docker].map(|engine| scope.spawn(|| session::told(engine)));
        telling.map(|thread| thread.join().unwrap())
    });
    let pairs = told[0].iter().zip(&told[1]).filter(|(ours, oracle)| ours != oracle);
    let differences: Vec<_> = pairs.map(|(ours, oracle)| format!("kesako: {ours}\ndocker: {oracle}")).collect();
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), differences.join("\n\n"));
}

/// What this tool would have made otherwise is made again, with its volumes.
#[test]
fn up_takes_over_the_projects_of_the_other_tool() {
    let test = "up_takes_over_the_projects_of_the_other_tool";
    if !has_what_it_takes(test) {
        return;
    }
    let Some(engine) = Engine::kesako(test) else { return };
    let project = Project::copy("shop", engine.house.sandbox.path());
    for (first, second) in [(Tool::Classic, Tool::Compose), (Tool::Compose, Tool::Classic)] {
        first.ok(&engine, &project, &["up", "-d"]).unwrap();
        first.ok(&engine, &project, &["exec", "-T", "db", "touch", "/var/lib/db/kept"]).unwrap();
        second.ok(&engine, &project, &["up", "-d", "-t", "1"]).unwrap();
        second.settled(&engine, &project).unwrap();
        second.ok(&engine, &project, &["exec", "-T", "db", "ls", "/var/lib/db/kept"]).unwrap();
        first.ok(&engine, &project, &["down", "-v", "-t", "1"]).unwrap();
        assert!(State::of(&project, &engine).is_empty(), "{first:?} leaves nothing");
    }
}

fn all(tool: Tool, engine: &Engine) -> Told {
    these(&project::names(), tool, engine)
}

fn these(names: &[&'static str], tool: Tool, engine: &Engine) -> Told {
    let projects = names.iter().map(|name| Project::copy(name, engine.house.sandbox.path()));
    let live = |project: Project| {
        (project.name, tool.live(engine, &project).map_err(|why| format!("{}: {why}", project.name)))
    };
    projects.map(live).collect()
}

/// Everything in which they differ.
fn told(who: [&str; 2], here: &Told, there: &Told, but: &[&str]) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, there) in there {
        match (&here[name], there) {
            (Ok(here), Ok(there)) => differences.extend(here.differences(name, who, there, but)),
            (here, there) => {
                differences.extend([here, there].into_iter().filter_map(|one| one.as_ref().err().cloned()))
            }
        }
    }
    differences
}

fn has_what_it_takes(test: &str) -> bool {
    let missing =
        [("/usr/bin", "docker-compose"), ("/bin", "busybox")].into_iter().find(|(_, program)| !installed(program));
    if let Some((_, program)) = missing {
        not_run(test, &format!("it takes {program}"));
    }
    missing.is_none()
}
