//! What services share.

use crate::tree::At;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    #[serde(skip)]
    pub hash: String,
    /// Where it is written.
    #[serde(skip)]
    pub at: Option<At>,
    /// What the engine calls it: `project_key`, unless it was told.
    pub name: String,
    pub driver: String,
    pub driver_opts: BTreeMap<String, String>,
    pub ipam: Ipam,
    /// It is there already, and is not the project's.
    pub external: bool,
    pub internal: bool,
    pub attachable: bool,
    pub labels: BTreeMap<String, String>,
    pub enable_ipv4: Option<bool>,
    pub enable_ipv6: Option<bool>,
}

/// How a network hands out addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ipam {
    pub driver: String,
    pub config: Vec<Pool>,
    pub options: BTreeMap<String, String>,
}

/// A subnet of a network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pool {
    pub subnet: String,
    pub gateway: String,
    pub ip_range: String,
    pub aux_addresses: BTreeMap<String, String>,
}

/// A volume.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Volume {
    #[serde(skip)]
    pub hash: String,
    /// Where it is written.
    #[serde(skip)]
    pub at: Option<At>,
    /// What the engine calls it: `project_key`, unless it was told.
    pub name: String,
    pub driver: String,
    pub driver_opts: BTreeMap<String, String>,
    /// It is there already, and is not the project's.
    pub external: bool,
    pub labels: BTreeMap<String, String>,
}

/// A secret or config, which is a file to the containers that are given it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileObject {
    pub name: String,
    /// A file of the host;
    pub file: String,
    /// or the value of a variable;
    pub environment: String,
    /// or what is written here (configs only).
    pub content: String,
    pub external: bool,
    pub labels: BTreeMap<String, String>,
    pub driver: String,
    pub driver_opts: BTreeMap<String, String>,
    pub template_driver: String,
}
