//! Who we are to a registry.

mod file;

pub use file::File;

use crate::error::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use layers::Reference;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A user of a registry, as the Engine API has it: `POST /auth`, and base64 in the header `X-Registry-Auth`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credentials {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// `user:password` in base64, as it stands in Docker's file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub serveraddress: String,
    /// Stands for user and password; the registry gave it at the login.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identitytoken: String,
    /// To be shown to the registry as it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registrytoken: String,
}

/// What is secret stays so.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("serveraddress", &self.serveraddress)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads `X-Registry-Auth`. None: it names nobody.
    ///
    /// # Errors
    /// [`Error::Unsafe`]: it is no base64, or no JSON.
    pub fn from_header(header: &str) -> Result<Option<Self>> {
        let found: Self = decode(header)?;
        Ok(Some(found).filter(|found| *found != Self::default()))
    }

    /// For `X-Registry-Auth`.
    #[must_use]
    pub fn to_header(&self) -> String {
        // Strings only: this cannot fail.
        URL_SAFE.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(crate) fn user(&self) -> &str {
        &self.username
    }

    pub(crate) fn identity_token(&self) -> Option<&str> {
        Some(self.identitytoken.as_str()).filter(|token| !token.is_empty())
    }

    pub(crate) fn registry_token(&self) -> Option<&str> {
        Some(self.registrytoken.as_str()).filter(|token| !token.is_empty())
    }

    /// `Basic dXNlcjpwYXNz` (RFC 7617).
    pub(crate) fn basic(&self) -> Option<String> {
        match (self.username.as_str(), self.auth.as_str()) {
            ("", "") => None,
            ("", auth) => Some(format!("Basic {auth}")),
            (user, _) => Some(format!("Basic {}", STANDARD.encode(format!("{user}:{}", self.password)))),
        }
    }
}

/// Reads a document in base64, of any of the kinds that clients send.
///
/// # Errors
/// [`Error::Unsafe`].
pub fn decode<T: serde::de::DeserializeOwned>(header: &str) -> Result<T> {
    let bad = |why: String| Error::Unsafe(format!("invalid X-Registry-Auth header: {why}"));
    let plain = header.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let bytes = URL_SAFE_NO_PAD.decode(plain).map_err(|error| bad(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))
}

/// A document in base64, for a header.
#[must_use]
pub fn encode(document: &impl Serialize) -> String {
    URL_SAFE.encode(serde_json::to_vec(document).unwrap_or_default())
}

/// Under which key the credentials for a reference's registry are kept.
#[must_use]
pub fn key(reference: &Reference) -> &str {
    key_of_host(reference.domain())
}

/// Under which key the credentials for a registry are kept: its host, but for Docker Hub the address of its first
/// version.
#[must_use]
pub fn key_of_host(host: &str) -> &str {
    match host {
        crate::HUB | "index.docker.io" | crate::HUB_API => crate::HUB_KEY,
        host => host,
    }
}

/// `https://host:5000/v1/` → `host:5000`: how old clients wrote keys.
#[must_use]
pub fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}
