//! Building images: what chapters 3 and 7 leave to whoever contains processes and keeps images.
//!
//! A Dockerfile is read, and its stages are put into a graph; each that is needed is built, upon images of the store or upon
//! other stages; the last one becomes an image. Commands run in processes of their own ([`run`]).

mod attach;
mod folder;
mod run;
mod stages;
mod step;
mod stubs;

use crate::api::{BuildOptions, Built};
use crate::{Engine, Error, Kind, Result};
use build::cancel::Cancel;
use build::dockerfile::{self, Parsed};
use build::expand::{Args, args};
use build::instruction::Network;
use build::progress::{Event, Listener};
use build::stage::{Build, Counter, Settings};
use folder::Folder;
use layers::manifest::Platform;
use layers::store::FIXED_TIME;
use layers::{Digest, Reference};
use run::Runner;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
pub(crate) use step::{NAME as STEP, main as be_step};

impl Engine {
    /// Builds an image. The context is the folder that the options name, or the tar that is read from `context`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a Dockerfile that makes no sense, and for a step that failed; in BuildKit's words.
    pub fn build(
        &self,
        options: &BuildOptions,
        context: Option<&mut (dyn Read + Send)>,
        listener: Listener<'_>,
        cancel: &Cancel,
    ) -> Result<Built> {
        let _ = context;
        let names = options.tags.iter().map(|tag| Reference::parse(tag)).collect::<layers::Result<Vec<_>>>()?;
        let folder = Folder::new(self)?;
        let store = self.store()?;
        // From the first layer to the image that is made of it, nobody may take it for garbage.
        let writing = store.writing()?;
        let mut context = build::context::Context::folder(
            &options.context_folder.clone().unwrap_or_default(),
            Some(store.pins().folder()),
        )?;
        let parsed = self.dockerfile(options)?;
        context.tree_mut().read_ignore(Some(&parsed.source.name))?;
        let settings = settings(options, &parsed)?;
        let runner = Runner { skeleton: self.skeleton()?, folder: folder.path(), cancel };
        let build = Build {
            store,
            writing: &writing,
            folder: folder.path(),
            run: &runner,
            listener,
            cancel,
            settings: &settings,
            context: context.tree(),
            loaded: AtomicBool::new(false),
            counter: Counter::default(),
        };
        let state = self.stages(&build, options, &parsed)?;

        let id = build.counter.next();
        let begun = Instant::now();
        listener(Event::Step { id, name: "exporting to image".to_owned() });
        let mut recipe = build.finished(&state);
        if !options.labels.is_empty() {
            recipe.config.labels.get_or_insert_default().extend(options.labels.clone());
        }
        let image = store.compose(&writing, &recipe, state.blobs.clone(), &state.unsynced, &names)?;
        listener(Event::Done { id, seconds: begun.elapsed().as_secs_f64() });
        let id = image.id.to_string();
        for name in &names {
            self.tell("image", "tag", &id, &[("name", &name.clone().or_latest().to_string())]);
        }
        Ok(Built { id })
    }

    fn dockerfile(&self, options: &BuildOptions) -> Result<Parsed> {
        let (name, text) = match &options.dockerfile_text {
            Some((name, text)) => (name.clone(), text.clone().into_bytes()),
            None => {
                let name = if options.dockerfile.is_empty() { "Dockerfile" } else { &options.dockerfile };
                let path = options.context_folder.clone().unwrap_or_default().join(name);
                let text = std::fs::read(&path).map_err(|e| Error::system(format!("open {}", path.display()), e))?;
                (name.to_owned(), text)
            }
        };
        Ok(dockerfile::parse(&name, &text)?)
    }
}

fn settings(options: &BuildOptions, parsed: &Parsed) -> Result<Settings> {
    let given: BTreeMap<String, String> =
        options.build_args.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
    let epoch = given.get("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok()).or(options.source_date_epoch);
    let time = epoch.map_or(FIXED_TIME, |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX));
    let host = Platform::host();
    let project = format!("{:?} {}", options.context_folder, options.dockerfile);
    Ok(Settings {
        args: Args::new(parsed, &given, args::automatic(&host, &host, &options.target))?,
        time,
        no_cache: options.no_cache,
        no_cache_filter: options.no_cache_filter.clone(),
        network: match options.network.as_str() {
            "" | "default" => Network::Default,
            "none" => Network::None,
            "host" => Network::Host,
            other => {
                return Err(Error::new(Kind::Invalid, format!("network mode {other:?} not supported by buildkit")));
            }
        },
        add_hosts: options.add_hosts.clone(),
        explain: options.explain,
        project: Digest::of(project.as_bytes()).short(),
        escape: parsed.directives.escape,
    })
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
