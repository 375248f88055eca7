//! Chapter 8: the commands of a project, written down.
//!
//! A compose file says which containers, networks and volumes a project has. This crate understands it:
//!
//! ```text
//!   flags, environment, folder ─▶ files ─▶ yaml ─▶ interpolate ─▶ canonical ─▶ include, extends ─▶ merge ─┐
//!                                                                                                         │
//!   config: yaml, json ◀─ render, emit ◀── Project ◀── env files ◀─ profiles ◀─ check ◀─ normal ◀──────────┘
//!   keep or recreate?  ◀─ hash ◀──────────────┤
//!   the Engine API's requests ◀─ request ◀─ model
//! ```
//!
//! All of it works on one [tree](tree::Node), in which everything knows its file and line, and by one [table](schema::Shape), which says
//! of every key what it may hold and how that is merged and written.

#![forbid(unsafe_code)]

pub mod canonical;
pub mod containers;
pub mod hash;
pub mod interpolate;
pub mod labels;
pub mod merge;
pub mod model;
pub mod monitor;
pub mod name;
pub mod one_off;
pub mod order;
pub mod plan;
pub mod policy;
pub mod render;
pub mod request;
pub mod run;
pub mod schema;
pub mod steps;
pub mod tree;
pub mod yaml;

mod check;
mod dotenv;
mod emit;
mod environment;
mod error;
mod files;
mod hosts;
mod load;
mod normal;
mod ports;
mod project;
mod resources;
mod scalar;
mod service;
mod short;
mod words;

pub use error::{Error, Result};
pub use files::Request;
pub use interpolate::Variables;
pub use load::How;
pub use model::Model;
pub use project::Project;
pub use resources::FILE;
pub use service::SERVICE;

/// Whose chapter this is: `solution-8` the reference, `chapter-8` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");
