//! Whole containers, seen from inside and from outside. Each needs all that chapter 1 does, so this suite is for the reference crate;
//! the examiner of the single exercises is `01-process.rs`.
//!
//! No root and no network needed: each test runs again as root of a user namespace of its own (see `sandbox`), and makes its containers
//! there, from the host's own shell and tools.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "process-whole/command.rs"]
mod command;
#[path = "process-whole/exec.rs"]
mod exec;
#[path = "process-whole/filesystem.rs"]
mod filesystem;
#[path = "process-whole/identity.rs"]
mod identity;
#[path = "process-whole/namespaces.rs"]
mod namespaces;
#[path = "../support/not_run.rs"]
mod not_run;
#[path = "retold.rs"]
mod retold;
#[path = "process-whole/sandbox.rs"]
mod sandbox;
#[path = "process-whole/signals.rs"]
mod signals;
#[path = "process-whole/terminal.rs"]
mod terminal;
