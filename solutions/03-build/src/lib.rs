//! Chapter 3: a Dockerfile becomes layers.
//!
//! A Dockerfile is read into instructions, each of which changes the recipe of an image or its files. Those that
//! change files (RUN, COPY, ADD, WORKDIR) make a layer each, unless one that was made before can be reused. Commands are
//! carried out by whoever can contain a process ([`run::Run`]); what happens meanwhile is told as [`progress::Event`]s.

#![forbid(unsafe_code)]

pub mod add;
pub mod cache;
pub mod cancel;
pub mod change;
pub mod checks;
pub mod context;
pub mod copy;
pub mod dockerfile;
pub mod duration;
mod error;
pub mod expand;
pub mod ignore;
pub mod instruction;
pub mod progress;
pub mod recipe;
pub mod run;
pub mod scope;
pub mod source;
pub mod stage;

pub use error::{Error, Result};

/// Whose chapter this is: `solution-3` the reference, `chapter-3` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");
