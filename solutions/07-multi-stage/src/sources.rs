//! Where the files come from that a step copies or mounts, and what else a `RUN --mount` shows.

use crate::bind;
use crate::cache_mount::{CacheMounts, shared_by};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::names;
use crate::schedule::{Others, Stopped};
use crate::secret::{secret, ssh};
use crate::trees::Files;
use build::context::Context;
use build::instruction::{Mount, MountKind};
use build::run;
use build::source::{Mounted, Source, Sources};
use build::stage::{Build, State};
use layers::digest::chain_ids;
use layers::{Digest, Image};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What all stages of a build take from.
pub struct Origins<'a> {
    pub graph: &'a Graph,
    pub build: &'a Build<'a>,
    /// Finds an image by its name, or says why there is none.
    pub images: &'a (dyn Fn(&str) -> Result<Image, String> + Sync),
    /// Opens a named context (`--build-context`) by its name, or says why it cannot.
    pub contexts: &'a (dyn Fn(&str) -> Result<Context, String> + Sync),
    /// Those that were opened.
    pub opened: Mutex<BTreeMap<String, Arc<Context>>>,
    /// `--secret`, by id.
    pub secrets: &'a BTreeMap<String, Vec<u8>>,
    /// `--ssh`, by id: sockets, or files of keys.
    pub ssh: &'a BTreeMap<String, Vec<PathBuf>>,
}

/// What one stage takes from.
pub(crate) struct OfStage<'a> {
    pub(crate) origins: &'a Origins<'a>,
    /// Its number.
    pub(crate) stage: usize,
    pub(crate) others: &'a Others<'a, State>,
}

impl Sources for OfStage<'_> {
    fn source(&self, name: &str) -> Result<Source, String> {
        self.named(name).and_then(|files| files.source(name)).map_err(|error| error.to_string())
    }

    fn content(&self, mount: &Mount) -> Result<Option<Digest>, String> {
        let content = match (mount.kind, &mount.from) {
            (MountKind::Bind, _) | (MountKind::Cache, Some(_)) => {
                self.files(mount).and_then(|files| bind::content(mount, &files)).map(Some)
            }
            _ => Ok(None),
        };
        content.map_err(|error| error.to_string())
    }

    fn mount(&self, mount: &Mount, cwd: &str) -> Result<Mounted, String> {
        let mounted = match mount.kind {
            MountKind::Bind => self.bind(mount, cwd),
            MountKind::Cache => self.cache(mount, cwd),
            MountKind::Tmpfs => bind::target(mount, cwd).map(|target| {
                let source = run::Source::Tmpfs { size: mount.size.filter(|size| *size > 0) };
                plain(run::Mount { target, source, readonly: mount.readonly.unwrap_or(false) })
            }),
            MountKind::Secret => secret(mount, cwd, self.origins.secrets),
            MountKind::Ssh => ssh(mount, cwd, self.origins.ssh, &self.folder("ssh")),
        };
        mounted.map_err(|error| error.to_string())
    }
}

/// A mount of which nothing else has to be known.
fn plain(mount: run::Mount) -> Mounted {
    Mounted { mount: Some(mount), env: None, held: None }
}

impl OfStage<'_> {
    /// The files that a `--from` of this stage names. Waits for a stage until it is built.
    fn named(&self, name: &str) -> Result<Files<'_>> {
        let uses = &self.origins.graph.stages[self.stage].uses;
        let Some(named) = uses.iter().find(|it| it.name == name) else {
            return Err(Error::Origin(format!("{name}: the graph does not know that this stage needs it")));
        };
        match &named.tree {
            names::Tree::Scratch => Ok(Files::Layers { folders: Vec::new(), chain_id: None }),
            names::Tree::Stage(stage) => match self.others.get(*stage) {
                Ok(state) => Ok(self.of_stage(&state)),
                Err(Stopped) => Err(build::Error::Cancelled.into()),
            },
            names::Tree::Image(image) => self.of_image(image),
            names::Tree::Context(name) => self.of_context(name).map(Files::Named),
        }
    }

    fn of_stage(&self, state: &State) -> Files<'static> {
        let chain = chain_ids(&state.image.rootfs.diff_ids);
        let layers = self.origins.build.store.unpacked();
        Files::Layers {
            folders: chain.iter().map(|chain_id| layers.path(chain_id)).collect(),
            chain_id: chain.last().copied(),
        }
    }

    fn of_image(&self, name: &str) -> Result<Files<'_>> {
        let image = (self.origins.images)(name).map_err(Error::Origin)?;
        let folders = self.origins.build.store.layer_folders(&image)?;
        Ok(Files::Layers { folders, chain_id: image.chain_ids().last().copied() })
    }

    /// A context is opened once: what it is at that moment it is for all of the build.
    fn of_context(&self, name: &str) -> Result<Arc<Context>> {
        let mut opened = self.origins.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = opened.get(name) {
            return Ok(Arc::clone(context));
        }
        let context = Arc::new((self.origins.contexts)(name).map_err(Error::Origin)?);
        opened.insert(name.to_owned(), Arc::clone(&context));
        Ok(context)
    }

    /// The files that a mount shows, or begins with: those of the build context, if it names no others.
    fn files(&self, mount: &Mount) -> Result<Files<'_>> {
        match (&mount.from, mount.kind) {
            (Some(from), _) => self.named(from),
            (None, MountKind::Bind) => Ok(Files::Context(self.origins.build.context)),
            (None, _) => Ok(Files::Layers { folders: Vec::new(), chain_id: None }),
        }
    }

    fn bind(&self, mount: &Mount, cwd: &str) -> Result<Mounted> {
        let target = bind::target(mount, cwd)?;
        let (source, held) = bind::source(mount, &self.files(mount)?, &self.folder("bind"), self.origins.build)?;
        let mount = run::Mount { target, source, readonly: mount.readonly.unwrap_or(true) };
        Ok(Mounted { mount: Some(mount), env: None, held })
    }

    fn cache(&self, mount: &Mount, cwd: &str) -> Result<Mounted> {
        let target = bind::target(mount, cwd)?;
        let files = mount.from.as_ref().map(|_| self.files(mount)).transpose()?;
        let content = files.as_ref().map(|files| bind::content(mount, files)).transpose()?;
        let build = self.origins.build;
        let begin = |folder: &std::path::Path| match &files {
            Some(files) => bind::copy(mount, files, folder, build),
            None => Ok(()),
        };
        let caches = CacheMounts::new(build.store.pins().folder());
        let folder = caches.open(mount, &shared_by(mount, content), build.cancel, &begin)?;
        let source = run::Source::Tree(folder.handle.try_clone().map_err(bind::failed("the cache"))?.into());
        let mount = run::Mount { target, source, readonly: mount.readonly.unwrap_or(false) };
        Ok(Mounted { mount: Some(mount), env: None, held: Some(Box::new(folder)) })
    }

    /// A name in the folder of the build that nobody else has.
    fn folder(&self, kind: &str) -> PathBuf {
        self.origins.build.folder.join(format!("{}-{kind}", self.origins.build.counter.next()))
    }
}
