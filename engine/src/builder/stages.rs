//! What chapter 7 needs of the engine: images by name, and the contexts that the user named.

use super::{Site, settings};
use crate::api::BuildOptions;
use crate::{Error, Kind, Result};
use build::context::Context;
use build::dockerfile::Parsed;
use build::expand::Args;
use build::progress::Event;
use build::stage::{Build, State};
use layers::manifest::Platform;
use multi_stage::{Asked, Base, Graph, Node, Origins, Unbuilt};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// So many stages are built at the same time even by a machine with a single processor.
const LEAST_AT_ONCE: usize = 4;

impl Site<'_> {
    /// What the names in a Dockerfile mean, and which stages are needed.
    pub(super) fn graph(
        &self,
        options: &BuildOptions,
        parsed: &Parsed,
        args: &Args,
        platform: &Platform,
    ) -> Result<Graph> {
        let triggers = |name: &str| {
            // Whether there is such an image at all is told where it is needed.
            let image = self.base_image(name).ok();
            image.and_then(|image| image.config.config.on_build).unwrap_or_default()
        };
        let asked = Asked { target: &options.target, args, contexts: &options.contexts, triggers: &triggers };
        let graph = Graph::new(parsed, &asked).map_err(|error| match error {
            multi_stage::Error::Build(error) => self.blame(error),
            error => error.into(),
        })?;
        for stage in &graph.reached {
            let node = &graph.stages[*stage];
            self.check_platform(node, platform).inspect_err(|_| {
                (self.listener)(Event::Fault { first: *node.lines.start(), last: *node.lines.end() });
            })?;
        }
        Ok(graph)
    }

    /// Whether this host can run the stage's commands, and its base is of the platform that is wanted.
    fn check_platform(&self, node: &Node, target: &Platform) -> Result<()> {
        let wanted = node.platform.as_ref().unwrap_or(target);
        settings::can_run(wanted)?;
        let Base::Image(name) = &node.base else { return Ok(()) };
        // That there is no such image is told when the stage is built.
        let Ok(image) = self.base_image(name) else { return Ok(()) };
        let (os, architecture) = (&image.config.os, &image.config.architecture);
        if architecture.is_empty() || (os, architecture) == (&wanted.os, &wanted.architecture) {
            return Ok(());
        }
        let why = format!(
            "image with reference {name} was found but its platform ({os}/{architecture}) does not match the specified platform ({wanted})"
        );
        Err(Error::new(Kind::Invalid, why))
    }

    /// Tells what is going to be built.
    pub(super) fn tell_plan(&self, options: &BuildOptions, parsed: &Parsed, graph: &Graph) {
        let own = |stage: &usize| {
            let node = &graph.stages[*stage];
            let steps = node.steps.iter().skip(node.triggers).map(|step| step.text.clone());
            std::iter::once(node.text.clone()).chain(steps).collect()
        };
        let mut stages: Vec<Vec<String>> = graph.reached.iter().map(own).collect();
        if let Some(last) = stages.last_mut() {
            last.extend(labels(options));
        }
        let meta_args = parsed.dockerfile.meta_args.iter().map(|step| step.text.clone()).collect();
        (self.listener)(Event::Plan { meta_args, stages });
        for (stage, node) in graph.reached.iter().map(|stage| &graph.stages[*stage]).enumerate() {
            let instructions: Vec<_> = node.steps.iter().take(node.triggers).map(|step| step.text.clone()).collect();
            if !instructions.is_empty() {
                (self.listener)(Event::Triggers { stage, instructions });
            }
        }
    }

    /// Builds the stages that the target needs, and returns what the target became.
    pub(super) fn stages(
        &self,
        build: &Build<'_>,
        options: &BuildOptions,
        graph: &Graph,
        platform: &Platform,
    ) -> std::result::Result<Arc<State>, Box<Unbuilt>> {
        let origins = Origins {
            graph,
            build,
            images: &|name| self.base_image(name).map_err(|error| error.message),
            contexts: &|name| named_context(name, options, build),
            opened: Mutex::default(),
            secrets: &options.secrets.iter().map(|secret| (secret.id.clone(), secret.value.clone())).collect(),
            ssh: &options.ssh.iter().cloned().collect(),
        };
        // Commands wait for disks and for each other more than they compute.
        let at_once = thread::available_parallelism().map_or(1, usize::from).max(LEAST_AT_ONCE);
        multi_stage::build(&origins, platform, at_once)
    }
}

/// `--label`, as the instructions that they stand for.
pub(super) fn labels(options: &BuildOptions) -> impl Iterator<Item = String> {
    options.labels.iter().map(|(name, value)| format!("LABEL {name}={value}"))
}

/// Opens what `--build-context` gives a name: a folder of this host, or a URL.
fn named_context(name: &str, options: &BuildOptions, build: &Build<'_>) -> std::result::Result<Context, String> {
    let value = options.contexts.get(name).map_or("", String::as_str);
    let opened = match value.split_once("://") {
        Some(("http" | "https", _)) => Context::url(value, build.folder, build.store.limits(), Some(build.cancel)),
        Some((kind, _)) => return Err(format!("unsupported context source {kind} for {name}")),
        None => Context::folder(Path::new(value), Some(build.store.pins().folder())),
    };
    let read = opened.and_then(|mut context| {
        context.tree_mut().read_ignore(None)?;
        Ok(context)
    });
    read.map_err(|error| format!("failed to get build context {name}: {error}"))
}

impl From<multi_stage::Error> for Error {
    fn from(error: multi_stage::Error) -> Self {
        match error {
            multi_stage::Error::Build(error) => error.into(),
            multi_stage::Error::Layers(error) => error.into(),
            error => Self::new(Kind::Invalid, error.to_string()),
        }
    }
}
