//! The assembly: a container's life from create to remove, its state on disk, and the shim that owns it while it runs.
//!
//! An [`Engine`] is only two folders: everything it knows is on disk, so any number of processes may be one at once.
//! A container that runs belongs to its *shim*, a process of its own which outlives whoever started it; the engine
//! reaches the container's processes only through the shim's socket.
#![allow(clippy::todo, clippy::unimplemented, unused_variables)] // until the last skeleton is filled

pub mod api;
mod attach;
mod bootstrap;
mod commit;
mod create;
mod durable;
mod error;
mod events;
mod exec;
mod files;
mod id;
mod images;
mod info;
mod inspect;
mod life;
mod list;
mod logs;
mod lookup;
mod names;
mod record;
mod remove;
mod roots;
mod state;
mod wait;
mod workbench;

pub use attach::{AttachOptions, Attached};
pub use bootstrap::bootstrap;
pub use commit::{CommitOptions, ImportOptions};
pub use error::{Error, Kind, Result};
pub use list::{Filters, ListOptions};
pub use logs::LogOptions;
pub use remove::RemoveOptions;
pub use roots::Roots;
pub use wait::{WaitCondition, Waiting};

/// The engine. Cheap to make; all state is on disk. Every method blocks; call from a thread that may.
///
/// Where a method takes the `id` of a container, an ID, an unambiguous prefix of one, or a name will do.
#[derive(Debug)]
pub struct Engine {
    /// Where everything lives.
    pub roots: Roots,
    /// Streams attached to containers that this process has not started yet.
    pending: attach::Pending,
}

impl Engine {
    /// Opens the roots, making them where they are missing, and clears what dead shims left.
    pub fn open(roots: Roots) -> Result<Self> {
        record::make_private_folder(&roots.data)?;
        record::make_private_folder(&roots.run)?;
        Ok(Self { roots, pending: attach::Pending::default() })
    }
}
