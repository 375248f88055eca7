//! The assembly: a container's life from create to remove, its state on disk, and the shim that owns it while it runs.
//!
//! An [`Engine`] is only two folders: everything it knows is on disk, so any number of processes may be one at once.
//! A container that runs belongs to its *shim*, a process of its own which outlives whoever started it; the engine
//! reaches the container's processes only through the shim's socket.

pub mod api;
mod archives;
mod attach;
mod bootstrap;
mod commit;
mod crash;
mod create;
mod durable;
mod error;
mod event_log;
mod events;
mod exec;
mod explain;
mod files;
mod filters;
mod id;
mod image_config;
mod image_list;
mod images;
mod info;
mod inspect;
mod life;
mod list;
mod list_filter;
mod logs;
mod lookup;
mod merge;
mod names;
mod network_files;
mod notice;
mod random_name;
mod record;
mod relay;
mod remove;
mod rootfs;
mod roots;
mod security;
mod shim;
mod skeleton;
mod spec;
mod spec_devices;
mod spec_mounts;
mod state;
mod sys;
mod top;
mod unsupported;
mod validate;
mod wait;
mod words;
mod workbench;

pub use attach::{AttachOptions, Attached};
pub use bootstrap::bootstrap;
pub use commit::{CommitOptions, ImportOptions};
pub use error::{Error, Kind, Result};
pub use info::{API_VERSION, MIN_API_VERSION};
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
    /// Opened on first use.
    store: std::sync::OnceLock<layers::Store>,
}

impl Engine {
    /// Opens the roots, making them where they are missing, and clears what dead shims left.
    pub fn open(roots: Roots) -> Result<Self> {
        record::make_private_folder(&roots.data)?;
        record::make_private_folder(&roots.run)?;
        let engine = Self::assume(roots);
        engine.bury_orphans();
        Ok(engine)
    }

    /// An engine on roots that exist.
    fn assume(roots: Roots) -> Self {
        Self { roots, pending: attach::Pending::default(), store: std::sync::OnceLock::new() }
    }
}
