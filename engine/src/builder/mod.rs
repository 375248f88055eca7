//! Building images: what chapters 3 and 7 leave to whoever contains processes and keeps images.
//!
//! ```text
//!   options ──▶ settings ──┐
//!   context ──▶ files ─────┴──▶ stages ──▶ run (a process for each RUN: step) ──▶ output
//! ```
//!
//! A Dockerfile is read ([`files`]), and its stages are put into a graph; each that is needed is built, upon images of the
//! store or upon other stages ([`stages`]). Commands run in processes of their own ([`run`], [`step`]). The last stage becomes
//! an image, an archive, or a folder ([`output`]).

mod attach;
mod bases;
mod files;
mod folder;
mod output;
mod prune;
mod run;
mod settings;
mod stages;
mod step;
pub(crate) mod stubs;
mod verify;
mod warnings;

use crate::api::{BuildOptions, Built};
use crate::{Engine, Error, Kind, Result};
use bases::Bases;
use build::cancel::Cancel;
use build::context::Context;
use build::dockerfile::Parsed;
use build::progress::{Event, Listener};
use build::stage::{Build, Counter, Settings, State};
use folder::Folder;
use layers::Store;
use layers::manifest::Platform;
use layers::store::Writing;
use multi_stage::{Graph, Unbuilt};
use output::{Product, outputs};
use run::Runner;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
pub(crate) use step::{NAME as STEP, main as be_step};

impl Engine {
    /// Builds an image. The context is what the options name, or the archive that is read from `body`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a Dockerfile that makes no sense, and for a step that failed; in BuildKit's words.
    pub fn build(
        &self,
        options: &BuildOptions,
        body: Option<&mut (dyn Read + Send)>,
        listener: Listener<'_>,
        cancel: &Cancel,
    ) -> Result<Built> {
        let (names, outputs) = (settings::names(options)?, outputs(options)?);
        let platform = settings::platform(&options.platform)?;
        let folder = Folder::new(self)?;
        let store = self.store()?;
        // From the first layer to the image that is made of it, nobody may take it for garbage.
        let writing = store.writing()?;
        let counter = Counter::default();
        let folder = folder.path();
        let bases = Bases::new(options.pull, &options.registries);
        let (writing, bases, counter) = (&writing, &bases, &counter);
        let site = Site { engine: self, store, writing, bases, folder, listener, cancel, counter };

        let given = settings::given(options);
        let (context, parsed) = files::read(&site, options, &given, body)?;
        let settings = settings::settings(options, &given, &parsed, &platform, |error| site.blame(error))?;
        let graph = site.graph(options, &parsed, &settings.args, &platform)?;
        let plan = Plan { options, context: &context, parsed: &parsed, settings: &settings, graph, platform };
        site.check(&parsed, &plan.graph, &settings.args, context.tree())?;
        if options.check {
            return Ok(Built::default());
        }
        let state = site.build(&plan)?;
        let mut recipe = state.image.clone();
        recipe.created = layers::image::time(settings.time);
        site.label(&plan, &mut recipe);
        let product = Product { recipe, blobs: state.blobs.clone(), unsynced: &state.unsynced, names: &names };
        Ok(Built { id: site.deliver(&product, &outputs)? })
    }
}

/// One build, as far as it is the engine's.
#[derive(Clone, Copy)]
struct Site<'a> {
    engine: &'a Engine,
    store: &'a Store,
    writing: &'a Writing,
    bases: &'a Bases<'a>,
    /// The build's own.
    folder: &'a Path,
    listener: Listener<'a>,
    cancel: &'a Cancel,
    /// The numbers of steps.
    counter: &'a Counter,
}

/// What is to be built.
struct Plan<'a> {
    options: &'a BuildOptions,
    context: &'a Context,
    parsed: &'a Parsed,
    settings: &'a Settings,
    graph: Graph,
    platform: Platform,
}

