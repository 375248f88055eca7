//! What ties an image together: a *descriptor* points at a blob by digest, a *manifest* lists the config and the layers,
//! an *index* lists the manifests of one image for several platforms.
//!
//! Docker's older formats ("schema 2") have the same shape under other media types, so one set of types reads both.
//! They are for reading: a manifest that came from elsewhere is kept, and passed on, byte for byte, for its digest is
//! its name. OCI image-spec, descriptor.md, manifest.md, image-index.md.

use crate::digest::Digest;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Media types: OCI's, and Docker's for the same things.
pub mod media_type {
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// Lists manifests.
    #[must_use]
    pub fn is_index(media_type: &str) -> bool {
        matches!(media_type, OCI_INDEX | DOCKER_LIST)
    }

    /// Lists layers.
    #[must_use]
    pub fn is_manifest(media_type: &str) -> bool {
        matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
    }
}

/// A pointer to a blob: its type, its name, its size in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
    #[serde(default, deserialize_with = "crate::image::null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

impl Descriptor {
    /// A bare pointer.
    #[must_use]
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: None,
            annotations: BTreeMap::new(),
            platform: None,
            artifact_type: None,
        }
    }
}

/// What a binary runs on, in Go's words: `linux`/`amd64`, `linux`/`arm`/`v7`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    pub architecture: String,
    pub os: String,
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    #[serde(rename = "os.features", default, skip_serializing_if = "Option::is_none")]
    pub os_features: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// `linux/arm/v7`. Every arm64 is a v8, so that is not said.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            Some(variant) if (self.architecture.as_str(), variant) != ("arm64", "v8") => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

impl Platform {
    /// This machine's.
    #[must_use]
    pub fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "x86" => ("386", None),
            "aarch64" => ("arm64", Some("v8")),
            "arm" => ("arm", Some("v7")),
            "powerpc64" => ("ppc64le", None),
            other => (other, None),
        };
        Self {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            variant: variant.map(str::to_owned),
            ..Self::default()
        }
    }

    /// Parses `linux/arm64`, `linux/arm/v7`, or an architecture alone.
    ///
    /// # Errors
    /// [`Error::Platform`].
    pub fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let bad =
            parts.iter().any(|p| p.is_empty() || !p.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
        let (os, architecture, variant) = match parts.as_slice() {
            _ if bad => return Err(Error::Platform(text.to_owned())),
            ["linux"] => return Ok(Self::host()),
            [architecture] => ("linux", *architecture, None),
            [os, architecture] => (*os, *architecture, None),
            [os, architecture, variant] => (*os, *architecture, Some(*variant)),
            _ => return Err(Error::Platform(text.to_owned())),
        };
        // The names that the kernel's own tools use.
        let (architecture, variant) = match (architecture, variant) {
            ("x86_64" | "x86-64", v) => ("amd64", v),
            ("aarch64", v) => ("arm64", v),
            ("armhf", None) => ("arm", Some("v7")),
            ("armel", None) => ("arm", Some("v6")),
            other => other,
        };
        Ok(Self {
            architecture: architecture.to_owned(),
            os: os.to_owned(),
            variant: variant.map(str::to_owned),
            ..Self::default()
        })
    }

    /// How well an image for `self` runs on `host`: None is not at all, a smaller number is better.
    fn distance(&self, host: &Self) -> Option<u32> {
        if self.os != host.os || self.architecture != host.architecture {
            return None;
        }
        // An arm v7 runs v6 and v5 too; an arm64 without a variant is a v8; amd64 has v2, v3… above the plain one.
        let default: u32 = if self.architecture == "amd64" { 1 } else { 8 };
        let level = |p: &Self| match p.variant.as_deref().and_then(|v| v.strip_prefix('v')?.parse().ok()) {
            Some(level) => level,
            None if p.architecture == "arm" => 7,
            None => default,
        };
        level(host).checked_sub(level(self))
    }
}

/// One image for several platforms. Also the `index.json` of an OCI layout, where each descriptor is an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, deserialize_with = "crate::image::null_is_default")]
    pub manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Default for Index {
    fn default() -> Self {
        let media_type = Some(media_type::OCI_INDEX.to_owned());
        Self { schema_version: 2, media_type, manifests: Vec::new(), annotations: None }
    }
}

impl Index {
    /// The descriptors that could run on `host`, best first. One without a platform comes last; build attestations
    /// (`unknown/unknown`) never.
    #[must_use]
    pub fn for_platform(&self, host: &Platform) -> Vec<&Descriptor> {
        let mut found: Vec<_> = (self.manifests.iter())
            .filter_map(|d| match &d.platform {
                Some(platform) => Some((platform.distance(host)?, d)),
                None => Some((u32::MAX, d)),
            })
            .collect();
        found.sort_by_key(|(distance, _)| *distance);
        found.into_iter().map(|(_, d)| d).collect()
    }
}

/// One image for one platform: the recipe (config) and the layers, lowest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub config: Descriptor,
    #[serde(default, deserialize_with = "crate::image::null_is_default")]
    pub layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// An OCI manifest of these blobs.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        let media_type = Some(media_type::OCI_MANIFEST.to_owned());
        Self { schema_version: 2, media_type, config, layers, annotations: None }
    }
}

