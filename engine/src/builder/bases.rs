//! The images that a build begins with: those that are not here are pulled, each once.

use super::Site;
use crate::{Error, Kind, Result};
use build::progress::{Event, Stream};
use layers::{Image, Reference};
use registry::progress::{Event as Told, Step};
use registry::{Credentials, Settings};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// What was pulled for a build, and what could not be.
pub(super) struct Bases<'a> {
    /// Ask the registries even for what is here.
    always: bool,
    credentials: &'a BTreeMap<String, Credentials>,
    /// By complete name: why it could not be had. Held while one is pulled: another stage may wait for the same.
    asked: Mutex<HashMap<String, Option<String>>>,
}

impl<'a> Bases<'a> {
    pub(super) fn new(always: bool, credentials: &'a BTreeMap<String, Credentials>) -> Self {
        Self { always, credentials, asked: Mutex::default() }
    }
}

impl Site<'_> {
    /// The image of this name, which is pulled if it is not here.
    pub(super) fn base_image(&self, name: &str) -> Result<Image> {
        let missing = match self.engine.image(name) {
            Ok(image) if !self.bases.always => return Ok(image),
            Err(error) if error.kind != Kind::NotFound => return Err(error),
            Ok(_) => None,
            Err(missing) => Some(missing),
        };
        // What only looks like an ID is no name that a registry knows.
        let Ok(reference) = Reference::parse(name).map(Reference::or_latest) else {
            return missing.map_or_else(|| self.engine.image(name), Err);
        };
        let mut asked = self.bases.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = match asked.get(&reference.canonical()) {
            Some(known) => known.clone(),
            None => {
                let failure = self.pull(&reference).err().map(|error| error.message);
                asked.entry(reference.canonical()).or_insert(failure).clone()
            }
        };
        drop(asked);
        match failure {
            None => self.engine.image(name),
            Some(why) => {
                let text = format!("{name}: failed to resolve source metadata for {}: {why}", reference.canonical());
                Err(Error::new(Kind::Invalid, text))
            }
        }
    }

    /// As a step of its own.
    fn pull(&self, reference: &Reference) -> Result<()> {
        let settings: Settings = self.engine.registries()?;
        let credentials = self.bases.credentials.get(registry::credentials::key(reference));
        self.step(&format!("[internal] pull {}", reference.canonical()), |id| {
            let listener = |told| self.tell_pull(id, told);
            let pull = registry::pull::Pull {
                store: self.store,
                settings: &settings,
                credentials,
                platform: None,
                listener: &listener,
                cancelled: &|| self.cancel.is_cancelled(),
            };
            self.engine.pull_one(&pull, reference).map(drop)
        })
    }

    fn tell_pull(&self, id: usize, told: Told) {
        (self.listener)(match told {
            Told::Layer { id: layer, step: Step::Downloading { current, total } } => {
                Event::Status { id, what: layer.to_string(), current, total: Some(total) }
            }
            Told::Layer { id: layer, step } => {
                let text = format!("{}: {}\n", layer.short(), step.text());
                Event::Output { id, stream: Stream::Stdout, text }
            }
            Told::Note { id: about, text } => {
                let about = about.map(|about| format!("{about}: ")).unwrap_or_default();
                Event::Output { id, stream: Stream::Stdout, text: format!("{about}{text}\n") }
            }
        });
    }
}
