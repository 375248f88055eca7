//! Twelve projects such as people have, run by `kesako compose` and by Debian's docker-compose, with our engine and with a real dockerd: what
//! each of them becomes is the same. It takes root, a static busybox, docker-compose and dockerd.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "compose/engine.rs"]
mod engine;
#[path = "support/house.rs"]
mod house;
#[path = "compose/project.rs"]
mod project;
#[path = "compose/state.rs"]
mod state;
mod support;
#[path = "compose/tool.rs"]
mod tool;

use engine::Engine;
use house::House;
use project::Project;
use state::State;
use support::{installed, not_run};
use tool::Tool;

/// What the projects became, run by this tool with this engine.
type Told = Vec<Result<State, String>>;

#[test]
fn docker_compose_finds_in_kesako_what_it_finds_in_docker() {
    let test = "docker_compose_finds_in_kesako_what_it_finds_in_docker";
    if !has_what_it_takes(test) {
        return;
    }
    let Some((ours, house)) = Engine::kesako(test).zip(House::new(test)) else { return };
    let docker = match Engine::dockerd(house) {
        Ok(docker) => docker,
        Err(why) => return not_run(test, &why),
    };
    let [here, there] = std::thread::scope(|scope| {
        [&ours, &docker].map(|engine| scope.spawn(|| all(Tool::Classic, engine))).map(|thread| thread.join().unwrap())
    });
    same(["kesako", "docker"], &here, &there);
}

fn all(tool: Tool, engine: &Engine) -> Told {
    let projects = Project::all(engine.house.sandbox.path());
    projects
        .iter()
        .map(|project| tool.live(engine, project).map_err(|why| format!("{}: {why}", project.name)))
        .collect()
}

/// Fails with everything in which they differ.
fn same(who: [&str; 2], here: &Told, there: &Told) {
    let mut differences = Vec::new();
    for ((name, here), there) in project::names().zip(here).zip(there) {
        match (here, there) {
            (Ok(here), Ok(there)) => differences.extend(here.differences(name, who, there)),
            (here, there) => {
                differences.extend([here, there].into_iter().filter_map(|one| one.as_ref().err().cloned()))
            }
        }
    }
    assert!(differences.is_empty(), "{} differences\n\n{}", differences.len(), differences.join("\n"));
}

fn has_what_it_takes(test: &str) -> bool {
    let missing =
        [("/usr/bin", "docker-compose"), ("/bin", "busybox")].into_iter().find(|(_, program)| !installed(program));
    if let Some((_, program)) = missing {
        not_run(test, &format!("it takes {program}"));
    }
    missing.is_none()
}
