// Chapter 2, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 2` says what is to be done, `cargo workshop use 2 mine` has the runtime run on it.

//! Chapter 2: an image is a stack of filesystem layers and a recipe.
//!
//! An image travels as *blobs*: a manifest (JSON) that names a config (JSON, the recipe) and a list of layers (tar
//! archives, mostly compressed). Each is named by the digest of its bytes, so whoever holds the manifest's digest can
//! verify all of it. This crate keeps the blobs in an OCI image layout ([`blob`], [`store`]), unpacks each layer once
//! into a folder of its own ([`unpack`]), stacks the folders with overlayfs ([`overlay`]), and goes the way back: what
//! a container wrote becomes a new layer ([`diff`]), and with a recipe a new image ([`commit`]).
//!
//! ```text
//!   reference ──▶ store ──▶ manifest ──▶ blobs ──▶ compression ──▶ entry ──▶ unpack ──▶ layers/<chain id>/fs
//!                                                                                           │
//!   new image ◀── commit ◀── diff ◀── the folder a container wrote to ◀── overlay ◀─────────┘
//! ```
//!
//! Nothing here trusts an archive: every path is resolved beneath its root by file descriptor (`beneath`).

// Bytes and folders.
#[path = "../../../solutions/02-layers/src/attributes.rs"]
pub mod attributes;
#[path = "../../../solutions/02-layers/src/beneath.rs"]
mod beneath;
pub mod blob;
#[path = "../../../solutions/02-layers/src/compression.rs"]
pub mod compression;
#[path = "../../../solutions/02-layers/src/copy_in.rs"]
pub mod copy_in;
#[path = "../../../solutions/02-layers/src/copy_out.rs"]
pub mod copy_out;
pub mod diff;
pub mod digest;
#[path = "../../../solutions/02-layers/src/draft.rs"]
pub mod draft;
#[path = "../../../solutions/02-layers/src/entry.rs"]
mod entry;
#[path = "../../../solutions/02-layers/src/error.rs"]
mod error;
#[path = "../../../solutions/02-layers/src/feed.rs"]
pub mod feed;
#[path = "../../../solutions/02-layers/src/layers.rs"]
pub mod layers;
#[path = "../../../solutions/02-layers/src/legacy_overlay.rs"]
mod legacy_overlay;
pub mod overlay;
#[path = "../../../solutions/02-layers/src/pack.rs"]
pub mod pack;
#[path = "../../../solutions/02-layers/src/partial.rs"]
pub mod partial;
#[path = "../../../solutions/02-layers/src/pax.rs"]
mod pax;
#[path = "../../../solutions/02-layers/src/pipe.rs"]
mod pipe;
#[path = "../../../solutions/02-layers/src/place.rs"]
mod place;
#[path = "../../../solutions/02-layers/src/sparse.rs"]
mod sparse;
#[path = "../../../solutions/02-layers/src/staging.rs"]
pub mod staging;
#[path = "../../../solutions/02-layers/src/sys.rs"]
mod sys;
#[path = "../../../solutions/02-layers/src/unpack.rs"]
pub mod unpack;
#[path = "../../../solutions/02-layers/src/unsynced.rs"]
mod unsynced;
mod whiteout;

// Names, documents and images.
#[path = "../../../solutions/02-layers/src/archive/mod.rs"]
pub mod archive;
#[path = "../../../solutions/02-layers/src/check/mod.rs"]
pub mod check;
#[path = "../../../solutions/02-layers/src/commit.rs"]
pub mod commit;
#[path = "../../../solutions/02-layers/src/compare.rs"]
pub mod compare;
#[path = "../../../solutions/02-layers/src/compose.rs"]
pub mod compose;
#[path = "../../../solutions/02-layers/src/gc.rs"]
mod gc;
#[path = "../../../solutions/02-layers/src/gzip.rs"]
mod gzip;
#[path = "../../../solutions/02-layers/src/history.rs"]
pub mod history;
#[path = "../../../solutions/02-layers/src/image.rs"]
pub mod image;
#[path = "../../../solutions/02-layers/src/import.rs"]
pub mod import;
#[path = "../../../solutions/02-layers/src/index_file.rs"]
mod index_file;
#[path = "../../../solutions/02-layers/src/manifest.rs"]
pub mod manifest;
#[path = "../../../solutions/02-layers/src/packed.rs"]
mod packed;
#[path = "../../../solutions/02-layers/src/pins.rs"]
pub mod pins;
pub mod reference;
#[path = "../../../solutions/02-layers/src/remove.rs"]
pub mod remove;
#[path = "../../../solutions/02-layers/src/store.rs"]
pub mod store;

#[cfg(test)]
#[path = "../../../tests/support/not_run.rs"]
mod not_run;

pub use blob::Blobs;
pub use digest::Digest;
pub use draft::{Draft, Made};
pub use error::{Error, Fault, Malformed, Refusal, Result};
pub use feed::Feed;
pub use image::ImageConfig;
pub use layers::{Layer, Layers};
pub use partial::Partial;
pub use pins::{Pin, Pins};
pub use reference::Reference;
pub use staging::Claim;
pub use store::{Image, Store};

/// Whose chapter this is: `solution-2` the reference, `chapter-2` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");
