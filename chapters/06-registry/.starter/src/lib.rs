// Chapter 6, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 6` says what is to be done, `cargo workshop use 6 mine` has the runtime run on it.

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

#[path = "../../../solutions/06-registry/src/api.rs"]
pub mod api;
pub mod challenge;
#[path = "../../../solutions/06-registry/src/choice.rs"]
pub mod choice;
#[path = "../../../solutions/06-registry/src/connection.rs"]
mod connection;
#[path = "../../../solutions/06-registry/src/credentials/mod.rs"]
pub mod credentials;
mod endpoint;
#[path = "../../../solutions/06-registry/src/error.rs"]
mod error;
#[path = "../../../solutions/06-registry/src/fetch.rs"]
mod fetch;
#[path = "../../../solutions/06-registry/src/helper.rs"]
mod helper;
#[path = "../../../solutions/06-registry/src/login.rs"]
pub mod login;
#[path = "../../../solutions/06-registry/src/look.rs"]
pub mod look;
pub mod mount;
#[path = "../../../solutions/06-registry/src/pack.rs"]
mod pack;
#[path = "../../../solutions/06-registry/src/pipeline.rs"]
mod pipeline;
#[path = "../../../solutions/06-registry/src/progress.rs"]
pub mod progress;
#[path = "../../../solutions/06-registry/src/pull.rs"]
pub mod pull;
#[path = "../../../solutions/06-registry/src/push.rs"]
pub mod push;
#[path = "../../../solutions/06-registry/src/query.rs"]
mod query;
pub mod range;
pub mod redirect;
#[path = "../../../solutions/06-registry/src/remote.rs"]
mod remote;
pub mod server;
#[path = "../../../solutions/06-registry/src/settings.rs"]
pub mod settings;
#[path = "../../../solutions/06-registry/src/tls/mod.rs"]
mod tls;
#[path = "../../../solutions/06-registry/src/token.rs"]
mod token;
#[path = "../../../solutions/06-registry/src/unanswered.rs"]
mod unanswered;
#[path = "../../../solutions/06-registry/src/upload.rs"]
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
