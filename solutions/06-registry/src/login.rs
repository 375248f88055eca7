//! A user's first visit to a registry.

use crate::connection::Connection;
use crate::credentials::{Credentials, host_of};
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::{HUB, HUB_KEY};

/// Asks the registry whether it knows this user. Returns the token that stands for the password from now on, if the
/// registry gives one.
///
/// # Errors
/// [`Error::Login`], [`Error::Answer`] if it does not; [`Error::Unreachable`].
pub fn login(settings: &Settings, credentials: &Credentials) -> Result<Option<String>> {
    let host = match credentials.serveraddress.as_str() {
        "" | HUB_KEY => HUB,
        address => match host_of(address) {
            "index.docker.io" | "registry-1.docker.io" => HUB,
            host => host,
        },
    };
    let mut unreachable = None;
    for endpoint in settings.endpoints(host).into_iter().filter(|endpoint| !endpoint.mirror) {
        match at(settings, endpoint, credentials) {
            Err(error @ Error::Unreachable { .. }) => unreachable = Some(error),
            answer => return answer,
        }
    }
    Err(unreachable.unwrap_or_else(|| Error::Unsafe(format!("{host:?} is no registry"))))
}

/// The same at this one address.
///
/// # Errors
/// As [`login`].
pub fn at(settings: &Settings, endpoint: Endpoint, credentials: &Credentials) -> Result<Option<String>> {
    Connection::new(settings, endpoint, Some(credentials.clone()))?.login()
}
