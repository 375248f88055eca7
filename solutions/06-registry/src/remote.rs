//! A repository of a registry, wherever it is found: at a mirror, or at the registry itself.

use crate::api::Api;
use crate::connection::Connection;
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::settings::Settings;
use layers::Reference;
use std::sync::OnceLock;

/// A repository.
#[derive(Debug)]
pub struct Remote {
    path: String,
    connections: Vec<Connection>,
    /// Which of them answered first: it is asked from then on.
    chosen: OnceLock<usize>,
}

impl Remote {
    /// The repository of this reference. One that is to be written to is not looked for at mirrors.
    ///
    /// # Errors
    /// [`Error::File`]: a certificate that cannot be read.
    pub fn open(
        settings: &Settings,
        reference: &Reference,
        credentials: Option<&Credentials>,
        write: bool,
    ) -> Result<Self> {
        let endpoints = settings.endpoints(reference.domain()).into_iter();
        let connections = endpoints
            .filter(|endpoint| !(write && endpoint.mirror))
            .map(|endpoint| Connection::new(settings, endpoint, credentials.cloned()))
            .collect::<Result<_>>()?;
        Ok(Self { path: reference.path().to_owned(), connections, chosen: OnceLock::new() })
    }

    /// A repository at this one address.
    ///
    /// # Errors
    /// As [`Remote::open`].
    pub(crate) fn at(
        settings: &Settings,
        address: &str,
        path: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Self> {
        let connection = Connection::new(settings, settings.endpoint(address), credentials.cloned())?;
        Ok(Self { path: path.to_owned(), connections: vec![connection], chosen: OnceLock::new() })
    }

    /// Asks the addresses one after the other, until one gives a good answer. A mirror may fail in any way. Plain HTTP
    /// is tried only where HTTPS got no answer at all, and not any more once one has answered.
    pub(crate) fn ask<T>(&self, mut work: impl FnMut(&Api<'_>) -> Result<T>) -> Result<T> {
        let first = self.chosen.get().copied();
        let mut failure = None;
        for (index, connection) in self.connections.iter().enumerate().skip(first.unwrap_or(0)) {
            match work(&Api { connection, path: &self.path }) {
                Ok(answer) => {
                    // Somebody else may have chosen in the meantime; that is as good.
                    self.chosen.get_or_init(|| index);
                    return Ok(answer);
                }
                Err(error) => {
                    let ours = matches!(error, Error::Cancelled | Error::Io { .. } | Error::Layers(_));
                    let unreachable = matches!(error, Error::Unreachable { .. }) && first.is_none();
                    if ours || !(connection.endpoint.mirror || unreachable) {
                        return Err(error);
                    }
                    tracing::info!("{}: {error}", connection.endpoint.base);
                    failure = Some(error);
                }
            }
        }
        Err(failure.unwrap_or_else(|| Error::Unsafe("this registry has no address".to_owned())))
    }
}
