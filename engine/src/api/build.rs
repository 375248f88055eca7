//! What a build is asked for: `POST /build`, and what our own client adds to it.

use super::progress::Event;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `build` and its flags. The classic API spells most of them in its query; our own client sends all of it as one
/// document, `kesako=…`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildOptions {
    /// Names for the image.
    pub tags: Vec<String>,
    /// The Dockerfile, relative to the context; empty is `Dockerfile`.
    pub dockerfile: String,
    /// The Dockerfile itself (`-f -`, or a file outside of the context), with the name that errors show.
    pub dockerfile_text: Option<(String, String)>,
    /// The context, as a folder of this host; else it is the request's body. Only within one process.
    pub context_folder: Option<PathBuf>,
    /// The context, or only a Dockerfile, as what is at this address (http or https).
    pub context_url: Option<String>,
    /// What is ignored of the context, where that does not stand in it: in the `.dockerignore` beside a Dockerfile that
    /// is elsewhere. Instead of the context's own.
    pub ignore_text: Option<String>,
    /// `--build-arg`: a value, or None for one that was named without it and that the client does not have.
    pub build_args: BTreeMap<String, Option<String>>,
    pub target: String,
    pub labels: BTreeMap<String, String>,
    /// Who the user is to registries, by the keys of Docker's file.
    pub registries: BTreeMap<String, registry::Credentials>,
    /// Ask the registry even if the image is here.
    pub pull: bool,
    pub no_cache: bool,
    /// Stages that are not taken from the cache.
    pub no_cache_filter: Vec<String>,
    /// `default`, `none` or `host`; empty is default.
    pub network: String,
    /// `name:address`.
    pub add_hosts: Vec<String>,
    pub platform: String,
    /// `--build-context NAME=…`: a folder of this host (only within one process), `docker-image://…`, or a URL.
    pub contexts: BTreeMap<String, String>,
    pub secrets: Vec<Secret>,
    /// `--ssh`: an id and the agent's socket (or key files). Only within one process.
    pub ssh: Vec<(String, Vec<PathBuf>)>,
    /// What becomes of the result; none: an image of the store.
    pub outputs: Vec<Output>,
    /// Seconds since 1970: the time of all that is written. None: a fixed one, so that two builds of one context are the same image.
    pub source_date_epoch: Option<u64>,
    /// Only tell the warnings; nothing is built.
    pub check: bool,
    /// Build twice, and compare.
    pub verify: bool,
    /// Tell of each step why it was or was not reused.
    pub explain: bool,
    /// If a command fails, keep the state before it as an image, for a shell.
    pub keep_failed: bool,
}

/// `--secret id=…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    pub id: String,
    pub value: Vec<u8>,
}

/// `--output`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// `image`, `docker`, `oci`, `tar` or `local`.
    pub kind: String,
    /// A file or a folder of this host, `-` for standard output; None: an image of the store. Only within one process.
    pub dest: Option<PathBuf>,
}

/// A build's end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Built {
    /// `sha256:…`, if an image was made.
    #[serde(rename = "ID")]
    pub id: String,
}

/// A line of the answer to our own client: one of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// The end of a build that went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built: Option<Built>,
    /// The end of one that did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What `POST /build/prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildsPruned {
    pub caches_deleted: Option<Vec<String>>,
    pub space_reclaimed: u64,
}
