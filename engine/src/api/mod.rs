//! The Engine API's data: what travels between client and server as JSON, with Docker's own names and shapes
//! (Docker Engine API v1.44). Only the fields that Kesako fills or obeys are here; a request that carries others is
//! read without complaint by [`serde`], and the server refuses the ones that would change what runs.

mod build;
mod config;
mod container;
mod disk_usage;
mod image;
mod network;
mod stats;
mod system;
mod volume;

pub use ::build::dockerfile::Source;
pub use ::build::progress;
pub use build::*;
pub use config::*;
pub use container::*;
pub use disk_usage::*;
pub use image::*;
pub use network::*;
pub use stats::*;
pub use system::*;
pub use volume::*;
