//! What chapter 7 needs of the engine: images by name, and the contexts that the user named.

use crate::api::BuildOptions;
use crate::{Engine, Error, Kind, Result};
use build::context::Tree;
use build::dockerfile::Parsed;
use build::progress::Event;
use build::source::Source;
use build::stage::{Build, State};
use layers::manifest::Platform;
use multi_stage::{Asked, Graph, Origins};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

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
            contexts: &|name| named_context(name, options, build.store.pins().folder()),
            opened: Mutex::default(),
            secrets: &options.secrets.iter().map(|secret| (secret.id.clone(), secret.value.clone())).collect(),
            ssh: &options.ssh.iter().cloned().collect(),
        };
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        multi_stage::build(&origins, &Platform::host(), at_once).map_err(|unbuilt| {
            if let Some(lines) = unbuilt.lines {
                (build.listener)(Event::Fault { first: *lines.start(), last: *lines.end() });
            }
            unbuilt.error.into()
        })
    }
}

/// Opens what `--build-context` gives a name: a folder.
fn named_context(name: &str, options: &BuildOptions, cache: &Path) -> std::result::Result<Tree, String> {
    let value = options.contexts.get(name).map_or("", String::as_str);
    if let Some((kind, _)) = value.split_once("://") {
        return Err(format!("unsupported context source {kind} for {name}"));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, value, flags, Mode::empty())
        .map_err(|error| format!("failed to get build context {name}: {value}: {error}"))?;
    Tree::source(Source { root, chain_id: None }, name, Some(cache)).map_err(|error| error.to_string())
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
