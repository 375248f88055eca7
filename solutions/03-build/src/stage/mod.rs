//! One stage, from its FROM to its last instruction.
//!
//! A stage begins as what it is FROM: a recipe, layers, variables ([`State`]). Each instruction alters the recipe
//! ([`crate::recipe`]), or the variables ([`crate::scope`]), or files: those steps are numbered, shown, kept, and reused
//! ([`Making::files`]). What comes out is again a [`State`], which may be an image, or what another stage is built from.

mod alone;
mod command;
mod copy;
mod files;
mod folder;
mod number;
mod state;

pub use number::count;
pub use state::State;

use crate::cancel::Cancel;
use crate::context::Tree;
use crate::error::{Error, Result};
use crate::expand::{self, Args};
use crate::instruction::{Instruction, Network, Step};
use crate::progress::{Event, Listener};
use crate::recipe;
use crate::run::Run;
use crate::source::Sources;
use layers::image::History;
use layers::store::Writing;
use layers::{Digest, ImageConfig, Store};
use number::Numbers;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What all stages of a build have in common.
pub struct Build<'a> {
    pub store: &'a Store,
    pub writing: &'a Writing,
    /// A folder of this build's own, on the filesystem of the data root; whatever is left in it goes with it.
    pub folder: &'a Path,
    pub run: &'a dyn Run,
    pub listener: Listener<'a>,
    pub cancel: &'a Cancel,
    pub settings: &'a Settings,
    /// The files that COPY and ADD may take.
    pub context: &'a Tree,
    /// Somebody has looked at the context.
    pub loaded: AtomicBool,
    /// The numbers of steps and folders, over all stages.
    pub counter: &'a Counter,
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub args: Args,
    /// Seconds since 1970: the time of all that we write.
    pub time: i64,
    pub no_cache: bool,
    /// Stages that are not taken from the cache, by name.
    pub no_cache_filter: Vec<String>,
    pub network: Network,
    pub add_hosts: Vec<String>,
    /// Tell why a step is reused or not.
    pub explain: bool,
    /// Tells this project's records from others'.
    pub project: String,
    /// The escape character of the Dockerfile.
    pub escape: char,
}

/// Counts up, for all threads of a build.
#[derive(Debug, Default)]
pub struct Counter(AtomicUsize);

impl Counter {
    /// The next number, from 0.
    pub fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A stage that is to be built.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// From 0.
    pub number: usize,
    pub name: &'a str,
    /// There are no others, and progress does not name it.
    pub alone: bool,
    /// It is FROM an image, whose name progress shows as its first step.
    pub image: Option<&'a str>,
    /// The triggers that its base kept for it ([`crate::dockerfile::trigger`]), and then its own.
    pub steps: &'a [Step],
    /// How many of them are triggers.
    pub triggers: usize,
}

/// A stage that failed.
#[derive(Debug)]
pub struct Failed {
    pub error: Error,
    /// The lines to blame.
    pub lines: RangeInclusive<usize>,
    /// What there was before the step that failed.
    pub state: Box<State>,
}

impl Build<'_> {
    /// Builds a stage.
    ///
    /// # Errors
    /// The first step that failed.
    pub fn stage(&self, plan: &Plan<'_>, from: State, sources: &dyn Sources) -> Result<State, Failed> {
        let named = if plan.alone { "" } else { plan.name };
        let numbers = Numbers::new(named, count(plan.image.is_some(), plan.steps.iter()));
        let (state, known_by) = (from, Digest::of(b""));
        let mut making =
            Making { build: self, plan, sources, state, numbers, cmd_set: false, triggered: true, known_by };
        making.from();
        for (at, step) in plan.steps.iter().enumerate() {
            making.triggered = at < plan.triggers;
            // To the plan, triggers are part of the FROM.
            if let Err(error) = making.instruction(step, (at + 1).saturating_sub(plan.triggers)) {
                return Err(Failed { error, lines: step.lines.clone(), state: Box::new(making.state) });
            }
        }
        Ok(making.state)
    }
}

/// A stage in the making.
pub(crate) struct Making<'a> {
    build: &'a Build<'a>,
    plan: &'a Plan<'a>,
    sources: &'a dyn Sources,
    state: State,
    numbers: Numbers,
    /// This stage has a CMD of its own.
    cmd_set: bool,
    /// The instruction is a trigger that the base kept.
    triggered: bool,
    /// A name for the state so far.
    known_by: Digest,
}

