//! Looking at what a registry has, without bringing it here.

use crate::api::Raw;
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::pull::{translate, wanted};
use crate::remote::Remote;
use crate::settings::Settings;
use layers::blob::DOCUMENT_LIMIT;
use layers::manifest::Manifest;
use layers::{Digest, ImageConfig, Reference};

/// A name in a registry.
#[derive(Debug)]
pub struct Look {
    remote: Remote,
    reference: Reference,
}

impl Look {
    /// At this name.
    ///
    /// # Errors
    /// [`Error::File`]: a certificate that cannot be read.
    pub fn at(settings: &Settings, credentials: Option<&Credentials>, reference: &Reference) -> Result<Self> {
        let remote = Remote::open(settings, reference, credentials, false)?;
        Ok(Self { remote, reference: reference.clone() })
    }

    /// What the name stands for now: a manifest, or an index.
    ///
    /// # Errors
    /// In Docker's words.
    pub fn manifest(&self) -> Result<Raw> {
        let wanted = wanted(&self.reference);
        self.remote.ask(|api| api.manifest(&wanted)).map_err(|error| translate(error, &self.reference))
    }

    /// The config of a manifest.
    ///
    /// # Errors
    /// [`Error::Unverified`], or as [`Look::manifest`].
    pub fn config(&self, manifest: &Manifest) -> Result<ImageConfig> {
        let digest = manifest.config.digest;
        let bytes = self.remote.ask(|api| api.blob(&digest, 0)?.bytes(DOCUMENT_LIMIT))?;
        match Digest::of(&bytes) {
            found if found == digest => Ok(ImageConfig::parse(&bytes)?),
            found => Err(Error::Unverified { digest, why: format!("it has {found}") }),
        }
    }
}
