//! A registry: the other end of the distribution specification (1.1), and a mirror of another registry.
//!
//! ```text
//!   connection (TLS) ──▶ users: who is it? ──▶ route ──▶ a handler: manifests, blobs, uploads, lists
//!                                                            │
//!                        mirror: what is not here ──▶ depot ─┴─▶ an OCI image layout on disk
//! ```
//!
//! Everything is kept in one OCI image layout: blobs by digest, and an `index.json` that says which manifest is in
//! which repository under which tag. Other tools read it in place (`skopeo inspect oci:ROOT:team/app:v1`). A blob that
//! one repository has need not be sent to another.

#[path = "../../../../solutions/06-registry/src/server/answer.rs"]
mod answer;
#[path = "../../../../solutions/06-registry/src/server/blobs.rs"]
mod blobs;
#[path = "../../../../solutions/06-registry/src/server/body.rs"]
mod body;
#[path = "../../../../solutions/06-registry/src/server/catalogue.rs"]
mod catalogue;
#[path = "../../../../solutions/06-registry/src/server/depot.rs"]
mod depot;
#[path = "../../../../solutions/06-registry/src/server/document.rs"]
mod document;
mod flight;
#[path = "../../../../solutions/06-registry/src/server/listen.rs"]
mod listen;
#[path = "../../../../solutions/06-registry/src/server/lists.rs"]
mod lists;
#[path = "../../../../solutions/06-registry/src/server/manifests.rs"]
mod manifests;
#[path = "../../../../solutions/06-registry/src/server/mirror.rs"]
mod mirror;
pub mod part;
#[path = "../../../../solutions/06-registry/src/server/route.rs"]
mod route;
#[path = "../../../../solutions/06-registry/src/server/sweep.rs"]
mod sweep;
#[path = "../../../../solutions/06-registry/src/server/tls.rs"]
mod tls;
#[path = "../../../../solutions/06-registry/src/server/uploads.rs"]
mod uploads;
#[path = "../../../../solutions/06-registry/src/server/users.rs"]
mod users;
#[path = "../../../../solutions/06-registry/src/server/wire.rs"]
mod wire;

pub use flight::Flights;
pub use listen::Server;

use std::net::SocketAddr;
use std::path::PathBuf;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    pub address: SocketAddr,
    /// Where everything is kept.
    pub root: PathBuf,
    /// Users and their passwords, as `htpasswd -B` writes them. None: everybody may do everything.
    pub htpasswd: Option<PathBuf>,
    /// Certificates and their key, in PEM. None: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What is not here is fetched from this registry; nothing can be pushed then.
    pub mirror: Option<Upstream>,
    /// Nothing can be pushed or deleted.
    pub read_only: bool,
}

/// The registry that is mirrored.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// `https://registry-1.docker.io`.
    pub address: String,
    pub settings: crate::Settings,
    pub credentials: Option<crate::Credentials>,
}
