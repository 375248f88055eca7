// Chapter 7, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 7` says what is to be done, `cargo workshop use 7 mine` has the runtime run on it.

//! Chapter 7: stages are a graph.
//!
//! A stage is built from another (`FROM first`) or takes files from it (`COPY --from=first`, `RUN --mount=from=first`):
//! those are the edges. What the target does not reach is not built, and what does not depend on each other is built at
//! the same time.

#![forbid(unsafe_code)]

#[path = "../../../solutions/07-multi-stage/src/agent.rs"]
mod agent;
#[path = "../../../solutions/07-multi-stage/src/bind.rs"]
mod bind;
pub mod cache_mount;
#[path = "../../../solutions/07-multi-stage/src/error.rs"]
mod error;
#[path = "../../../solutions/07-multi-stage/src/graph.rs"]
pub mod graph;
pub mod names;
#[path = "../../../solutions/07-multi-stage/src/owner.rs"]
mod owner;
#[path = "../../../solutions/07-multi-stage/src/plan.rs"]
pub mod plan;
pub mod reach;
pub mod schedule;
#[path = "../../../solutions/07-multi-stage/src/secret.rs"]
mod secret;
#[path = "../../../solutions/07-multi-stage/src/sources.rs"]
mod sources;
#[path = "../../../solutions/07-multi-stage/src/trees.rs"]
mod trees;
#[path = "../../../solutions/07-multi-stage/src/whole.rs"]
mod whole;

pub use error::{Error, Result};
pub use graph::{Asked, Base, Graph, Node};
pub use names::Tree;
pub use sources::Origins;
pub use whole::{Unbuilt, build};

/// Whose chapter this is: `solution-7` the reference, `chapter-7` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");
