//! Images on the road: several of them in one tar.
//!
//! Two formats are in use, and one archive can be both at once, as `docker save` makes it since version 25:
//! * *docker-archive*: `manifest.json` lists for each image its config, its layers and its names; before it (Docker 1.9)
//!   a file `repositories` led to a chain of folders.
//! * *OCI layout*: `oci-layout`, `index.json` and `blobs/sha256/…`, exactly as our own store.

mod legacy;
mod load;
mod save;

pub use load::{Loaded, load};
pub use save::{Format, save, write};

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// One image in `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// `oci-layout`'s only content.
const OCI_LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// The bytes behind whatever compression the first ones show.
pub(crate) fn inflate<'a>(from: &'a mut (dyn Read + Send)) -> Result<Box<dyn Read + Send + 'a>> {
    const MAGIC: u64 = 8;
    // A pipe may hand over less at first than it takes to tell.
    let mut first = Vec::new();
    Read::take(&mut *from, MAGIC).read_to_end(&mut first).map_err(Error::Stream)?;
    let whole = std::io::Cursor::new(first).chain(from);
    Ok(Box::new(crate::compression::decompress(whole, "").map_err(Error::Stream)?))
}