/// What a descriptor in an index may point at. A blob says itself what it is (`mediaType`), and must not say something
/// else than who points at it: a blob that is a manifest to one reader and an index to another hides what it contains
/// (CVE-2021-41190).
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    Index(Index),
    Manifest(Box<Manifest>),
}

impl Document {
    /// Reads a manifest or an index.
    ///
    /// # Errors
    /// [`Error::Document`]: not JSON, of another kind than `media_type` says, or both kinds at once.
    pub fn parse(bytes: &[u8], media_type: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            schema_version: Option<u32>,
            media_type: Option<String>,
            config: Option<serde::de::IgnoredAny>,
            layers: Option<serde::de::IgnoredAny>,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let bad = |why: String| Error::Document { kind: "manifest", why };
        let json = |e: serde_json::Error| bad(e.to_string());
        let shape: Shape = serde_json::from_slice(bytes).map_err(json)?;
        if shape.schema_version != Some(2) {
            return Err(bad(format!(
                "schemaVersion is {:?}, only 2 is known",
                shape.schema_version.unwrap_or_default()
            )));
        }
        if shape.media_type.as_deref().is_some_and(|own| own != media_type) {
            return Err(bad(format!("it calls itself {}, not {media_type}", shape.media_type.unwrap_or_default())));
        }
        if shape.manifests.is_some() && (shape.config.is_some() || shape.layers.is_some()) {
            return Err(bad("it has both manifests and layers".to_owned()));
        }
        if media_type::is_index(media_type) {
            serde_json::from_slice(bytes).map(Self::Index).map_err(json)
        } else if media_type::is_manifest(media_type) {
            serde_json::from_slice(bytes).map(|m| Self::Manifest(Box::new(m))).map_err(json)
        } else {
            Err(bad(format!("media type {media_type} is neither a manifest's nor an index's")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(digit: char, platform: Option<&str>) -> Descriptor {
        let digest = format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap();
        let platform = platform.map(|p| Platform::parse(p).unwrap());
        Descriptor { platform, ..Descriptor::new(media_type::OCI_MANIFEST, digest, 1) }
    }

    fn choice(platforms: &[Option<&str>], host: &str) -> Vec<char> {
        let manifests = platforms.iter().enumerate().map(|(i, p)| descriptor(char::from(b'0' + i as u8), *p)).collect();
        let index = Index { manifests, ..Index::default() };
        let chosen = index.for_platform(&Platform::parse(host).unwrap());
        chosen.iter().map(|d| d.digest.to_string().chars().last().unwrap()).collect()
    }

    #[test]
    fn a_platform_is_written_as_it_is_read() {
        for text in ["linux/amd64", "linux/arm/v7", "linux/arm64", "windows/amd64"] {
            assert_eq!(Platform::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Platform::parse("linux/arm64/v8").unwrap().to_string(), "linux/arm64");
    }

    #[test]
    fn the_best_platform_comes_first() {
        let arm = [
            Some("linux/arm/v5"),
            Some("linux/arm/v7"),
            Some("linux/arm/v6"),
            Some("linux/arm/v8"),
            Some("linux/amd64"),
        ];
        assert_eq!(choice(&arm, "linux/arm/v7"), ['1', '2', '0'], "an older variant runs, a newer does not");
        assert_eq!(choice(&[Some("linux/arm64"), Some("linux/arm64/v8")], "linux/arm64"), ['0', '1']);
        assert_eq!(choice(&[None, Some("linux/amd64"), Some("unknown/unknown")], "linux/amd64"), ['1', '0']);
        assert_eq!(choice(&[Some("linux/amd64/v3"), Some("linux/amd64")], "linux/amd64"), ['1']);
    }

    #[test]
    fn platforms_are_written_as_docker_writes_them() {
        assert_eq!(Platform::parse("linux/x86_64").unwrap().architecture, "amd64");
        assert_eq!(Platform::parse("aarch64").unwrap().os, "linux");
        for bad in ["", "/", "linux/", "linux/arm/v7/x", "li nux/arm"] {
            assert!(Platform::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_document_is_one_thing_only() {
        let parse =
            |json: &str, media_type| Document::parse(json.as_bytes(), media_type).map(|_| ()).unwrap_err().to_string();
        let config = r#""config":{"mediaType":"x","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":1}"#;
        insta::assert_snapshot!(
            [
                parse("{", media_type::OCI_MANIFEST),
                parse(r#"{"schemaVersion":1}"#, media_type::OCI_MANIFEST),
                parse(&format!(r#"{{"schemaVersion":2,{config},"manifests":[]}}"#), media_type::OCI_MANIFEST),
                parse(
                    &format!(r#"{{"schemaVersion":2,"mediaType":"{}"}}"#, media_type::OCI_INDEX),
                    media_type::OCI_MANIFEST
                ),
                parse(r#"{"schemaVersion":2}"#, media_type::OCI_LAYER),
                parse(r#"{"schemaVersion":2}"#, media_type::DOCKER_MANIFEST),
            ]
            .join("\n")
        );
    }
}
