//! The layers of an image on their way out: those that were made here have yet to be compressed.

use crate::error::{Error, Result};
use crate::progress::Step;
use crate::push::Push;
use layers::manifest::Descriptor;
use layers::store::Writing;
use layers::{Digest, Image, Layer, Reference};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Progress is told so often at most.
const TELL: Duration = Duration::from_millis(100);

/// An image, and which blob goes out for each of its layers.
pub(crate) struct Pack<'a> {
    push: &'a Push<'a>,
    writing: &'a Writing,
    image: &'a Image,
    layers: Vec<Layer>,
    /// The compressed layers that were here before, by diff ID.
    known: BTreeMap<Digest, Descriptor>,
    state: Mutex<State>,
    /// One layer at a time is compressed, on all processors, while others are sent.
    turn: Mutex<()>,
}

struct State {
    /// By the layer's place in the image. None: it has yet to be compressed.
    blobs: Vec<Option<Descriptor>>,
    /// Once there is a blob for every layer.
    packed: Option<Image>,
}

impl<'a> Pack<'a> {
    pub(crate) fn new(push: &'a Push<'a>, writing: &'a Writing, image: &'a Image) -> Result<Self> {
        let layers = image.layers()?;
        // As a registry has it, it stays: its digest is its name.
        let travelled =
            |name: &Reference| [image.manifest_digest, image.target.digest].iter().any(|d| name.digest() == Some(d));
        let as_it_is = image.names.iter().any(travelled);
        // A blob that is what it unpacks to is not compressed.
        let raw = |layer: &Layer| layer.digest == layer.diff_id && !as_it_is;
        let known = if layers.iter().any(raw) { push.store.packed()? } else { BTreeMap::new() };
        let listed = image.manifest.layers.iter();
        let blobs = layers.iter().zip(listed).map(|(layer, blob)| (!raw(layer)).then(|| blob.clone())).collect();
        Ok(Self {
            push,
            writing,
            image,
            layers,
            known,
            state: Mutex::new(State { blobs, packed: None }),
            turn: Mutex::default(),
        })
    }

    /// The layers, each once, with its places in the image.
    pub(crate) fn layers(&self) -> Vec<(&Layer, Vec<usize>)> {
        let mut found: Vec<(&Layer, Vec<usize>)> = Vec::new();
        for (place, layer) in self.layers.iter().enumerate() {
            match found.iter_mut().find(|(known, _)| known.digest == layer.digest) {
                Some((_, places)) => places.push(place),
                None => found.push((layer, vec![place])),
            }
        }
        found
    }

    /// The blob that goes out for a layer. As soon as there is one for each, the store remembers them.
    pub(crate) fn blob(
        &self,
        layer: &Layer,
        places: &[usize],
        tell: &dyn Fn(Step),
        failed: &AtomicBool,
    ) -> Result<Descriptor> {
        if let Some(blob) = places.first().and_then(|place| self.state().blobs[*place].clone()) {
            return Ok(blob);
        }
        let blob = match self.known.get(&layer.diff_id) {
            Some(blob) => blob.clone(),
            None => self.compress(layer, tell, failed)?,
        };
        let mut state = self.state();
        places.iter().for_each(|place| state.blobs[*place] = Some(blob.clone()));
        self.remember(&mut state)?;
        Ok(blob)
    }

    fn compress(&self, layer: &Layer, tell: &dyn Fn(Step), failed: &AtomicBool) -> Result<Descriptor> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let total = self.push.store.blobs().size(&layer.digest).unwrap_or_default();
        let mut last = Instant::now();
        let mut read = |current| {
            if (self.push.cancelled)() || failed.load(Ordering::Relaxed) {
                return Err(io::Error::other("nobody wants it any more"));
            }
            if last.elapsed() > TELL {
                last = Instant::now();
                tell(Step::Compressing { current, total });
            }
            Ok(())
        };
        match self.push.store.pack(self.writing, layer, &mut read) {
            Err(_) if (self.push.cancelled)() => Err(Error::Cancelled),
            packed => Ok(packed?),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, state: &mut State) -> Result<()> {
        if state.blobs.iter().all(Option::is_some) && state.packed.is_none() {
            let blobs: Vec<Descriptor> = state.blobs.iter().flatten().cloned().collect();
            state.packed = Some(match blobs == self.image.manifest.layers {
                true => self.image.clone(),
                false => self.push.store.repack(self.writing, self.image, blobs)?,
            });
        }
        Ok(())
    }

    /// The image as it goes out.
    pub(crate) fn into_image(self) -> Result<Image> {
        let mut state = self.state();
        self.remember(&mut state)?;
        Ok(state.packed.take().unwrap_or_else(|| self.image.clone()))
    }
}
