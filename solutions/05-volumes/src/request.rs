//! A mount as it is asked for: the `Mount` of the Docker Engine API, field by field. `--mount` makes one, `-v` too, and
//! every client of the API may send one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What shall be seen where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MountRequest {
    /// `bind`, `volume` or `tmpfs`.
    pub r#type: String,
    /// A path of the host, or the name of a volume. An empty name asks for a volume without one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// A path of the container.
    pub target: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// `consistent`, `cached`, `delegated`: how stale a virtual machine's view of its host's files may be. On Linux there is
    /// one view, and it is consistent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consistency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_options: Option<BindOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_options: Option<VolumeOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<TmpfsOptions>,
}

/// What only a bind mount has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BindOptions {
    /// See [`Propagation`](crate::Propagation); empty is `rprivate`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// Without what is mounted beneath the source.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub non_recursive: bool,
    /// Make the source, as a folder, where it is missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_mountpoint: bool,
    /// Read-only, but not what is mounted beneath.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only_non_recursive: bool,
    /// Read-only with all that is mounted beneath, or not at all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only_force_recursive: bool,
}

/// What only a volume has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeOptions {
    /// Leave a new volume empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_copy: bool,
    /// Of the volume, if it is made now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Show this folder or file of the volume only.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_config: Option<DriverConfig>,
}

/// How the volume is made, if it is made now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DriverConfig {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<BTreeMap<String, String>>,
}

/// What only a tmpfs has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TmpfsOptions {
    /// 0 is no limit but the kernel's own, half of the memory.
    #[serde(skip_serializing_if = "is_zero")]
    pub size_bytes: i64,
    /// 0 is 1777.
    #[serde(skip_serializing_if = "is_zero")]
    pub mode: u32,
    /// `["exec"]`, `["noexec"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<Vec<String>>>,
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

impl MountRequest {
    pub(crate) fn bind_options_mut(&mut self) -> &mut BindOptions {
        self.bind_options.get_or_insert_default()
    }

    pub(crate) fn volume_options_mut(&mut self) -> &mut VolumeOptions {
        self.volume_options.get_or_insert_default()
    }

    pub(crate) fn tmpfs_options_mut(&mut self) -> &mut TmpfsOptions {
        self.tmpfs_options.get_or_insert_default()
    }

    pub(crate) fn driver_mut(&mut self) -> &mut DriverConfig {
        self.volume_options_mut().driver_config.get_or_insert_default()
    }
}
