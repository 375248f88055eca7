// Chapter 3, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 3` says what is to be done, `cargo workshop use 3 mine` has the runtime run on it.

//! Chapter 3: a Dockerfile becomes layers.
//!
//! A Dockerfile is read into instructions, each of which changes the recipe of an image or its files. Those that
//! change files (RUN, COPY, ADD, WORKDIR) make a layer each, unless one that was made before can be reused. Commands are
//! carried out by whoever can contain a process ([`run::Run`]); what happens meanwhile is told as [`progress::Event`]s.

#![forbid(unsafe_code)]

#[path = "../../../solutions/03-build/src/add/mod.rs"]
pub mod add;
pub mod cache;
#[path = "../../../solutions/03-build/src/cancel.rs"]
pub mod cancel;
#[path = "../../../solutions/03-build/src/change.rs"]
pub mod change;
#[path = "../../../solutions/03-build/src/checks/mod.rs"]
pub mod checks;
pub mod context;
#[path = "../../../solutions/03-build/src/copy/mod.rs"]
pub mod copy;
pub mod dockerfile;
#[path = "../../../solutions/03-build/src/duration.rs"]
pub mod duration;
#[path = "../../../solutions/03-build/src/error.rs"]
mod error;
pub mod expand;
pub mod ignore;
#[path = "../../../solutions/03-build/src/instruction.rs"]
pub mod instruction;
#[path = "../../../solutions/03-build/src/progress.rs"]
pub mod progress;
#[path = "../../../solutions/03-build/src/recipe.rs"]
pub mod recipe;
#[path = "../../../solutions/03-build/src/run.rs"]
pub mod run;
#[path = "../../../solutions/03-build/src/scope.rs"]
pub mod scope;
#[path = "../../../solutions/03-build/src/source.rs"]
pub mod source;
#[path = "../../../solutions/03-build/src/stage/mod.rs"]
pub mod stage;

pub use error::{Error, Result};

/// Whose chapter this is: `solution-3` the reference, `chapter-3` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");
