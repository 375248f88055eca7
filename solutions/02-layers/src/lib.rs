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
pub mod attributes;
mod beneath;
pub mod blob;
pub mod compression;
pub mod copy_in;
pub mod copy_out;
pub mod diff;
pub mod digest;
pub mod draft;
mod entry;
mod error;
pub mod feed;
pub mod layers;
mod legacy_overlay;
pub mod overlay;
pub mod pack;
pub mod partial;
mod pax;
mod pipe;
mod place;
mod sparse;
pub mod staging;
mod sys;
pub mod unpack;
mod unsynced;
mod whiteout;

// Names, documents and images.
pub mod archive;
pub mod check;
pub mod commit;
pub mod compare;
pub mod compose;
mod gc;
mod gzip;
pub mod history;
pub mod image;
pub mod import;
mod index_file;
pub mod manifest;
mod packed;
pub mod pins;
pub mod reference;
pub mod remove;
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