impl Making<'_> {
    /// The FROM itself: nothing is left to do, but that its triggers are pulled, once.
    fn from(&mut self) {
        self.state.image.config.on_build = None;
        let reached = |id| Event::Reached { stage: self.plan.number, instruction: 0, id };
        match self.plan.image {
            Some(image) => {
                let id = self.build.counter.next();
                self.tell(reached(Some(id)));
                let name = self.numbers.next(false, &format!("FROM {image}"));
                self.tell(Event::Step { id, name });
                self.tell(Event::Cached { id });
                self.tell(Event::Done { id, seconds: 0.0 });
            }
            None => self.tell(reached(None)),
        }
        self.made("FROM", 0);
    }

    /// Carries out one instruction; `index` is its place in the stage, counting the FROM.
    fn instruction(&mut self, step: &Step, index: usize) -> Result<()> {
        if self.build.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.carry_out(step, index)?;
        self.made(&step.text, index);
        Ok(())
    }

    fn carry_out(&mut self, step: &Step, index: usize) -> Result<()> {
        let line = *step.lines.start();
        let instruction =
            expand::instruction(&step.instruction, &|name| self.state.scope.get(name), self.escape())?.instruction;
        match &instruction {
            Instruction::Run(run) => return self.run(step, run, index),
            Instruction::Copy(copy) | Instruction::Add(copy) => return self.copy(step, copy, index),
            Instruction::Workdir(path) => return self.workdir(step, path, index),
            _ => self.tell(Event::Reached { stage: self.plan.number, instruction: index, id: None }),
        }
        let told = match &instruction {
            Instruction::Arg(args) => Some(self.arg(args, line)?),
            other => recipe::apply(&mut self.state.image, &mut self.cmd_set, other)?,
        };
        if let Instruction::Env(pairs) = &instruction {
            for (name, value) in pairs {
                self.state.scope.set(name, value, Some(line));
                self.state.scope.fits(name)?;
            }
        }
        if let Some(told) = told {
            self.history(told, true);
        }
        Ok(())
    }

    /// Declares ARGs. Returns how the history tells it.
    fn arg(&mut self, args: &[(String, Option<String>)], line: usize) -> Result<String> {
        let mut told = String::from("ARG");
        for (name, default) in args {
            let lookup = |name: &str| self.state.scope.get(name);
            let value = self.build.settings.args.declared(name, default.as_deref(), &lookup, self.escape())?;
            let value = value.map(|expanded| expanded.text);
            told += &value.as_ref().map_or_else(|| format!(" {name}"), |value| format!(" {name}={value}"));
            self.state.scope.declare(name, value, line);
            self.state.scope.fits(name)?;
        }
        Ok(told)
    }

    fn escape(&self) -> char {
        self.build.settings.escape
    }

    /// A step's text as progress shows it.
    fn shown(&self, step: &Step) -> String {
        expand::shown(&step.text, &|name| self.state.scope.get(name), self.escape())
    }

    fn history(&mut self, created_by: String, empty_layer: bool) {
        self.state.image.history.push(History {
            created: self.build.created(),
            created_by,
            comment: "buildkit.dockerfile.v0".to_owned(),
            empty_layer,
            ..History::default()
        });
    }

    fn tell(&self, event: Event) {
        (self.build.listener)(event);
    }

    /// An instruction of the plan is carried out. What there is then has a name: at the end of the stage, the ID of its image.
    /// Before, to write the whole recipe down each time would make a long Dockerfile a slow one.
    fn made(&mut self, text: &str, instruction: usize) {
        let last = instruction + self.plan.triggers == self.plan.steps.len();
        self.known_by = match last {
            true => self.state.id(self.build),
            false => Digest::of(format!("{} {} {text}", self.known_by, self.state.key).as_bytes()),
        };
        let image = self.known_by.to_string();
        self.tell(Event::Made { stage: self.plan.number, instruction, image });
    }
}

impl Build<'_> {
    /// The time of all that is written, as recipes say it.
    #[must_use]
    pub fn created(&self) -> Option<String> {
        layers::image::time(self.settings.time)
    }

    /// The recipe of an image, as it is registered.
    #[must_use]
    pub fn finished(&self, state: &State) -> ImageConfig {
        ImageConfig { created: self.created(), ..state.image.clone() }
    }
}
