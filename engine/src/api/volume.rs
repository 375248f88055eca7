//! Volumes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use volumes::request::{BindOptions, DriverConfig, MountRequest, TmpfsOptions, VolumeOptions};

/// `GET /volumes/{name}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    /// RFC 3339.
    pub created_at: String,
    pub driver: String,
    pub labels: Option<BTreeMap<String, String>>,
    /// Where its data is on the host.
    pub mountpoint: String,
    pub name: String,
    pub options: Option<BTreeMap<String, String>>,
    pub scope: String,
    /// In `system df` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_data: Option<super::VolumeUsage>,
}

/// `GET /volumes`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeList {
    pub volumes: Vec<Volume>,
    pub warnings: Option<Vec<String>>,
}

/// `POST /volumes/create`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeCreate {
    /// Empty for one without a name.
    pub name: String,
    pub driver: String,
    pub driver_opts: Option<BTreeMap<String, String>>,
    pub labels: Option<BTreeMap<String, String>>,
}

/// What `POST /volumes/prune` removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumesPruned {
    pub volumes_deleted: Vec<String>,
    pub space_reclaimed: u64,
}
