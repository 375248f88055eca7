//! The commands of `kesako compose` that look at what runs: what a user types and sees, on the built binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod called;
mod inside;
mod lists;
mod logs;
mod shop;
mod signals;
