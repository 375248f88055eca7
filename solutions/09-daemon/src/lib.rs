//! The Docker Engine API, both ends of it.
//!
//! Every command of Kesako is an HTTP request. Where it goes is a matter of transport only: without a daemon, the
//! [`Client`] and the [server](serve_connection) sit in one process and talk over a pipe in memory; with one, the same
//! bytes cross a unix socket. So the real `docker` command can drive our server, and our client a real dockerd, and each
//! proves the other.
//!
//! ```text
//!   command line ── Client ── HTTP/1.1 ── serve_connection ── routes ── Engine
//!                                │
//!                   a pipe in memory, or a unix socket
//! ```
//!
//! Alone, the client asks any such API: `cargo run -p solution-9 --example ask -- unix:///var/run/docker.sock /version`.
//!
//! A request that attaches to a container starts as HTTP and then stops being it: see [`client::Hijacked`].
#![forbid(unsafe_code)]

pub mod client;
mod daemon;
mod frames;
mod json;
mod server;
mod socket;

pub use client::{Client, Error};
pub use daemon::{Daemon, group_id};
pub use frames::{Frame, FrameReader, Output};
pub use server::{Server, serve_connection};
pub use socket::{Address, ListenError};

/// The newest version of the Engine API that both ends of this crate speak, and the oldest that the server answers to.
pub use engine::{API_VERSION, MIN_API_VERSION};

/// `1.44` as numbers, which is the only way to compare versions: 1.9 is older than 1.24.
pub(crate) fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
