//! Pulling an image: its manifest, its config, and then its layers, several at once.
//!
//! ```text
//!   manifest (an index? then the one for our platform) ──▶ config ──▶ layer ─┐
//!                                                                    layer ─┼─▶ the image
//!                                                                    layer ─┘
//! ```
//!
//! A layer that is here is not fetched; one that is not is unpacked while it comes ([`crate::pipeline`]). The image gets
//! its name when everything is there; until then nobody sees anything of it.

use crate::api::Raw;
use crate::choice::choose;
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::fetch::Fetch;
use crate::pipeline::Pipeline;
use crate::progress::{Cancelled, Event, Listener};
use crate::remote::Remote;
use crate::settings::Settings;
use layers::blob::DOCUMENT_LIMIT;
use layers::manifest::{Descriptor, Document, Manifest, Platform, media_type};
use layers::store::Writing;
use layers::{Digest, Image, ImageConfig, Reference, Store};
use std::sync::atomic::{AtomicBool, Ordering};

/// An index may list indexes; an honest one does not go deeper.
const INDEX_DEPTH: usize = 3;
/// overlayfs stacks no more; and nobody is to send us after a million blobs.
const LAYERS: usize = 500;

/// How to pull.
pub struct Pull<'a> {
    pub store: &'a Store,
    pub settings: &'a Settings,
    pub credentials: Option<&'a Credentials>,
    /// None: this machine's.
    pub platform: Option<&'a Platform>,
    pub listener: Listener<'a>,
    pub cancelled: Cancelled<'a>,
}

/// A pulled image.
#[derive(Debug)]
pub struct Pulled {
    pub image: Image,
    /// What its name stands for in the registry: the manifest, or the index.
    pub digest: Digest,
    /// It was not here under this name before.
    pub newer: bool,
}

