//! What takes how much room: `GET /system/df`.

use super::{ContainerSummary, ImageSummary, Volume};
use serde::{Deserialize, Serialize};

/// All of it; a kind that was not asked for is `null`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DiskUsage {
    /// Bytes of the layers of all images, each counted once.
    pub layers_size: i64,
    pub images: Option<Vec<ImageSummary>>,
    pub containers: Option<Vec<ContainerSummary>>,
    pub volumes: Option<Vec<Volume>>,
    pub build_cache: Option<Vec<BuildCacheRecord>>,
}

/// How much is in a volume, and how many containers have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeUsage {
    /// -1: not counted.
    pub ref_count: i64,
    /// Bytes; -1: not counted.
    pub size: i64,
}

/// Something that builds keep for those that come later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildCacheRecord {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parent: String,
    /// `regular`, `exec.cachemount`.
    pub r#type: String,
    pub description: String,
    pub in_use: bool,
    /// An image has it, too.
    pub shared: bool,
    pub size: i64,
    pub created_at: String,
    pub last_used_at: Option<String>,
    pub usage_count: i64,
}
