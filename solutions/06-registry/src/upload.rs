//! Sending a blob to a registry: not at all if it is there, in pieces if it is large, and on from where the registry
//! stopped hearing us.

use crate::api::{Api, Begun};
use crate::connection::Sent;
use crate::error::{Error, Result};
use crate::progress::{Cancelled, Step};
use crate::range::next_chunk;
use layers::manifest::Descriptor;
use std::fs::File;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

/// A layer is sent in pieces of so many bytes: so much is lost, at most, if the connection breaks.
const CHUNK: u64 = 64 << 20;
const RETRIES: u32 = 5;
/// Progress is told so often at most.
const TELL: Duration = Duration::from_millis(100);

/// Sends blobs.
pub(crate) struct Upload<'a> {
    pub api: &'a Api<'a>,
    pub patience: Duration,
    pub cancelled: Cancelled<'a>,
}

impl Upload<'_> {
    /// Brings a blob to the registry, by the shortest way: another repository has it (`mount`), it is there, or it is
    /// sent.
    pub(crate) fn blob(
        &self,
        file: &File,
        blob: &Descriptor,
        mount: Option<&str>,
        tell: &(dyn Fn(Step) + Sync),
    ) -> Result<Step> {
        if let Some(from) = mount {
            match self.api.begin_upload(Some((&blob.digest, from))) {
                Ok(Begun::Mounted) => return Ok(Step::MountedFrom(from.to_owned())),
                // It is not there any more.
                Ok(Begun::Upload(location)) => return self.send(file, blob, location, tell),
                // Where it may not be read, it is sent.
                Err(Error::Answer { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if self.api.has_blob(&blob.digest)? {
            return Ok(Step::LayerAlreadyExists);
        }
        match self.api.begin_upload(None)? {
            Begun::Upload(location) => self.send(file, blob, location, tell),
            Begun::Mounted => Ok(Step::LayerAlreadyExists),
        }
    }

    fn send(&self, file: &File, blob: &Descriptor, mut location: String, tell: &(dyn Fn(Step) + Sync)) -> Result<Step> {
        let (mut received, mut failures) = (0, 0);
        let last = Mutex::new(Instant::now());
        let sent = |current: u64| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() > TELL || current >= blob.size {
                *last = Instant::now();
                tell(Step::Pushing { current, total: blob.size });
            }
        };
        while let Some(chunk) = next_chunk(received, blob.size, CHUNK) {
            if (self.cancelled)() {
                return Err(Error::Cancelled);
            }
            let whole = chunk == (0..blob.size);
            match self.api.send_chunk(&location, file, &chunk, whole, &Sent(&sent)) {
                Ok((next, now)) if now > received && now <= blob.size => {
                    (location, received, failures) = (next, now, 0)
                }
                Ok((_, now)) => {
                    let why = format!("it was sent the bytes from {received} on, and says that it has {now}");
                    return Err(Error::Nonsense { url: location, why });
                }
                Err(error) if error.is_passing() && failures < RETRIES => {
                    failures += 1;
                    tracing::info!("{}: {error}; trying again", blob.digest.short());
                    thread::sleep(self.patience * 2u32.saturating_pow(failures - 1));
                    match self.api.upload_state(&location) {
                        Ok(Some((next, now))) => (location, received) = (next, now.min(blob.size)),
                        // It has forgotten all of it.
                        Ok(None) => match self.api.begin_upload(None)? {
                            Begun::Upload(next) => (location, received) = (next, 0),
                            Begun::Mounted => return Ok(Step::Pushed),
                        },
                        Err(error) if error.is_passing() => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.api.end_upload(&location, &blob.digest)?;
        Ok(Step::Pushed)
    }
}
