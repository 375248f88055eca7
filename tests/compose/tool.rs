//! Who runs a project: `kesako compose`, or Debian's docker-compose.

use crate::engine::Engine;
use crate::project::Project;
use crate::state::State;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Compose,
    Classic,
}

impl Tool {
    pub(crate) fn command(self, engine: &Engine, project: &Project, words: &[&str]) -> Command {
        let words = [&project.words(self == Self::Classic), words].concat();
        let host = format!("unix://{}", engine.socket.display());
        let mut command = match self {
            // Without a daemon of its own it would not be an engine of ours.
            Self::Compose if engine.is_ours => engine.house.kesako(&[&["compose"], &words[..]].concat()),
            Self::Compose => engine.house.kesako(&[&["-H", &host, "compose"], &words[..]].concat()),
            Self::Classic => engine.house.command(0, &[&["docker-compose"], &words[..]].concat()),
        };
        if self == Self::Classic {
            command.env("DOCKER_HOST", &host);
        }
        command.current_dir(&project.folder);
        command
    }

    pub(crate) fn run(self, engine: &Engine, project: &Project, words: &[&str]) -> Output {
        self.command(engine, project, words).output().unwrap()
    }

    /// What it prints, if all went well.
    ///
    /// # Errors
    /// What it said, if not.
    pub(crate) fn ok(self, engine: &Engine, project: &Project, words: &[&str]) -> Result<String, String> {
        let output = self.run(engine, project, words);
        let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(told(&output.stdout));
        }
        Err(format!("{self:?} {words:?}: {}\n{}{}", output.status, told(&output.stdout), told(&output.stderr)))
    }

    /// Brings a project up, and down again; what it was in between.
    ///
    /// # Errors
    /// What did not go as `expected.txt` says, or was left behind.
    pub(crate) fn live(self, engine: &Engine, project: &Project) -> Result<State, String> {
        let came_up = self.ok(engine, project, &["up", "-d"]);
        let state = came_up.and_then(|_| self.settled(engine, project));
        let went_down = self.ok(engine, project, &["down", "-v", "-t", "1"]);
        let state = state?;
        went_down?;
        let left = State::of(project, engine);
        let volumes = engine.get("/volumes")["Volumes"].as_array().map_or(0, Vec::len);
        if !left.is_empty() || volumes > 0 {
            return Err(format!("{self:?} left {:?}, {volumes} volumes", left.brief()));
        }
        Ok(state)
    }

    /// The state, once it is as expected.
    pub(crate) fn settled(self, engine: &Engine, project: &Project) -> Result<State, String> {
        let expected = project.expected();
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let mut state = State::of(project, engine);
            if self == Self::Classic {
                state = expected.classic.iter().fold(state, |state, thing| state.without(thing));
            }
            let unheard = expected.said.iter().find(|(who, what)| !engine.log(project, who).contains(what));
            let is_so = state.brief() == expected.brief;
            if is_so && unheard.is_none() {
                return Ok(state);
            }
            if Instant::now() > end {
                let (is, log) = (state.brief().join("\n  "), unheard.map(|(who, _)| engine.log(project, who)));
                return Err(format!("{self:?}: not as expected, but\n  {is}\nunheard: {unheard:?} in {log:?}"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
