//! Chapter 7: stages are a graph.
//!
//! A stage is built from another (`FROM first`) or takes files from it (`COPY --from=first`, `RUN --mount=from=first`):
//! those are the edges. What the target does not reach is not built, and what does not depend on each other is built at
//! the same time.

#![forbid(unsafe_code)]

mod agent;
mod bind;
pub mod cache_mount;
mod error;
pub mod graph;
pub mod names;
mod owner;
pub mod plan;
pub mod reach;
pub mod schedule;
mod secret;
mod sources;
mod trees;
mod whole;

pub use error::{Error, Result};
pub use graph::{Asked, Base, Graph, Node};
pub use names::Tree;
pub use sources::Origins;
pub use whole::{Unbuilt, build};

/// Whose chapter this is: `solution-7` the reference, `chapter-7` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");
