//! What chapter 7 needs of the engine: images by name, and the contexts that the user named.

use crate::api::BuildOptions;
use crate::{Engine, Error, Kind, Result};
use build::context::Context;
use build::dockerfile::Parsed;
use build::progress::Event;
use build::stage::{Build, State};
use layers::manifest::Platform;
use layers::unpack::Limits;
use multi_stage::{Asked, Graph, Origins};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// So many stages are built at the same time even by a machine with a single processor.
const LEAST_AT_ONCE: usize = 4;

impl Engine {
    /// Builds the stages that the target needs, and returns what the target became.
    pub(super) fn stages(&self, build: &Build<'_>, options: &BuildOptions, parsed: &Parsed) -> Result<Arc<State>> {
        let triggers = |name: &str| {
            // Whether there is such an image at all is told where it is needed.
            let image = self.image(name).ok();
            image.and_then(|image| image.config.config.on_build).unwrap_or_default()
        };
        let asked = Asked {
            target: &options.target,
            args: &build.settings.args,
            contexts: &options.contexts,
            triggers: &triggers,
        };
        let graph = Graph::new(parsed, &asked)?;
        let origins = Origins {
            graph: &graph,
            build,
            images: &|name| self.image(name).map_err(|error| error.message),
            contexts: &|name| named_context(name, options, build),
            opened: Mutex::default(),
            secrets: &options.secrets.iter().map(|secret| (secret.id.clone(), secret.value.clone())).collect(),
            ssh: &options.ssh.iter().cloned().collect(),
        };
        // Commands wait for disks and for each other more than they compute.
        let at_once = thread::available_parallelism().map_or(1, usize::from).max(LEAST_AT_ONCE);
        multi_stage::build(&origins, &Platform::host(), at_once).map_err(|unbuilt| {
            if let Some(lines) = unbuilt.lines {
                (build.listener)(Event::Fault { first: *lines.start(), last: *lines.end() });
            }
            unbuilt.error.into()
        })
    }
}

/// Opens what `--build-context` gives a name: a folder of this host, or a URL.
fn named_context(name: &str, options: &BuildOptions, build: &Build<'_>) -> std::result::Result<Context, String> {
    let value = options.contexts.get(name).map_or("", String::as_str);
    let opened = match value.split_once("://") {
        Some(("http" | "https", _)) => Context::url(value, build.folder, Limits::default(), Some(build.cancel)),
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
