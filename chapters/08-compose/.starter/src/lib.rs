// Chapter 8, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 8` says what is to be done, `cargo workshop use 8 mine` has the runtime run on it.

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

#[path = "../../../solutions/08-compose/src/canonical.rs"]
pub mod canonical;
#[path = "../../../solutions/08-compose/src/containers.rs"]
pub mod containers;
pub mod hash;
pub mod interpolate;
#[path = "../../../solutions/08-compose/src/labels.rs"]
pub mod labels;
pub mod merge;
#[path = "../../../solutions/08-compose/src/model/mod.rs"]
pub mod model;
#[path = "../../../solutions/08-compose/src/monitor.rs"]
pub mod monitor;
pub mod name;
#[path = "../../../solutions/08-compose/src/one_off.rs"]
pub mod one_off;
pub mod order;
pub mod plan;
#[path = "../../../solutions/08-compose/src/policy.rs"]
pub mod policy;
#[path = "../../../solutions/08-compose/src/render.rs"]
pub mod render;
#[path = "../../../solutions/08-compose/src/request/mod.rs"]
pub mod request;
#[path = "../../../solutions/08-compose/src/run/mod.rs"]
pub mod run;
#[path = "../../../solutions/08-compose/src/schema.rs"]
pub mod schema;
#[path = "../../../solutions/08-compose/src/steps.rs"]
pub mod steps;
#[path = "../../../solutions/08-compose/src/tree.rs"]
pub mod tree;
#[path = "../../../solutions/08-compose/src/yaml.rs"]
pub mod yaml;

#[path = "../../../solutions/08-compose/src/check/mod.rs"]
mod check;
#[path = "../../../solutions/08-compose/src/dotenv.rs"]
mod dotenv;
#[path = "../../../solutions/08-compose/src/emit.rs"]
mod emit;
#[path = "../../../solutions/08-compose/src/environment.rs"]
mod environment;
#[path = "../../../solutions/08-compose/src/error.rs"]
mod error;
#[path = "../../../solutions/08-compose/src/files.rs"]
mod files;
#[path = "../../../solutions/08-compose/src/hosts.rs"]
mod hosts;
#[path = "../../../solutions/08-compose/src/load.rs"]
mod load;
#[path = "../../../solutions/08-compose/src/normal.rs"]
mod normal;
#[path = "../../../solutions/08-compose/src/ports.rs"]
mod ports;
#[path = "../../../solutions/08-compose/src/project.rs"]
mod project;
#[path = "../../../solutions/08-compose/src/resources.rs"]
mod resources;
#[path = "../../../solutions/08-compose/src/scalar.rs"]
mod scalar;
#[path = "../../../solutions/08-compose/src/service.rs"]
mod service;
#[path = "../../../solutions/08-compose/src/short.rs"]
mod short;
#[path = "../../../solutions/08-compose/src/words.rs"]
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
