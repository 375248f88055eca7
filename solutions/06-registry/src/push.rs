//! Pushing an image: first what it is made of, and when all of that is there, the manifest.
//!
//! So a registry never has a manifest of something that it lacks; and what it has already, of this image or of another,
//! does not travel again.

use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::mount::{self, Known};
use crate::pack::Pack;
use crate::progress::{Cancelled, Event, Listener, Step};
use crate::remote::Remote;
use crate::settings::Settings;
use crate::upload::Upload;
use layers::manifest::media_type;
use layers::{Digest, Image, Reference, Store};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// How to push.
pub struct Push<'a> {
    pub store: &'a Store,
    pub settings: &'a Settings,
    pub credentials: Option<&'a Credentials>,
    /// Layers are told by their diff IDs.
    pub listener: Listener<'a>,
    pub cancelled: Cancelled<'a>,
}

/// A pushed image, as the registry has it.
#[derive(Clone, Copy, Debug)]
pub struct Pushed {
    pub digest: Digest,
    /// Bytes of the manifest.
    pub size: u64,
}

impl Push<'_> {
    /// Brings an image of the store to the registry of its name.
    ///
    /// # Errors
    /// In Docker's words.
    pub fn push(&self, reference: &Reference) -> Result<Pushed> {
        let image = self.store.resolve(&reference.to_string())?;
        let remote = Remote::open(self.settings, reference, self.credentials, true)?;
        // Nothing of it may go while it is sent.
        let writing = self.store.writing()?;
        let known = self.known()?;
        for diff_id in image.config.rootfs.diff_ids.iter().rev() {
            self.tell(diff_id, Step::Preparing);
        }
        let pack = Pack::new(self, &writing, &image)?;
        self.layers(&remote, reference, &pack, &known).map_err(translate)?;
        let image = pack.into_image()?;
        let bytes = self.store.blobs().document(&image.manifest_digest)?;
        let config = &image.manifest.config;
        let done = remote.ask(|api| {
            let upload = Upload { api, patience: self.settings.patience, cancelled: self.cancelled };
            upload.blob(&self.store.blobs().read(&config.digest)?, config, None, &|_| ())
        });
        done.map_err(translate)?;
        let tag = reference.tag().map_or_else(|| image.manifest_digest.to_string(), str::to_owned);
        let kind = kind(&image);
        remote.ask(|api| api.put_manifest(&tag, &kind, &bytes)).map_err(translate)?;
        // From now on it is known where it is.
        self.store.tag(&image, &reference.with_digest(image.manifest_digest))?;
        Ok(Pushed { digest: image.manifest_digest, size: bytes.len() as u64 })
    }

    /// Sends the layers, several at once.
    fn layers(&self, remote: &Remote, reference: &Reference, pack: &Pack<'_>, known: &[Known]) -> Result<()> {
        let work = pack.layers();
        for (layer, _) in work.iter().skip(self.settings.uploads) {
            self.tell(&layer.diff_id, Step::Waiting);
        }
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (report, reports) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..self.settings.uploads.min(work.len()) {
                let (report, next, failed, work) = (report.clone(), &next, &failed, &work);
                scope.spawn(move || {
                    while let Some((layer, places)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if failed.load(Ordering::Relaxed) {
                            break;
                        }
                        let tell = |step: Step| self.tell(&layer.diff_id, step);
                        let done = pack.blob(layer, places, &tell, failed).and_then(|blob| {
                            let from = mount::source(reference, &blob.digest, known);
                            remote.ask(|api| {
                                let upload =
                                    Upload { api, patience: self.settings.patience, cancelled: self.cancelled };
                                upload.blob(&self.store.blobs().read(&blob.digest)?, &blob, from.as_deref(), &tell)
                            })
                        });
                        failed.fetch_or(done.is_err(), Ordering::Relaxed);
                        // Who has heard of a failure listens no more.
                        report.send(done.map(tell)).ok();
                    }
                });
            }
            drop(report);
            // All of them are waited for. Of several failures the first is the reason of the others.
            let all: Vec<Result<()>> = reports.iter().collect();
            all.into_iter().collect()
        })
    }

    /// What registries have of ours, as far as the names of our images tell.
    fn known(&self) -> Result<Vec<Known>> {
        let images = self.store.images()?;
        let of = |image: &Image| {
            let blobs: Vec<Digest> = image.manifest.layers.iter().map(|layer| layer.digest).collect();
            let names = image.names.iter().filter(|name| name.digest().is_some()).cloned().collect::<Vec<_>>();
            names.into_iter().map(move |name| Known { name, blobs: blobs.clone() }).collect::<Vec<_>>()
        };
        Ok(images.iter().flat_map(of).collect())
    }

    pub(crate) fn tell(&self, diff_id: &Digest, step: Step) {
        (self.listener)(Event::Layer { id: *diff_id, step });
    }
}

/// What the manifest is, for who asks for it.
fn kind(image: &Image) -> String {
    match &image.manifest.media_type {
        Some(kind) => kind.clone(),
        None if image.target.digest == image.manifest_digest => image.target.media_type.clone(),
        None => media_type::OCI_MANIFEST.to_owned(),
    }
}

/// What the registry's refusals mean for a push.
fn translate(error: Error) -> Error {
    match error {
        Error::Answer { answer, .. } if answer.is("DENIED") => Error::PushDenied(answer),
        error => error,
    }
}