impl Pull<'_> {
    /// Brings an image here, and gives it its name.
    ///
    /// # Errors
    /// In Docker's words. What was fetched until then is kept for the next attempt, unless there is no room for it.
    pub fn pull(&self, reference: &Reference) -> Result<Pulled> {
        let before = self.store.unpacked().list()?;
        let pulled = self.bring(reference);
        if pulled.as_ref().is_err_and(Error::is_full_disk) {
            self.store.sweep_except(before)?;
        }
        pulled
    }

    fn bring(&self, reference: &Reference) -> Result<Pulled> {
        let remote = Remote::open(self.settings, reference, self.credentials, false)?;
        // From the first blob on until the image has its name, nobody may take what comes for garbage.
        let writing = self.store.writing()?;
        let wanted = wanted(reference);
        let raw = remote.ask(|api| api.manifest(&wanted)).map_err(|error| translate(error, reference))?;
        let id = reference.digest().map_or_else(|| wanted.clone(), |_| reference.canonical());
        (self.listener)(Event::Note { id: Some(id), text: format!("Pulling from {}", reference.path()) });
        let target = Descriptor::new(&raw.media_type, raw.digest, raw.bytes.len() as u64);
        let before = self.store.resolve(&reference.to_string()).ok();

        let fetch = Fetch {
            remote: &remote,
            blobs: self.store.blobs(),
            patience: self.settings.patience,
            cancelled: self.cancelled,
        };
        let manifest = self.manifest(&remote, raw)?;
        let config = self.config(&fetch, &manifest, reference)?;
        self.layers(&fetch, &manifest, &config)?;
        let image = self.register(&writing, &target, manifest.config.digest, reference)?;
        let newer = before.is_none_or(|before| before.id != image.id);
        Ok(Pulled { image, digest: target.digest, newer })
    }

    /// All tags of a repository.
    ///
    /// # Errors
    /// As [`Pull::pull`].
    pub fn tags(&self, reference: &Reference) -> Result<Vec<String>> {
        let remote = Remote::open(self.settings, reference, self.credentials, false)?;
        remote.ask(|api| api.tags()).map_err(|error| translate(error, reference))
    }

    /// From what the name stands for down to one manifest. All documents on the way are kept.
    fn manifest(&self, remote: &Remote, mut raw: Raw) -> Result<Manifest> {
        let platform = self.platform.cloned().unwrap_or_else(Platform::host);
        for _ in 0..INDEX_DEPTH {
            let document = Document::parse(&raw.bytes, &raw.media_type)?;
            self.store.blobs().put(&raw.bytes)?;
            let index = match document {
                Document::Manifest(manifest) => return check(*manifest),
                Document::Index(index) => index,
            };
            let chosen = choose(&index, &platform)?;
            raw = match self.store.blobs().document(&chosen.digest) {
                Ok(bytes) => Raw { bytes, media_type: chosen.media_type.clone(), digest: chosen.digest },
                Err(_) => remote.ask(|api| api.manifest(&chosen.digest.to_string()))?,
            };
            if raw.bytes.len() as u64 != chosen.size {
                return Err(layers::Error::WrongSize { expected: chosen.size, found: raw.bytes.len() as u64 }.into());
            }
        }
        Err(layers::Error::Document { kind: "index", why: "indexes within indexes, too deep".to_owned() }.into())
    }

    fn config(&self, fetch: &Fetch<'_>, manifest: &Manifest, reference: &Reference) -> Result<ImageConfig> {
        if manifest.config.size > DOCUMENT_LIMIT {
            let (digest, size) = (manifest.config.digest, manifest.config.size);
            return Err(layers::Error::BlobTooLarge { digest, size, limit: DOCUMENT_LIMIT }.into());
        }
        fetch.blob(&manifest.config, None, &|_| ())?;
        let config = ImageConfig::parse(&self.store.blobs().document(&manifest.config.digest)?)?;
        let (blobs, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if blobs != diff_ids {
            let why = format!("it lists {blobs} layers, its config {diff_ids}");
            return Err(layers::Error::Document { kind: "manifest", why }.into());
        }
        let os = config.os.as_str();
        if !matches!(os, "" | "linux") {
            return Err(Error::NoImage(format!(
                "for {os} (image operating system {os:?} cannot be used on this platform)"
            )));
        }
        match self
            .platform
            .filter(|wanted| !config.architecture.is_empty() && wanted.architecture != config.architecture)
        {
            Some(wanted) => Err(Error::WrongPlatform {
                name: reference.to_string(),
                wanted: wanted.to_string(),
                actual: format!("linux/{}", config.architecture),
            }),
            None => Ok(config),
        }
    }

    /// Fetches and unpacks the layers, several at once.
    fn layers(&self, fetch: &Fetch<'_>, manifest: &Manifest, config: &ImageConfig) -> Result<()> {
        let limit = self.store.limits().bytes;
        if manifest.layers.iter().any(|layer| layer.size > limit) {
            return Err(layers::Error::LayerTooLarge(limit).into());
        }
        let stopped = AtomicBool::new(false);
        let cancelled = || stopped.load(Ordering::Relaxed) || (self.cancelled)();
        let fetch = Fetch { cancelled: &cancelled, ..*fetch };
        let tell = |layer: &Descriptor, step| (self.listener)(Event::Layer { id: layer.digest, step });
        let diff_ids = &config.rootfs.diff_ids;
        let pipeline = Pipeline::new(self.store, &fetch, &stopped, &tell, &manifest.layers, diff_ids)?;
        pipeline.run(self.settings.downloads)
    }

    /// Gives the image its name, and the one by which its registry knows it for ever.
    fn register(&self, writing: &Writing, target: &Descriptor, id: Digest, reference: &Reference) -> Result<Image> {
        let mut names = vec![reference.with_digest(target.digest)];
        if let (Some(_), None) = (reference.tag(), reference.digest()) {
            names.push(reference.clone());
        }
        Ok(self.store.register_as(writing, target, id, &names)?)
    }
}

/// Whether a manifest is one of an image that can be had.
fn check(manifest: Manifest) -> Result<Manifest> {
    if !matches!(manifest.config.media_type.as_str(), media_type::OCI_CONFIG | media_type::DOCKER_CONFIG) {
        return Err(Error::NoImage(manifest.config.media_type));
    }
    let foreign =
        |layer: &&Descriptor| ["foreign", "nondistributable"].iter().any(|word| layer.media_type.contains(word));
    if let Some(layer) = manifest.layers.iter().find(foreign) {
        return Err(Error::ForeignLayer(layer.digest));
    }
    if manifest.layers.len() > LAYERS {
        return Err(layers::Error::TooManyLayers(manifest.layers.len()).into());
    }
    Ok(manifest)
}

/// Under which name a registry knows what is wanted: by its digest, if that is known.
pub(crate) fn wanted(reference: &Reference) -> String {
    let digest = reference.digest().map(Digest::to_string);
    digest.unwrap_or_else(|| reference.tag().unwrap_or("latest").to_owned())
}

/// What the registry's refusals mean for a pull.
pub(crate) fn translate(error: Error, reference: &Reference) -> Error {
    let name = reference.repository();
    match error {
        Error::Answer { answer, .. } if answer.is("MANIFEST_UNKNOWN") => {
            Error::NoManifest { name: reference.to_string(), answer }
        }
        Error::Answer { answer, .. } if answer.is("NAME_UNKNOWN") => Error::NoRepository { name, answer },
        Error::Answer { answer, .. } if answer.is("DENIED") => Error::PullDenied { name, answer },
        error => error,
    }
}
