//! The examiner of chapter 1: one module for each exercise.
//!
//! No exercise needs another, and no test needs root or the network: what changes mounts does so in namespaces of its own.
//! Whole containers, which need everything at once, are in `process-whole.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unreachable_pub, reason = "the sandbox is not this suite's alone")]

#[path = "process/capabilities.rs"]
mod capabilities;
#[path = "process/exit.rs"]
mod exit;
#[path = "process/expect.rs"]
mod expect;
#[path = "process/init.rs"]
mod init;
#[path = "process/masked.rs"]
mod masked;
#[path = "process/namespaces.rs"]
mod namespaces;
#[path = "../support/not_run.rs"]
mod not_run;
#[path = "retold.rs"]
mod retold;
#[path = "process/root.rs"]
mod root;
#[allow(dead_code, reason = "not all suites ask everything of it")]
#[path = "sandbox.rs"]
mod sandbox;
