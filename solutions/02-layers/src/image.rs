//! The recipe of an image: what to run in it, and of which layers and steps it is made.
//!
//! OCI image-spec, config.md, and the fields that Docker writes besides (`Healthcheck`, `OnBuild`, `Shell`, `comment`…).
//! The digest of this document is the image's ID.

use crate::digest::Digest;
use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The empty JSON object: the values of the sets below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// A set, as Docker writes it: the keys of an object, `{"80/tcp": {}}`.
pub type Keys = BTreeMap<String, Empty>;

/// The whole configuration document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// RFC 3339. Reproducible images leave it out or write 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub author: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub architecture: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub os: String,
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    #[serde(rename = "os.features", default, skip_serializing_if = "Option::is_none")]
    pub os_features: Option<Vec<String>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: Config,
    pub rootfs: RootFs,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Docker's: what `docker commit -m` said.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Docker's: the version that wrote this.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub docker_version: String,
}

/// What a container of this image starts with. Durations are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposed_ports: Option<Keys>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Keys>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    /// The command line is one string that the program splits itself (Windows).
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "std::ops::Not::not")]
    pub args_escaped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_build: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
}

/// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", "…"]`, and its timing in nanoseconds (0 is Docker's default).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Vec<String>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// The layers by diff ID (the digest of each uncompressed tar), lowest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    pub r#type: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { r#type: "layers".to_owned(), diff_ids: Vec::new() }
    }
}

/// One step of how the image came about, oldest first. Steps that only changed the recipe made no layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub author: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

impl ImageConfig {
    /// Reads the document.
    ///
    /// # Errors
    /// [`Error::Document`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |why: String| Error::Document { kind: "image config", why };
        let config: Self = serde_json::from_slice(bytes).map_err(|e| bad(e.to_string()))?;
        if config.rootfs.r#type != "layers" {
            return Err(bad(format!("rootfs.type is {:?}, only \"layers\" is known", config.rootfs.r#type)));
        }
        Ok(config)
    }

    /// The ID of an image with this recipe: the digest of the document.
    #[must_use]
    pub fn id(&self) -> Digest {
        // Maps with string keys and plain numbers: nothing here that JSON cannot say.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Seconds since 1970; 0 where the image does not say.
    #[must_use]
    pub fn created_seconds(&self) -> i64 {
        seconds(self.created.as_deref())
    }
}

/// A time as images write it; None if it is none (the year 10,000).
#[must_use]
pub fn time(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// Seconds since 1970 of a time as images write it. Docker's zero time (the year 1) counts as unsaid.
pub(crate) fn seconds(time: Option<&str>) -> i64 {
    time.and_then(|t| t.parse::<jiff::Timestamp>().ok()).map_or(0, |t| t.as_second().max(0))
}

/// Go writes an empty list, map or string as `null`: read that as empty.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_nulls_are_empty() {
        let json = r#"{"architecture":"amd64","os":"linux","author":null,"created":"0001-01-01T00:00:00Z","history":null,
            "config":{"User":null,"Env":null,"Cmd":["sh"],"Labels":null,"Volumes":null,"ArgsEscaped":true,"Unknown":1},
            "rootfs":{"type":"layers","diff_ids":null}}"#;
        let config = ImageConfig::parse(json.as_bytes()).unwrap();
        assert_eq!((config.config.cmd, config.config.env), (Some(vec!["sh".to_owned()]), None));
        assert!(config.config.args_escaped && config.rootfs.diff_ids.is_empty());
        assert_eq!(config.created.as_deref().map(|c| seconds(Some(c))), Some(0));
    }

    #[test]
    fn what_is_unsaid_is_not_written() {
        let json = serde_json::to_string(&ImageConfig { os: "linux".into(), ..ImageConfig::default() }).unwrap();
        insta::assert_snapshot!(json, @r#"{"architecture":"","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#);
    }
}
