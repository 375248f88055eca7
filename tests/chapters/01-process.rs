//! The examiner of chapter 1: what a container is, seen from inside and from outside.
//!
//! No root and no network needed: each test runs again as root of a user namespace of its own (see `sandbox`), and makes its containers
//! there, from the host's own shell and tools.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "process/command.rs"]
mod command;
#[path = "process/exec.rs"]
mod exec;
#[path = "process/filesystem.rs"]
mod filesystem;
#[path = "process/identity.rs"]
mod identity;
#[path = "process/namespaces.rs"]
mod namespaces;
#[path = "../support/not_run.rs"]
mod not_run;
#[path = "retold.rs"]
mod retold;
#[path = "process/sandbox.rs"]
mod sandbox;
#[path = "process/signals.rs"]
mod signals;
#[path = "process/terminal.rs"]
mod terminal;