impl Site<'_> {
    /// Builds the target; with `--verify` twice, and the two have to be the same.
    fn build(&self, plan: &Plan<'_>) -> Result<Arc<State>> {
        let first = match plan.options.verify {
            true => Some(self.step("[verify] building once, to compare", |id| {
                // Of this one only the commands are heard.
                let quiet = |event| {
                    if let Event::Output { stream, text, .. } = event {
                        (self.listener)(Event::Output { id, stream, text });
                    }
                };
                let quiet = Site { listener: &quiet, ..*self };
                quiet.once(plan).map_err(|unbuilt| self.failed(*unbuilt, plan))
            })?),
            false => None,
        };
        self.tell_plan(plan.options, plan.parsed, &plan.graph);
        let state = self.once(plan).map_err(|unbuilt| self.failed(*unbuilt, plan))?;
        if let Some(first) = first {
            self.step("[verify] comparing with the build before", |_| self.compare(&first, &state))?;
        }
        Ok(state)
    }

    fn once(&self, plan: &Plan<'_>) -> std::result::Result<Arc<State>, Box<Unbuilt>> {
        let runner = Runner::new(self.engine, self.folder, self.cancel).map_err(|error| {
            Box::new(Unbuilt { error: multi_stage::Error::Origin(error.message), lines: None, state: None })
        })?;
        let build = Build {
            store: self.store,
            writing: self.writing,
            folder: self.folder,
            run: &runner,
            listener: self.listener,
            cancel: self.cancel,
            settings: plan.settings,
            context: plan.context.tree(),
            loaded: AtomicBool::new(false),
            counter: self.counter,
        };
        let state = self.stages(&build, plan.options, &plan.graph, &plan.platform);
        runner.end();
        state
    }

    /// A stage failed: tells which lines are to blame, and keeps the state before it, if somebody wants to look at that.
    fn failed(&self, unbuilt: Unbuilt, plan: &Plan<'_>) -> Error {
        let Unbuilt { error, lines, state } = unbuilt;
        if let Some(lines) = lines {
            (self.listener)(Event::Fault { first: *lines.start(), last: *lines.end() });
        }
        let failed_itself = matches!(error, multi_stage::Error::Build(build::Error::Command { .. }));
        if let Some(state) = state.filter(|_| plan.options.keep_failed && failed_itself) {
            let mut recipe = state.image.clone();
            recipe.created = layers::image::time(plan.settings.time);
            // A shell in it is to see what the command saw.
            recipe.config.env = Some(state.scope.environment());
            match self.store.compose(self.writing, &recipe, state.blobs.clone(), &state.unsynced, &[]) {
                Ok(image) => (self.listener)(Event::Kept { image: image.id.to_string() }),
                // The reason why the build failed is worth more.
                Err(error) => tracing::warn!("cannot keep the state before the step that failed: {error}"),
            }
        }
        match error {
            multi_stage::Error::Build(error) => self.blame(error),
            error => error.into(),
        }
    }

    /// `--label`: as if the Dockerfile ended with these.
    fn label(&self, plan: &Plan<'_>, recipe: &mut layers::ImageConfig) {
        let stage = plan.graph.reached.len().saturating_sub(1);
        let target = &plan.graph.stages[plan.graph.target];
        let first = target.steps.len() - target.triggers + 1;
        for (number, (name, value)) in plan.options.labels.iter().enumerate() {
            let instruction = first + number;
            (self.listener)(Event::Reached { stage, instruction, id: None });
            recipe.config.labels.get_or_insert_default().insert(name.clone(), value.clone());
            (self.listener)(Event::Made { stage, instruction, image: recipe.id().to_string() });
        }
    }

    /// A step that is none of the Dockerfile's.
    fn step<T>(&self, name: &str, work: impl FnOnce(usize) -> Result<T>) -> Result<T> {
        let (id, begun) = (self.counter.next(), Instant::now());
        (self.listener)(Event::Step { id, name: name.to_owned() });
        let done = work(id);
        let seconds = begun.elapsed().as_secs_f64();
        (self.listener)(match &done {
            Ok(_) => Event::Done { id, seconds },
            Err(error) => Event::Failed { id, seconds, error: error.message.clone() },
        });
        done
    }

    /// An error of the Dockerfile: its lines are told, for whoever shows them, and not in the text again.
    fn blame(&self, error: build::Error) -> Error {
        match error {
            build::Error::Dockerfile { message, lines, .. } => {
                if *lines.start() > 0 {
                    (self.listener)(Event::Fault { first: *lines.start(), last: *lines.end() });
                }
                Error::new(Kind::Invalid, message)
            }
            error => error.into(),
        }
    }
}

/// What was wrong with a Dockerfile or a step is the user's business.
impl From<build::Error> for Error {
    fn from(error: build::Error) -> Self {
        match error {
            build::Error::Layers(error) => error.into(),
            build::Error::Io { .. } => Self::new(Kind::System, error.to_string()),
            _ => Self::new(Kind::Invalid, error.to_string()),
        }
    }
}
