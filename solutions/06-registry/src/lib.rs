//! Chapter 6: images travel.
//!
//! A registry is a web server for blobs and manifests, and all of its protocol is HTTP (OCI distribution-spec): a
//! manifest is asked for by tag or digest, each blob by its digest, and what is pushed goes the other way, blobs first.
//! Nothing that comes from it is believed: a blob is what its digest says, or it is refused.
//!
//! ```text
//!   reference ──▶ settings ──▶ endpoints: mirrors first, then the registry itself
//!                                 │
//!   credentials ──▶ challenge ──▶ token ──▶ connection ──▶ api: manifests, blobs, uploads
//!                                                           │
//!                              layers::Store ◀── pull ◀─────┴─────▶ push ◀── layers::Store
//! ```
//!
//! This is plain blocking code: the layers of an image are fetched by a few threads.
#![forbid(unsafe_code)]

pub mod api;
pub mod challenge;
pub mod choice;
mod connection;
pub mod credentials;
mod endpoint;
mod error;
mod fetch;
mod helper;
pub mod login;
pub mod look;
pub mod mount;
mod pack;
mod pipeline;
pub mod progress;
pub mod pull;
pub mod push;
mod query;
pub mod range;
pub mod redirect;
mod remote;
pub mod server;
pub mod settings;
mod tls;
mod token;
mod unanswered;
mod upload;

pub use credentials::Credentials;
pub use endpoint::Endpoint;
pub use error::{Error, Result};
pub use layers::Reference;
pub use remote::Remote;
pub use settings::Settings;

/// Whose chapter this is: `solution-6` the reference, `chapter-6` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");

/// Docker Hub's name in references, the host of its API, and the key of its credentials.
pub const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";
const HUB_KEY: &str = "https://index.docker.io/v1/";
