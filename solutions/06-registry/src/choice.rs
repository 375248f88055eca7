//! An image for several platforms is an index of manifests, and one of them is for us.

use crate::error::{Error, Result};
use layers::manifest::{Descriptor, Index, Platform};

/// The manifest of an index that is for `wanted`, or the best that can run there (an arm v7 runs what was made for v6).
///
/// # Errors
/// [`Error::NoPlatform`].
pub fn choose<'i>(index: &'i Index, wanted: &Platform) -> Result<&'i Descriptor> {
    index.for_platform(wanted).into_iter().next().ok_or_else(|| Error::NoPlatform(told(wanted)))
}

/// As Docker tells a platform: an arm64 is a v8.
fn told(platform: &Platform) -> String {
    match (platform.architecture.as_str(), &platform.variant) {
        ("arm64", None) => format!("{platform}/v8"),
        ("arm64", Some(variant)) => format!("linux/arm64/{variant}"),
        _ => platform.to_string(),
    }
}
