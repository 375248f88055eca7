//! The assembly: a container's life from create to remove, its state on disk, and the shim that owns it while it runs.
//!
//! An [`Engine`] is only two folders: everything it knows is on disk, so any number of processes may be one at once.
//! A container that runs belongs to its *shim*, a process of its own which outlives whoever started it; the engine
//! reaches the container's processes only through the shim's socket.
//!
//! What `run` does, and where: a request ([`api`]) is looked at, merged with its image's recipe, and written down as a
//! record (`create`, `container::record`). A start forks a shim (`life`, `shim::boot`), which makes a specification of the
//! record (`spec`) and hands it to [`process`], the first chapter. The shim then copies output to the log (`shim::json_log`)
//! and to whoever is attached (`life::attach`), until the process ends and the end is written down (`shim::end`). Whatever
//! happens is also an event (`events`).

pub mod api;
mod bootstrap;
mod builder;
pub mod check;
mod container;
mod copy;
mod create;
mod disk_usage;
mod durable;
mod error;
mod events;
pub mod explain;
mod filters;
mod image;
mod info;
mod learner;
mod life;
mod logs;
mod network;
mod ordinary;
mod reexec;
mod rooted;
mod roots;
mod shim;
mod spec;
mod sys;
mod volume;
pub mod words;

#[cfg(test)]
#[path = "../../tests/support/not_run.rs"]
mod not_run;

pub use ::build::duration;
pub use ::network::{Port, Subnet, parse_exposed, parse_mapping};
pub use bootstrap::{be_shim_if_called_so, bootstrap};
pub use container::list::{Filters, ListOptions};
pub use container::remove::RemoveOptions;
pub use copy::{Archived, ExtractOptions};
pub use disk_usage::Kinds;
pub use error::{Error, Kind, Result};
pub use image::commit::{CommitOptions, ImportOptions};
pub use image::registries::{PullOptions, Told};
pub use info::{API_VERSION, MIN_API_VERSION, architecture, refuse_platform};
pub use learner::{answering, exercise_met, unfinished, yours};
pub use life::attach::{AttachOptions, Attached};
pub use life::stats::StatsOptions;
pub use life::wait::{WaitCondition, Waiting};
pub use logs::LogOptions;
pub use network::parse_link;
pub use roots::Roots;
pub use shim::{DetachKeys, detach_key};
pub use sys::unread_by_peer;

/// The engine. Cheap to make; all state is on disk. Every method blocks; call from a thread that may.
///
/// Where a method takes the `id` of a container, an ID, an unambiguous prefix of one, or a name will do.
#[derive(Debug)]
pub struct Engine {
    /// Where everything lives.
    pub roots: Roots,
    /// Streams attached to containers that this process has not started yet.
    pending: life::attach::Pending,
    /// Opened on first use.
    store: std::sync::OnceLock<layers::Store>,
}

impl Engine {
    /// Opens the roots, making them where they are missing, and clears what dead shims left.
    pub fn open(roots: Roots) -> Result<Self> {
        container::record::make_private_folder(&roots.data)?;
        container::record::make_private_folder(&roots.run)?;
        let engine = Self::assume(roots);
        engine.bury_orphans();
        engine.clear_killed_builds();
        engine.clear_networks();
        engine.revive_outside();
        Ok(engine)
    }

    /// An engine on roots that exist.
    fn assume(roots: Roots) -> Self {
        Self { roots, pending: life::attach::Pending::default(), store: std::sync::OnceLock::new() }
    }
}
